import type {
  CertificateEvent,
  EndpointRef,
  PublishedCertificate,
} from '../../manager/certificate-client.ts';
import type { EdgeEndpoint, EdgeEndpointEvent } from '../../manager/edge-endpoints.ts';

/** What happened to the certificates of an endpoint while there was no listener. */
export function certificateChanges(
  endpoint: EndpointRef,
  before: readonly PublishedCertificate[],
  after: readonly PublishedCertificate[],
): readonly CertificateEvent[] {
  const known = new Map(before.map((one) => [one.id, fingerprints(one)]));
  const gone = before.filter(({ id }) => !after.some((one) => one.id === id));
  return [
    ...gone.map(({ id }): CertificateEvent => ({ kind: 'removed', endpoint, id })),
    ...after.flatMap((one): CertificateEvent[] => {
      const old = known.get(one.id);
      if (old === fingerprints(one)) return [];
      return [{ kind: old === undefined ? 'created' : 'changed', endpoint, ...one }];
    }),
  ];
}

/** The same for endpoints that come and go. */
export function endpointChanges(
  before: readonly EdgeEndpoint[],
  after: readonly EdgeEndpoint[],
): readonly EdgeEndpointEvent[] {
  const gone = before.filter((one) => !after.some((other) => isSame(one, other)));
  return [
    ...gone.flatMap((one): EdgeEndpointEvent[] => [
      ...certificateChanges(refOf(one), one.certificates, []),
      { kind: 'endpoint removed', endpoint: refOf(one) },
    ]),
    ...after.flatMap((one): EdgeEndpointEvent[] => {
      const endpoint = refOf(one);
      const old = before.find((other) => isSame(one, other));
      const changes = certificateChanges(endpoint, old?.certificates ?? [], one.certificates);
      return old ? [...changes] : [{ kind: 'endpoint added', endpoint }, ...changes];
    }),
  ];
}

function isSame(a: EndpointRef, b: EndpointRef): boolean {
  return a.type === b.type && a.name === b.name;
}

function refOf({ type, name }: EndpointRef): EndpointRef {
  return { type, name };
}

/** Of a certificate and all that is served with it. */
function fingerprints({ certificate, chain }: PublishedCertificate): string {
  return [certificate, ...chain].map(({ fingerprint }) => fingerprint).join();
}
