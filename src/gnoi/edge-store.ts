import { CertError, reasonOf } from '../core/cert-error.ts';
import type { Log } from '../core/log.ts';
import type { EndpointRef } from '../manager/certificate-client.ts';
import type { EdgeEndpoint, EdgeEndpoints, ReplacementInput } from '../manager/edge-endpoints.ts';
import type { Certificate } from '../x509/certificate.ts';
import { pemContent } from '../x509/containers.ts';
import { bundleName, type CertificateStore, type StoreChange } from './certificate-store.ts';
import { ManagedTrial } from './managed-trial.ts';

const bundle: EndpointRef = { type: 'authority', name: bundleName };

export interface EdgeStoreOptions {
  readonly endpoints: EdgeEndpoints;
  /** CAs that the device trusts beside the bundle. */
  readonly anchors: () => readonly Certificate[];
  readonly log: Log;
}

/** The store whose ids are endpoints of the manager that come and go at run time. */
export function edgeStore({ endpoints, anchors, log }: EdgeStoreOptions): CertificateStore {
  const authorities = (): readonly Certificate[] =>
    endpoints.find(bundle)?.certificates.map(({ certificate }) => certificate) ?? [];

  const discardRequests = async (id: string): Promise<void> => {
    const waiting = await endpoints.outstanding(server(id));
    await Promise.all(waiting.map((one) => endpoints.discard(server(id), one.id)));
  };

  return {
    authorities,
    anchors,
    discardRequests,
    certificates: () =>
      inService(endpoints).flatMap(({ name: id, modified, services, certificates: [held] }) =>
        held ? [{ id, modified, services, certificate: held.certificate, chain: held.chain }] : [],
      ),
    async makeRequest(id, parameters) {
      await discardRequests(id);
      return (await endpoints.generate(server(id), parameters)).pem;
    },
    async discardAllRequests() {
      const ids = endpoints.list().filter(({ type }) => type === 'server');
      const discarded = ids.map(({ name }) =>
        discardRequests(name).catch((error: unknown) => {
          // It belongs to another edge
          if (!(error instanceof CertError && error.code === 'access-denied')) throw error;
        }),
      );
      await Promise.all(discarded);
    },
    async tryOut(change, seconds) {
      const parts = partsOf(change, endpoints);
      const name = await endpoints.stage(parts, seconds);
      try {
        await endpoints.activate(name, seconds);
      } catch (error) {
        await endpoints.rollback(name).catch((cause: unknown) => {
          log.warn('staged change is undone in time only', { reason: reasonOf(cause) });
        });
        throw error;
      }
      return new ManagedTrial(endpoints, name, Date.now() + seconds * 1000);
    },
    remove: (id) => endpoints.remove(server(id)),
    onChange: (listener) => endpoints.subscribe(listener),
  };
}

/** @throws CertError `already-installed`, `not-found` */
function partsOf(
  { certificate, authorities: wanted }: StoreChange,
  endpoints: EdgeEndpoints,
): ReplacementInput[] {
  const parts: ReplacementInput[] = [];
  if (certificate) {
    const { id, place, pem } = certificate;
    const endpoint = server(id);
    const isTaken = inService(endpoints).some(({ name }) => name === id);
    if (place === 'new' && isTaken)
      throw new CertError('already-installed', `there is a certificate with the id ${id}`);
    if (place === 'taken' && !isTaken)
      throw new CertError('not-found', `there is no certificate with the id ${id}`);
    parts.push({ endpoint, create: !endpoints.find(endpoint), content: pemContent(pem) });
  }
  if (wanted) {
    const content = pemContent(wanted.map(({ pem }) => pem).join(''));
    parts.push({ endpoint: bundle, create: !endpoints.find(bundle), content });
  }
  return parts;
}

function server(id: string): EndpointRef {
  return { type: 'server', name: id };
}

function inService(endpoints: EdgeEndpoints): readonly EdgeEndpoint[] {
  return endpoints
    .list()
    .filter(({ type, certificates }) => type === 'server' && certificates.length > 0);
}
