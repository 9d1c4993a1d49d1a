import type { CertificateEvent, EndpointRef } from '../../manager/certificate-client.ts';
import type { RemoteCertificate } from './endpoint-copies.ts';

/** What happened to the certificates of an endpoint between two looks. */
export function compareCopies(
  endpoint: EndpointRef,
  before: readonly RemoteCertificate[],
  after: readonly RemoteCertificate[],
): readonly CertificateEvent[] {
  const find = (list: readonly RemoteCertificate[], id: string) =>
    list.find(({ published }) => published.id === id)?.published;
  const gone = before.filter(({ published: { id } }) => !find(after, id));
  return [
    ...gone.map(({ published: { id } }) => ({ kind: 'removed', endpoint, id }) as const),
    ...after.flatMap(({ published }): CertificateEvent[] => {
      const old = find(before, published.id);
      if (!old) return [{ kind: 'created', endpoint, ...published }];
      const isSame = old.certificate.fingerprint === published.certificate.fingerprint;
      return isSame ? [] : [{ kind: 'changed', endpoint, ...published }];
    }),
  ];
}
