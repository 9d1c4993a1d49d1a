import type { CertificateClient } from '../../manager/certificate-client.ts';
import type { CertificateCollection } from '../certificates/collections.ts';
import { asRedfish } from '../certificates/errors.ts';
import { extendedInfo } from '../certificates/findings.ts';
import { type LockoutParts, withLockoutGuard } from '../certificates/lockout-guard.ts';
import type { ServedCertificate } from '../certificates/served.ts';
import { admit, submittedContent } from '../certificates/submitted.ts';
import { certificateView, type ViewParts } from '../certificates/view.ts';
import { type Compatibility, createAs } from '../compatibility.ts';
import { collectionView, get, type Operation, type Reply, type Resource } from '../resource.ts';
import { type SuccessorParts, successorResources } from './rekey-renew.ts';

interface CollectionParts extends ViewParts, LockoutParts {
  readonly client: CertificateClient;
  readonly compatibility: Compatibility;
  readonly served: ServedCertificate;
}

/** Every CertificateCollection with its Certificates (DSP2046). */
export function certificateCollections(
  parts: CollectionParts & SuccessorParts & { readonly places: readonly CertificateCollection[] },
): readonly Resource[] {
  return parts.places.flatMap((place) => [
    collection(parts, place),
    certificate(parts, place),
    ...(place.requestUsages ? successorResources(parts, place) : []),
  ]);
}

function collection(parts: CollectionParts, place: CertificateCollection): Resource {
  const { client, compatibility } = parts;
  const GET = get(async () => {
    const members = await asRedfish({}, () => client.list(place.endpoint));
    return collectionView(
      place.uri,
      'CertificateCollection',
      [place.collectionName, place.collectionDescription],
      members.map(({ id }) => `${place.uri}/${id}`),
    );
  });
  const post: Operation = {
    upload: true,
    async handle({ body, identity }) {
      const { content, isRaw } = submittedContent(body);
      const occupied = place.endpoint.type === 'authority' ? {} : { occupied: `${place.uri}/1` };
      const { endpoint } = place;
      const published = await asRedfish({ ...occupied, isRaw }, () => {
        const comes = admit(place, content);
        return withLockoutGuard(parts, identity, { endpoint, comes }, () =>
          client.install(endpoint, comes.content),
        );
      });
      await parts.served.refresh();
      const reply = viewReply(parts, place, published, 201);
      return { ...reply, body: { ...reply.body, ...extendedInfo(published) } };
    },
  };
  return {
    path: place.uri,
    entity: 'CertificateCollection',
    operations: { GET, POST: createAs(compatibility, post) },
  };
}

function certificate(parts: CollectionParts, place: CertificateCollection): Resource {
  const { client } = parts;
  const GET: Operation = {
    async handle({ parameters: { id = '' } }) {
      const published = await asRedfish({ id }, () => client.get(place.endpoint, id));
      return viewReply(parts, place, published, 200);
    },
  };
  const remove: Operation = {
    async handle({ parameters: { id = '' }, identity }) {
      const { endpoint } = place;
      await asRedfish({ id }, () => {
        client.get(endpoint, id);
        return withLockoutGuard(parts, identity, { endpoint, gone: id }, () =>
          client.delete(endpoint, id),
        );
      });
      return { status: 204 };
    },
  };
  const operations = place.canDelete ? { GET, DELETE: remove } : { GET };
  return { path: `${place.uri}/:id`, entity: 'Certificate', operations };
}

/** As bmcweb, every answer with a certificate says where it is. */
function viewReply(
  parts: CollectionParts,
  place: CertificateCollection,
  published: Parameters<typeof certificateView>[2],
  status: number,
): Reply {
  const body = certificateView(parts, place, published);
  return { status, body, headers: { Location: body['@odata.id'] } };
}
