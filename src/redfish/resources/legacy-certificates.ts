import type { CertificateClient } from '../../manager/certificate-client.ts';
import type { CertificateCollection } from '../certificates/collections.ts';
import { asRedfish } from '../certificates/errors.ts';
import { type LockoutParts, withLockoutGuard } from '../certificates/lockout-guard.ts';
import { admit, submittedContent } from '../certificates/submitted.ts';
import { RedfishError } from '../messages/redfish-error.ts';
import { json, type Operation, type Reply, type Resource } from '../resource.ts';

interface LegacyParts extends LockoutParts {
  readonly client: CertificateClient;
}

/**
 * The addresses of OpenBMC's REST service from before Redfish, which scripts still use:
 * `curl -X PUT -T cert.pem …/xyz/openbmc_project/certs/server/https`, and DELETE of a certificate.
 * PUT installs, or replaces the one certificate of a server or client.
 */
export function legacyCertificates(
  parts: LegacyParts & { readonly collections: readonly CertificateCollection[] },
): readonly Resource[] {
  return parts.collections
    .filter(({ canonical }) => canonical)
    .flatMap((collection): Resource[] => {
      const { type, name } = collection.endpoint;
      const path = `/xyz/openbmc_project/certs/${type}/${name}`;
      const remove = collection.canDelete ? { DELETE: deleteCertificate(parts, collection) } : {};
      return [
        {
          path,
          entity: 'CertificateCollection',
          operations: { PUT: putCertificate(parts, collection), ...(type === 'client' && remove) },
        },
        { path: `${path}/:id`, entity: 'Certificate', operations: remove },
      ];
    });
}

/** That service knew no status but 200, 400, 405 and 500 here; 405 was for what is not there, too. */
async function asLegacy(call: () => Promise<unknown>, id = ''): Promise<Reply> {
  try {
    await asRedfish({ id }, call);
    return done;
  } catch (error) {
    if (!(error instanceof RedfishError)) throw error;
    const status = { 404: 405, 409: 400, 503: 500 }[error.status] ?? error.status;
    throw new RedfishError(status, error.messages);
  }
}

/** The answers of that service: what is asked for, or nothing, and the status in words. */
const done = json({ data: null, message: '200 OK', status: 'ok' });

function putCertificate(parts: LegacyParts, collection: CertificateCollection): Operation {
  const { client } = parts;
  const { endpoint } = collection;
  return {
    upload: true,
    async handle({ body, identity }) {
      const { content } = submittedContent(body);
      return asLegacy(async () => {
        const adds = admit(collection, content);
        const [only] = client.list(endpoint);
        return only && endpoint.type !== 'authority'
          ? client.replace(endpoint, only.id, adds.content)
          : withLockoutGuard(parts, identity, { endpoint, adds }, () =>
              client.install(endpoint, adds.content),
            );
      });
    },
  };
}

function deleteCertificate(parts: LegacyParts, { endpoint }: CertificateCollection): Operation {
  const { client } = parts;
  return {
    async handle({ parameters: { id = '1' }, identity }) {
      return asLegacy(async () => {
        client.get(endpoint, id);
        await withLockoutGuard(parts, identity, { endpoint, removes: id }, () =>
          client.delete(endpoint, id),
        );
      }, id);
    },
  };
}
