import { CertError } from '../../core/cert-error.ts';
import { signatureOf } from '../server/interface.ts';
import { propertiesInterface } from '../server/standard-interfaces.ts';
import { connectBus } from '../transport/bus.ts';
import {
  type ExplainedLogin,
  type NetconfStatus,
  netconfInterface,
  netconfName,
  netconfRoot,
} from './netconf-interface.ts';

/** What an operator asks of the NETCONF service. Rejections are CertErrors, `unavailable` where the service does not run. */
export interface NetconfAdministration {
  status(): Promise<NetconfStatus>;
  /** @param position from 1; 0 for the end of the list */
  addIdentity(fingerprint: string, mapType: string, name: string, position: number): Promise<void>;
  /** @param mapType empty for all entries with the fingerprint */
  removeIdentity(fingerprint: string, mapType: string): Promise<void>;
  /** @param mapType empty for none */
  setDefaultIdentity(mapType: string, name: string): Promise<void>;
  resetIdentities(): Promise<void>;
  explain(pem: string): Promise<ExplainedLogin>;
  setTrace(on: boolean): Promise<void>;
  close(): void;
}

/** @throws CertError `unavailable` */
export async function administerNetconf(busAddress: string): Promise<NetconfAdministration> {
  const bus = await connectBus(busAddress);
  const call = async (name: string, member: string, signature: string, body: unknown[]) => {
    const object = { destination: netconfName, path: netconfRoot, interface: name };
    try {
      return await bus.call({ ...object, member, signature, body });
    } catch (error) {
      if (error instanceof CertError && error.code === 'unavailable')
        throw new CertError('unavailable', 'the NETCONF service does not run', { cause: error });
      throw error;
    }
  };
  const ask = (member: keyof typeof netconfInterface.methods, ...body: unknown[]) =>
    call(netconfInterface.name, member, signatureOf(netconfInterface.methods[member].in), body);
  return {
    async status() {
      const body = [netconfInterface.name];
      const [all] = await call(propertiesInterface.name, 'GetAll', 's', body);
      return statusOf(new Map(Object.entries(Object(all))));
    },
    async addIdentity(fingerprint, mapType, name, position) {
      await ask('AddClientIdentity', fingerprint, mapType, name, position);
    },
    async removeIdentity(fingerprint, mapType) {
      await ask('RemoveClientIdentity', fingerprint, mapType);
    },
    async setDefaultIdentity(mapType, name) {
      await ask('SetDefaultIdentity', mapType, name);
    },
    async resetIdentities() {
      await ask('ResetClientIdentities');
    },
    async explain(pem) {
      const [found] = await ask('Explain', pem);
      const [refusal, reason, user, role, chain, entries] = listOf(found);
      return {
        ...{ refusal: String(refusal), reason: String(reason) },
        ...{ user: String(user), role: String(role), chain: listOf(chain).map(String) },
        entries: listOf(entries).map((row) => {
          const [entry = '', mapType = '', matches = '', result = ''] = listOf(row).map(String);
          return { entry, mapType, matches, result };
        }),
      };
    },
    async setTrace(on) {
      await ask('SetTrace', on);
    },
    close: () => bus.close(),
  };
}

function statusOf(properties: ReadonlyMap<string, unknown>): NetconfStatus {
  const value = (name: keyof typeof netconfInterface.properties): unknown =>
    Reflect.get(Object(properties.get(name)), 'value');
  const rows = (name: 'Sessions' | 'Refused' | 'ClientIdentities') =>
    listOf(value(name)).map(listOf);
  const [mapType = '', name = ''] = listOf(value('DefaultIdentity')).map(String);
  return {
    address: String(value('Address')),
    port: Number(value('Port')),
    state: String(value('State')),
    advice: String(value('Advice')),
    certificate: String(value('Certificate')),
    authorities: listOf(value('Authorities')).map(String),
    missing: listOf(value('MissingAuthorities')).map(String),
    sessions: rows('Sessions').map(([id, user, address, since]) => ({
      ...{ id: Number(id), user: String(user), address: String(address), since: timeOf(since) },
    })),
    refused: rows('Refused').map(([at, count, ...texts]) => {
      const [reason = '', text = '', address = '', subject = '', fingerprint = ''] =
        texts.map(String);
      const about = { reason, text, address, subject, fingerprint };
      return { at: timeOf(at), count: Number(count), ...about };
    }),
    identities: rows('ClientIdentities').map(([fingerprint, type, user, isConfigured]) => ({
      ...{ fingerprint: String(fingerprint), mapType: String(type), name: String(user) },
      isConfigured: isConfigured === true,
    })),
    defaultIdentity: mapType === '' ? undefined : { mapType, name },
    origin: String(value('IdentitiesOrigin')),
    trace: value('Trace') === true,
  };
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function timeOf(seconds: unknown): Date {
  return new Date(Number(seconds) * 1000);
}
