import type { CertificateCollection } from '../certificates/collections.ts';
import { asRedfish } from '../certificates/errors.ts';
import { extendedInfo } from '../certificates/findings.ts';
import { withLockoutGuard } from '../certificates/lockout-guard.ts';
import { admit, submittedContent } from '../certificates/submitted.ts';
import { certificateView } from '../certificates/view.ts';
import { createAs } from '../compatibility.ts';
import { json, link, type Operation, type Reply, type Resource } from '../resource.ts';
import { typeOf } from '../schema-versions.ts';
import type { ResourceFactory, ServiceParts } from '../service-parts.ts';
import { successorResources } from './rekey-renew.ts';

/** Every CertificateCollection with its Certificates (DSP2046). */
export const certificateCollections: ResourceFactory = (parts) =>
  parts.places.flatMap((place) => [
    collection(parts, place),
    certificate(parts, place),
    ...(place.requestUsages ? successorResources(parts, place) : []),
  ]);

function collection(parts: ServiceParts, place: CertificateCollection): Resource {
  const { client, compatibility } = parts;
  const get: Operation = {
    async handle() {
      const members = await asRedfish({}, () => client.list(place.endpoint));
      return json({
        '@odata.id': place.uri,
        '@odata.type': typeOf('CertificateCollection'),
        Name: place.collectionName,
        Description: place.collectionDescription,
        Members: members.map(({ id }) => link(`${place.uri}/${id}`)),
        'Members@odata.count': members.length,
      });
    },
  };
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
    operations: { GET: get, POST: createAs(compatibility, post) },
  };
}

function certificate(parts: ServiceParts, place: CertificateCollection): Resource {
  const { client } = parts;
  const get: Operation = {
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
  const operations = place.canDelete ? { GET: get, DELETE: remove } : { GET: get };
  return { path: `${place.uri}/:id`, entity: 'Certificate', operations };
}

/** As bmcweb, every answer with a certificate says where it is. */
function viewReply(
  parts: ServiceParts,
  place: CertificateCollection,
  published: Parameters<typeof certificateView>[2],
  status: number,
): Reply {
  const body = certificateView(parts, place, published);
  return { status, body, headers: { Location: body['@odata.id'] } };
}
