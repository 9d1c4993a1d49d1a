import { deleteCertificate, putCertificate } from '../certificates/changes.ts';
import type { CertificateCollection } from '../certificates/collections.ts';
import { asRedfish } from '../certificates/errors.ts';
import { extendedInfo } from '../certificates/findings.ts';
import type { ServedCertificate } from '../certificates/served.ts';
import { submittedContent } from '../certificates/submitted.ts';
import { certificateView, type ViewParts } from '../certificates/view.ts';
import { type Compatibility, createAs } from '../compatibility.ts';
import { type OemViewParts, oemOfCollection } from '../oem/collection-view.ts';
import {
  collectionView,
  creatable,
  get,
  type Operation,
  type Reply,
  type Resource,
} from '../resource.ts';
import { replaceAllResource } from './oem-actions.ts';
import { type SuccessorParts, successorResources } from './rekey-renew.ts';
import type { ReplacementParts } from './staged-replacements.ts';

interface CollectionParts extends ViewParts, ReplacementParts, OemViewParts {
  readonly compatibility: Compatibility;
  readonly served: ServedCertificate;
}

/** Every CertificateCollection with its Certificates (DSP2046). */
export function certificateCollections(
  parts: CollectionParts & SuccessorParts,
): readonly Resource[] {
  return parts.collections.flatMap((collection) => [
    ...collectionResources(parts, collection),
    certificateResource(parts, collection),
    ...(collection.requestUsages ? successorResources(parts, collection) : []),
  ]);
}

function collectionResources(
  parts: CollectionParts,
  collection: CertificateCollection,
): readonly Resource[] {
  const { client, compatibility } = parts;
  const view = async () => {
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
    async handle({ body, identity }) {
      const { content, isRaw } = submittedContent(body);
      const occupied =
        collection.endpoint.type === 'authority' ? {} : { occupied: `${collection.uri}/1` };
      const published = await asRedfish({ ...occupied, isRaw }, () =>
        putCertificate(parts, identity, collection, content),
      );
      await parts.served.refresh();
      const reply = viewReply(parts, collection, published, 201);
      return {
        ...reply,
        body: { ...reply.body, ...extendedInfo(parts.client, collection.endpoint, [published]) },
      };
    },
  };
  const GET = get(view);
  return [
    ...creatable(
      { path: collection.uri, entity: 'CertificateCollection', operations: { GET } },
      createAs(compatibility, post),
    ),
    ...(collection.endpoint.type === 'authority'
      ? [replaceAllResource(parts, collection, view)]
      : []),
  ];
}

function certificateResource(parts: CollectionParts, collection: CertificateCollection): Resource {
  const { client } = parts;
  const GET: Operation = {
    async handle({ parameters: { id = '' } }) {
      const published = await asRedfish({ id }, () => client.get(collection.endpoint, id));
      return viewReply(parts, collection, published, 200);
    },
  };
  const remove: Operation = {
    async handle({ parameters: { id = '' }, identity }) {
      await asRedfish({ id }, () => deleteCertificate(parts, identity, collection, id));
      return { status: 204 };
    },
  };
  const operations = collection.canDelete ? { GET, DELETE: remove } : { GET };
  return { path: `${collection.uri}/:id`, entity: 'Certificate', operations };
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
