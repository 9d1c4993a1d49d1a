import { addCertificates, deleteCertificate } from '../certificates/changes.ts';
import type { CertificateCollection } from '../certificates/collections.ts';
import { asRedfish } from '../certificates/errors.ts';
import { additionInfo } from '../certificates/findings.ts';
import { type Place, type PlaceParts, placesOf } from '../certificates/places.ts';
import type { ServedCertificate } from '../certificates/served.ts';
import { submittedContent } from '../certificates/submitted.ts';
import { certificateView, type ViewParts } from '../certificates/view.ts';
import { type Compatibility, createAs } from '../compatibility.ts';
import { unavailable } from '../messages/redfish-error.ts';
import { type OemViewParts, oemOfCollection } from '../oem/collection-view.ts';
import {
  collectionView,
  creatable,
  get,
  type Operation,
  type Reply,
  type RequestContext,
  type Resource,
} from '../resource.ts';
import { replaceAllResource } from './oem-actions.ts';
import { type SuccessorParts, successorResources } from './rekey-renew.ts';
import type { ReplacementParts } from './staged-replacements.ts';

interface CollectionParts extends ViewParts, ReplacementParts, OemViewParts, PlaceParts {
  readonly compatibility: Compatibility;
  readonly served: ServedCertificate;
}

/** Every CertificateCollection with its Certificates (DSP2046). */
export function certificateCollections(
  parts: CollectionParts & SuccessorParts,
): readonly Resource[] {
  return placesOf(parts).flatMap((place) => [
    ...collectionResources(parts, place),
    certificateResource(parts, place),
    ...(place.makesRequests ? successorResources(parts, place) : []),
  ]);
}

function collectionResources(parts: CollectionParts, place: Place): readonly Resource[] {
  const { client, compatibility } = parts;
  const view = async (context: RequestContext) => {
    const collection = place.at(context);
    const members = await asRedfish({}, () => client.list(collection.endpoint));
    return {
      ...collectionView(
        collection.uri,
        'CertificateCollection',
        [collection.collectionName, collection.collectionDescription],
        members.map(({ id }) => `${collection.uri}/${id}`),
      ),
      ...(await asRedfish({}, () => oemOfCollection(parts, collection))),
    };
  };
  const post: Operation = {
    upload: true,
    async handle(context) {
      const { body, identity } = context;
      const collection = place.at(context);
      const { content, isRaw } = submittedContent(body, collection);
      const occupied = place.type === 'authority' ? {} : { occupied: `${collection.uri}/1` };
      const added = await asRedfish({ ...occupied, isRaw }, () =>
        addCertificates(parts, identity, collection, content),
      );
      const [first] = added;
      // Another client may have removed them all by now
      if (!first) throw unavailable(5);
      await parts.served.refresh();
      const reply = viewReply(parts, collection, first, 201);
      return {
        ...reply,
        body: { ...reply.body, ...additionInfo(parts, collection, added) },
      };
    },
  };
  // Requests are asked of the manager each time
  const version = place.makesRequests ? {} : { version: () => client.version };
  const GET = { ...get(view), ...version };
  return [
    ...creatable(
      { path: place.path, entity: 'CertificateCollection', operations: { GET } },
      createAs(compatibility, post),
    ),
    ...(place.type === 'authority' ? [replaceAllResource(parts, place, view)] : []),
  ];
}

function certificateResource(parts: CollectionParts, place: Place): Resource {
  const { client, served, now } = parts;
  const GET: Operation = {
    version() {
      const shown = place.type === 'server' ? served.version() : 0;
      // Whether it has begun or ended changes with a second
      return shown === undefined
        ? undefined
        : `${client.version} ${shown} ${Math.floor(now() / 1000)}`;
    },
    async handle(context) {
      const { id = '' } = context.parameters;
      const collection = place.at(context);
      const published = await asRedfish({ id }, () => client.get(collection.endpoint, id));
      return viewReply(parts, collection, published, 200);
    },
  };
  const remove: Operation = {
    async handle(context) {
      const { id = '' } = context.parameters;
      const collection = place.at(context);
      await asRedfish({ id }, () => deleteCertificate(parts, context.identity, collection, id));
      return { status: 204 };
    },
  };
  const operations = place.canDelete ? { GET, DELETE: remove } : { GET };
  return { path: `${place.path}/:id`, entity: 'Certificate', operations };
}

/** As bmcweb, every answer with a certificate says where it is. */
function viewReply(
  parts: CollectionParts,
  collection: CertificateCollection,
  published: Parameters<typeof certificateView>[2],
  status: number,
): Reply {
  const body = certificateView(parts, collection, published);
  return { status, body, headers: { Location: body['@odata.id'] } };
}
