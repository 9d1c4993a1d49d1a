import { validateCertificateCreate } from '../../../schemas/generated/validators.js';
import { pemContent } from '../../manager/x509/containers.ts';
import { asRedfish } from '../certificates/errors.ts';
import type { CertificatePlace } from '../certificates/places.ts';
import { certificateView } from '../certificates/view.ts';
import type { RequestBody } from '../http/request-body.ts';
import { RedfishError } from '../messages/redfish-error.ts';
import {
  json,
  link,
  type Operation,
  type Reply,
  type Resource,
  type ResourceFactory,
  type ServiceParts,
} from '../resource.ts';
import { typeOf } from '../schema-versions.ts';

/** Every CertificateCollection with its Certificates (DSP2046). */
export const certificateCollections: ResourceFactory = (parts) =>
  parts.places.flatMap((place) => [collection(parts, place), certificate(parts, place)]);

function collection({ client }: ServiceParts, place: CertificatePlace): Resource {
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
    async handle({ body }) {
      const pem = submittedPem(body);
      const published = await asRedfish({}, () => client.install(place.endpoint, pemContent(pem)));
      return viewReply(place, published, 201);
    },
  };
  const operations = place.canCreate ? { GET: get, POST: post } : { GET: get };
  return { path: place.uri, entity: 'CertificateCollection', operations };
}

function certificate({ client }: ServiceParts, place: CertificatePlace): Resource {
  const get: Operation = {
    async handle({ parameters: { id = '' } }) {
      return viewReply(place, await asRedfish({ id }, () => client.get(place.endpoint, id)), 200);
    },
  };
  const remove: Operation = {
    async handle({ parameters: { id = '' } }) {
      await asRedfish({ id }, () => {
        client.get(place.endpoint, id);
        return client.delete(place.endpoint, id);
      });
      return { status: 204 };
    },
  };
  const operations = place.canDelete ? { GET: get, DELETE: remove } : { GET: get };
  return { path: `${place.uri}/:id`, entity: 'Certificate', operations };
}

function viewReply(
  place: CertificatePlace,
  published: Parameters<typeof certificateView>[1],
  status: number,
): Reply {
  const body = certificateView(place, published);
  return { status, body, headers: { Location: body['@odata.id'] } };
}

/**
 * The certificate of a POST. Clients send JSON as Redfish has it, or the file as it is, either under any
 * content type; no PEM file begins with a brace.
 */
function submittedPem(body: RequestBody): string {
  if (/^\s*\{/.test(body.text)) return body.parse(validateCertificateCreate).CertificateString;
  if (body.text.trim() === '') {
    throw new RedfishError(400, {
      id: 'UnrecognizedRequestBody',
      args: [],
      detail: 'file-empty: the body holds no certificate',
    });
  }
  return body.text;
}
