import { certificateInterface } from '../../src/dbus/certs/certs-interfaces.ts';
import { busName, rootPath } from '../../src/dbus/certs/endpoint-names.ts';
import { chainInterface, expiryInterface } from '../../src/dbus/certs/extension-interfaces.ts';
import type { Interfaces } from '../../src/dbus/server/object-tree.ts';
import {
  objectManagerInterface,
  propertiesInterface,
} from '../../src/dbus/server/standard-interfaces.ts';
import { type Bus, type Call, connectBus } from '../../src/dbus/transport/bus.ts';
import { busDaemon } from '../../src/dbus/transport/bus-driver.ts';
import type { EndpointRef } from '../../src/manager/certificate-client.ts';
import { generateCertificate } from '../../src/manager/credential/generated-certificate.ts';

/** A manager on a real bus of which a test decides every message. */
export interface ScriptedManager {
  readonly bus: Bus;
  /** PEM of each certificate and its chain by id, as GetManagedObjects tells them. */
  readonly certificates: Map<string, readonly string[]>;
  added(id: string): void;
  changed(id: string): void;
  removed(id: string): void;
  expires(id: string, days: number): void;
}

/**
 * Takes the endpoint's name.
 * @param answer what to do with GetManagedObjects instead of answering it: `reply` does that
 */
export async function startScriptedManager(
  address: string,
  endpoint: EndpointRef,
  certificates: Readonly<Record<string, readonly string[]>>,
  answer: (manager: ScriptedManager, call: Call, reply: () => void) => void = (_, __, reply) =>
    reply(),
): Promise<ScriptedManager> {
  const bus = await connectBus(address);
  const root = rootPath(endpoint);
  const path = (id: string) => `${root}/${id}`;
  const known = new Map(Object.entries(certificates));
  const describe = (id: string) => interfacesOf(known.get(id) ?? []);
  const manager: ScriptedManager = {
    bus,
    certificates: known,
    added(id) {
      const body = [path(id), describe(id)];
      bus.signal(root, objectManagerInterface.name, 'InterfacesAdded', 'oa{sa{sv}}', body);
    },
    changed(id) {
      for (const [name, properties] of Object.entries(describe(id))) {
        const body = [name, properties, []];
        bus.signal(path(id), propertiesInterface.name, 'PropertiesChanged', 'sa{sv}as', body);
      }
    },
    removed(id) {
      const body = [path(id), Object.keys(describe(id))];
      bus.signal(root, objectManagerInterface.name, 'InterfacesRemoved', 'oas', body);
    },
    expires(id, days) {
      bus.signal(path(id), expiryInterface.name, 'ThresholdReached', 'ux', [days, BigInt(days)]);
    },
  };
  bus.handleCalls((call) => {
    const objects = Object.fromEntries([...known.keys()].map((id) => [path(id), describe(id)]));
    // As upstream's manager, whose object of an endpoint has no properties
    if (call.member === 'GetAll') call.answer('a{sv}', [{}]);
    else answer(manager, call, () => call.answer('a{oa{sa{sv}}}', [objects]));
  });
  const body = [busName(endpoint), 0];
  await bus.call({ ...busDaemon, member: 'RequestName', signature: 'su', body });
  return manager;
}

/** The properties of a certificate by its interfaces: its own PEM first, then the chain's. */
export function interfacesOf(pems: readonly string[]): Interfaces {
  return {
    [certificateInterface.name]: { CertificateString: { signature: 's', value: pems[0] ?? '' } },
    [chainInterface.name]: { Certificates: { signature: 'as', value: pems } },
  };
}

/** PEM of a self-signed certificate for a host name. */
export function makeSample(hostName: string): string {
  const plan = {
    validDays: 10,
    renewBeforeDays: 1,
    curve: 'prime256v1',
    organization: 'T',
  } as const;
  return generateCertificate({ hostName, addresses: [] }, plan, Date.now()).leaf.pem;
}
