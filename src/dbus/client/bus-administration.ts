import type {
  Administration,
  ReplacementStatus,
  ServiceReload,
} from '../../manager/administration.ts';
import type { EndpointRef, PublishedCertificate } from '../../manager/certificate-client.ts';
import type { Expiry, ExpiryState } from '../../manager/expiry.ts';
import type { Content } from '../../x509/containers.ts';
import { rootPath } from '../certs/endpoint-names.ts';
import {
  expiryInterface,
  reloadInterface,
  replacementInterface,
  requestInterface,
  uploadInterface,
} from '../certs/extension-interfaces.ts';
import type { InterfaceSpec, TypedValue } from '../server/interface.ts';
import type { Interfaces } from '../server/object-tree.ts';
import { objectManagerInterface, propertiesInterface } from '../server/standard-interfaces.ts';
import type { BusCertificateClient } from './bus-certificate-client.ts';

/** Administration over the bus, on the connection of a client whose copies are then as new as each reply. */
export function busAdministration(client: BusCertificateClient): Administration {
  const property = async (
    endpoint: EndpointRef,
    { name }: InterfaceSpec,
    property_name: string,
  ) => {
    const method = { endpoint, spec: propertiesInterface, member: 'Get' };
    return ((await client.call(method, { interface_name: name, property_name })) as TypedValue)
      .value;
  };
  return {
    async expiry(endpoint) {
      const method = { endpoint, spec: objectManagerInterface, member: 'GetManagedObjects' };
      return expiriesOf((await client.call(method)) as Readonly<Record<string, Interfaces>>);
    },
    async replaceAll(endpoint, content) {
      const method = { endpoint, spec: uploadInterface, member: 'ReplaceAll' };
      const paths = await client.call(method, inputsOf(content));
      return (paths as string[]).flatMap((path) => published(client, endpoint, path));
    },
    async discard(endpoint, Id) {
      await client.call({ endpoint, spec: requestInterface, member: 'Discard' }, { Id });
    },
    async services(endpoint) {
      const rows = await property(endpoint, reloadInterface, 'Services');
      return (rows as ServiceRow[]).map(serviceReload);
    },
    async reload(endpoint) {
      await client.call({ endpoint, spec: reloadInterface, member: 'Reload' });
    },
    async stage(endpoint, { content, truststore, seconds: Seconds }) {
      const method = { endpoint, spec: replacementInterface, member: 'Stage' };
      const { bytes: Bundle = Buffer.alloc(0), format: BundleFormat = '' } =
        truststore?.bundle ?? {};
      const Truststore = truststore ? rootPath(truststore.endpoint) : '';
      const inputs = { ...inputsOf(content), Truststore, Bundle, BundleFormat, Seconds };
      const id = String(await client.call(method, inputs));
      await client.call({ ...method, member: 'Detach' }, { Replacement: id });
      return id;
    },
    async activate(endpoint, Seconds) {
      const method = { endpoint, spec: replacementInterface, member: 'Activate' };
      await client.call(method, { Replacement: '', Seconds });
    },
    async commit(endpoint) {
      const method = { endpoint, spec: replacementInterface, member: 'Commit' };
      await client.call(method, { Replacement: '' });
    },
    async rollback(endpoint) {
      const method = { endpoint, spec: replacementInterface, member: 'Rollback' };
      await client.call(method, { Replacement: '' });
    },
    async replacement(endpoint) {
      const state = await property(endpoint, replacementInterface, 'State');
      const seconds = Number(await property(endpoint, replacementInterface, 'Deadline'));
      return {
        state: lastPart(String(state)) as ReplacementStatus['state'],
        deadline: seconds === 0 ? undefined : new Date(seconds * 1000),
      };
    },
  };
}

type ServiceRow = readonly [string, string, string, bigint, number];

function serviceReload([service, outcome, reason, seconds, attempts]: ServiceRow): ServiceReload {
  const at = seconds === 0n ? undefined : new Date(Number(seconds) * 1000);
  return { service, outcome, reason, at, attempts };
}

function expiriesOf(objects: Readonly<Record<string, Interfaces>>): ReadonlyMap<string, Expiry> {
  const entries = Object.entries(objects).flatMap(([path, interfaces]) => {
    const { State, DaysLeft } = interfaces[expiryInterface.name] ?? {};
    if (!State || !DaysLeft) return [];
    const state = lastPart(String(State.value)) as ExpiryState;
    return [[path.split('/').at(-1) ?? '', { state, daysLeft: Number(DaysLeft.value) }] as const];
  });
  return new Map(entries);
}

function published(
  client: BusCertificateClient,
  endpoint: EndpointRef,
  path: string,
): PublishedCertificate[] {
  const id = path.split('/').at(-1);
  return client.list(endpoint).filter((one) => one.id === id);
}

function inputsOf({ bytes, format, password }: Content) {
  return { Content: bytes, Format: format, Password: password };
}

/** The value of an enumeration. */
function lastPart(name: string): string {
  return name.split('.').at(-1) ?? '';
}
