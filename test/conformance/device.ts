import assert from 'node:assert/strict';
import { join } from 'node:path';
import { csrAppears } from '../fakes/bus-caller.ts';
import { BusMonitor, type BusTools, busTools } from '../fakes/bus-tools.ts';
import { type ManagerProcess, names, paths, startManager } from '../fakes/manager-process.ts';
import {
  type Issued,
  type OpensslAuthority,
  opensslAuthority,
} from '../fakes/openssl-authority.ts';
import { type PrivateBus, startPrivateBus } from '../fakes/private-bus.ts';
import { type Argument, type Client, clientsOf, type Refusal, refusals } from './clients.ts';

export type EndpointType = keyof typeof names;
export const types: readonly EndpointType[] = ['server', 'client', 'authority'];

/** The methods of the contract by their short names. */
export const methods = {
  install: 'xyz.openbmc_project.Certs.Install.Install',
  installAll: 'xyz.openbmc_project.Certs.InstallAll.InstallAll',
  replaceAll: 'xyz.openbmc_project.Certs.ReplaceAll.ReplaceAll',
  deleteAll: 'xyz.openbmc_project.Collection.DeleteAll.DeleteAll',
  generate: 'xyz.openbmc_project.Certs.CSR.Create.GenerateCSR',
  /** Ours: GenerateCSR that answers with the request. */
  request: 'xyz.openbmc_project.Certs.Extension.Request.Generate',
  csr: 'xyz.openbmc_project.Certs.CSR.CSR',
  replace: 'xyz.openbmc_project.Certs.Replace.Replace',
  remove: 'xyz.openbmc_project.Object.Delete.Delete',
  ping: 'org.freedesktop.DBus.Peer.Ping',
  get: 'org.freedesktop.DBus.Properties.Get',
  getAll: 'org.freedesktop.DBus.Properties.GetAll',
  managed: 'org.freedesktop.DBus.ObjectManager.GetManagedObjects',
} as const;
export const errors = {
  unknownObject: 'org.freedesktop.DBus.Error.UnknownObject',
  internalFailure: 'xyz.openbmc_project.Common.Error.InternalFailure',
  notAllowed: 'xyz.openbmc_project.Common.Error.NotAllowed',
  invalidCertificate: 'xyz.openbmc_project.Certs.Error.InvalidCertificate',
} as const;
export const certificateInterface = 'xyz.openbmc_project.Certs.Certificate';

/** A manager with OpenBMC's three endpoints on a bus of its own, and a CA outside of it. */
export interface Device {
  readonly bus: PrivateBus;
  readonly ca: OpensslAuthority;
  readonly monitor: BusMonitor;
  readonly manager: ManagerProcess;
  tools(type: EndpointType): BusTools;
  /** The client programs that make a check, each pointed at the endpoint. */
  clients(type: EndpointType): readonly [busctl: Client, gdbus: Client];
  /** A call that must fail, by every client program. */
  refusals(
    type: EndpointType,
    path: string,
    method: string,
    ...args: readonly Argument[]
  ): Promise<readonly Refusal[]>;
  /** The ids of the certificates that the endpoint has. */
  ids(type: EndpointType): Promise<string[]>;
  /** Everything from the certificate on in one file, with its key in front. */
  pair(issued: Issued): string;
  stored(...names: readonly string[]): string;
  /** Waits until the CSR that was begun last has its object. */
  csrAppears(type: EndpointType): Promise<void>;
  restart(changes?: object): Promise<void>;
  stop(): Promise<void>;
}

/** A device with one certificate each, and what else calls may bring. */
export interface OccupiedDevice {
  readonly device: Device;
  /** The authority that is installed. */
  readonly issuer: Issued;
  /** The certificate of the client. */
  readonly leaf: Issued;
  /** One that is not installed. */
  readonly stranger: Issued;
}

export async function startOccupiedDevice(): Promise<OccupiedDevice> {
  const device = await startDevice();
  const issuer = device.ca.issueCa({ subject: '/CN=Issuer' });
  const [leaf, stranger] = [device.ca.issue(), device.ca.issue()];
  await device.tools('client').call(paths.client, methods.install, 's', device.pair(leaf));
  await device.tools('authority').call(paths.authority, methods.install, 's', issuer.path);
  return { device, issuer, leaf, stranger };
}

export async function startDevice(changes: object = {}): Promise<Device> {
  const bus = await startPrivateBus();
  const monitor = await BusMonitor.start(bus.address);
  const ca = opensslAuthority();
  let manager = await startManager(bus, changes);
  const target = (type: EndpointType) => ({ address: bus.address, destination: names[type] });
  const device: Device = {
    bus,
    ca,
    monitor,
    get manager() {
      return manager;
    },
    tools: (type) => busTools(target(type)),
    clients: (type) => clientsOf(target(type)),
    refusals: (type, ...call) => refusals(target(type), ...call),
    async ids(type) {
      const { 0: objects } = await device.tools(type).call(paths[type], methods.managed);
      const found = Object.keys(objects ?? {}).map((path) => path.slice(paths[type].length + 1));
      return found.filter((id) => id !== 'csr').sort((a, b) => Number(a) - Number(b));
    },
    pair: ({ key, pem }) => device.ca.write(`pair-${nextNumber()}.pem`, `${key}${pem}`),
    stored: (...names) => join(bus.directory, ...names),
    csrAppears: (type) => csrAppears(bus.address, names[type], paths[type]),
    async restart(other = changes) {
      await manager.stop();
      manager = await startManager(bus, other);
    },
    async stop() {
      await monitor.stop();
      await manager.stop();
      await bus.stop();
      ca.remove();
    },
  };
  return device;
}

let count = 0;

export function nextNumber(): number {
  count += 1;
  return count;
}

/** All programs must show this error, with the same text. @returns the text */
export function assertRefused(refused: readonly Refusal[], name: string): string {
  const [{ text } = { text: '' }] = refused;
  for (const one of refused) assert.deepEqual(one, { client: one.client, name, text });
  return text;
}

/** CAs with names of their own; they share a key, which makes them quickly. */
export function makeCas(ca: OpensslAuthority, many: number): readonly Issued[] {
  const first = ca.issueCa({ subject: `/O=Test/CN=CA ${nextNumber()}` });
  const others = Array.from({ length: many - 1 }, () =>
    ca.issueCa({ subject: `/O=Test/CN=CA ${nextNumber()}`, keyOf: first }),
  );
  return [first, ...others];
}

export function bundle(ca: OpensslAuthority, certificates: readonly Issued[]): string {
  return ca.write(`bundle-${nextNumber()}.pem`, certificates.map(({ pem }) => pem).join(''));
}

/** One certificate of a list that must have it. */
export function at<T>(list: readonly T[], index: number): T {
  const one = list[index];
  if (one === undefined) throw new RangeError(`there is no element ${index}`);
  return one;
}
