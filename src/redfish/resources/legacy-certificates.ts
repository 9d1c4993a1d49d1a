import {
  type AdditionParts,
  addCertificates,
  deleteCertificate,
  replaceCertificate,
} from '../certificates/changes.ts';
import type { CertificateCollection } from '../certificates/collections.ts';
import { asRedfish } from '../certificates/errors.ts';
import { submittedContent } from '../certificates/submitted.ts';
import { RedfishError } from '../messages/redfish-error.ts';
import { json, type Operation, type Reply, type Resource } from '../resource.ts';

/**
 * The addresses of OpenBMC's REST service from before Redfish, which scripts still use:
 * `curl -X PUT -T cert.pem …/xyz/openbmc_project/certs/server/https`, and DELETE of `…/server/https/1`, where another
 * certificate takes its place at once. PUT installs, or replaces the one certificate of a server or client.
 */
export function legacyCertificates(
  parts: AdditionParts & { readonly collections: () => readonly CertificateCollection[] },
): readonly Resource[] {
  return parts
    .collections()
    .filter(({ canonical, isOfRunTime }) => canonical && !isOfRunTime)
    .flatMap((collection): Resource[] => {
      const { endpoint, alias } = collection;
      const PUT = putOperation(parts, collection);
      const DELETE = deleteOperation(parts, collection);
      return [endpoint.name, ...(alias === undefined ? [] : [alias])].flatMap((name) => {
        const path = `/xyz/openbmc_project/certs/${endpoint.type}/${name}`;
        return [
          { path, entity: 'CertificateCollection', operations: { PUT } },
          { path: `${path}/:id`, entity: 'Certificate', operations: { DELETE } },
        ];
      });
    });
}

/** That service knew no status but 200, 400, 405 and 500 here; 405 was for what is not there, too. */
async function asLegacy(call: () => Promise<unknown>, id = ''): Promise<Reply> {
  try {
    await asRedfish({ id }, call);
    return done;
  } catch (error) {
    if (!(error instanceof RedfishError)) throw error;
    const status = { 403: 500, 404: 405, 409: 400, 503: 500 }[error.status] ?? error.status;
    throw new RedfishError(status, error.messages);
  }
}

/** The answers of that service: what is asked for, or nothing, and the status in words. */
const done = json({ data: null, message: '200 OK', status: 'ok' });

function putOperation(parts: AdditionParts, collection: CertificateCollection): Operation {
  const { client } = parts;
  const { endpoint } = collection;
  return {
    upload: true,
    async handle({ body, identity }) {
      const { content } = submittedContent(body, collection);
      return asLegacy(async () => {
        const [only] = endpoint.type === 'authority' ? [] : client.list(endpoint);
        return only
          ? replaceCertificate(parts, identity, { collection, id: only.id, content })
          : addCertificates(parts, identity, collection, content);
      });
    },
  };
}

function deleteOperation(parts: AdditionParts, collection: CertificateCollection): Operation {
  return {
    async handle({ parameters: { id = '' }, identity }) {
      return asLegacy(() => deleteCertificate(parts, identity, collection, id), id);
    },
  };
}
