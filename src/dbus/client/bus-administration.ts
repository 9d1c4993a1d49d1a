import type { EndpointStatus, WatchedAdministration } from '../../manager/administration.ts';
import type { EndpointRef, PublishedCertificate } from '../../manager/certificate-client.ts';
import type { Expiry, ExpiryState } from '../../manager/expiry.ts';
import type { Content } from '../../x509/containers.ts';
import {
  expiryInterface,
  reloadInterface,
  replacementInterface,
  requestInterface,
  uploadInterface,
} from '../certs/extension-interfaces.ts';
import type { Interfaces } from '../server/object-tree.ts';
import { type BusCertificateClient, unsupported } from './bus-certificate-client.ts';
import { lastPart } from './endpoint-status.ts';
import { addAtUpstream } from './upstream-changes.ts';

/** Administration over the bus, on the connection of a client whose copies are then as new as each reply. */
export function busAdministration(client: BusCertificateClient): WatchedAdministration {
  const statusOf = (endpoint: EndpointRef): EndpointStatus => {
    const status = client.status(endpoint);
    if (!status) throw unsupported();
    return status;
  };
  return {
    async expiry(endpoint) {
      return expiriesOf(await client.objects(endpoint));
    },
    async add(endpoint, content) {
      const upstream = client.upstreamAt(endpoint);
      if (upstream) return addAtUpstream(upstream, content);
      const method = { endpoint, spec: uploadInterface, member: 'Add' };
      const paths = await client.call(method, inputsOf(content));
      return (paths as string[]).flatMap((path) => published(client, endpoint, path));
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
      return statusOf(endpoint).services;
    },
    async reload(endpoint) {
      await client.call({ endpoint, spec: reloadInterface, member: 'Reload' });
    },
    async stage(endpoint, { content, truststore, seconds: Seconds }) {
      const method = { endpoint, spec: replacementInterface, member: 'Stage' };
      const { bytes: Bundle = Buffer.alloc(0), format: BundleFormat = '' } =
        truststore?.bundle ?? {};
      const Truststore = truststore ? client.pathOf(truststore.endpoint) : '';
      const inputs = { ...inputsOf(content), Truststore, Bundle, BundleFormat, Seconds };
      const id = String(await client.call(method, inputs));
      await client.call({ ...method, member: 'Detach' }, { Replacement: id });
      return id;
    },
    async activate(endpoint, Seconds, Replacement = '') {
      const method = { endpoint, spec: replacementInterface, member: 'Activate' };
      await client.call(method, { Replacement, Seconds });
    },
    async commit(endpoint, Replacement = '') {
      const method = { endpoint, spec: replacementInterface, member: 'Commit' };
      await client.call(method, { Replacement });
    },
    async rollback(endpoint, Replacement = '') {
      const method = { endpoint, spec: replacementInterface, member: 'Rollback' };
      await client.call(method, { Replacement });
    },
    async replacement(endpoint) {
      return statusOf(endpoint).replacement;
    },
    status: (endpoint) => client.status(endpoint),
  };
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
