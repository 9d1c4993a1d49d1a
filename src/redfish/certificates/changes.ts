import type { Identity } from '../../identity/identity.ts';
import type {
  CertificateClient,
  EndpointRef,
  PublishedCertificate,
} from '../../manager/certificate-client.ts';
import type { Content } from '../../x509/containers.ts';
import type { ContentLimits } from '../../x509/limits.ts';
import type { Access } from '../access.ts';
import { memberError, RedfishError } from '../messages/redfish-error.ts';
import type { CertificateCollection } from './collections.ts';
import { admit, type Submission } from './submitted.ts';

/** What makes a change of certificates. */
export interface ChangeParts {
  readonly client: CertificateClient;
  readonly access: Pick<Access, 'certificates'>;
  readonly contentLimits: ContentLimits;
}

/** What a request is about to do to the certificates of an endpoint. */
interface ListChange {
  readonly endpoint: EndpointRef;
  /** Id of the certificate that is taken out. */
  readonly removes?: string;
  readonly adds?: Submission;
}

/**
 * Installs a certificate, or puts it in the place of another one.
 * @throws RedfishError 409, CertError
 */
export async function putCertificate(
  parts: ChangeParts,
  identity: Identity | undefined,
  collection: CertificateCollection,
  content: Content,
  removes?: string,
): Promise<PublishedCertificate> {
  const { client, contentLimits } = parts;
  const { endpoint } = collection;
  if (removes !== undefined) client.get(endpoint, removes);
  const adds = admit(collection, content, contentLimits);
  const change = { endpoint, adds, ...(removes !== undefined && { removes }) };
  return withLockoutGuard(parts, identity, change, () =>
    removes === undefined
      ? client.install(endpoint, adds.content)
      : client.replace(endpoint, removes, adds.content),
  );
}

/** @throws RedfishError 409, CertError */
export async function deleteCertificate(
  parts: ChangeParts,
  identity: Identity | undefined,
  { endpoint }: CertificateCollection,
  removes: string,
): Promise<void> {
  parts.client.get(endpoint, removes);
  await withLockoutGuard(parts, identity, { endpoint, removes }, () =>
    parts.client.delete(endpoint, removes),
  );
}

/**
 * Makes a change of certificates. Where only clients with certificates are served, one of the lists of
 * trusted and revoked certificates that would refuse the very client that asks for it is not made, so that
 * one client stays able to log in. The settings stay as they are in between.
 * @throws RedfishError 409, and CertError for what is added
 */
async function withLockoutGuard<T>(
  { access: { certificates } }: ChangeParts,
  identity: Identity | undefined,
  { endpoint, removes, adds }: ListChange,
  change: () => Promise<T>,
): Promise<T> {
  // Only authorities are in such a list, and only where clients log in with certificates
  if (!certificates || endpoint.type !== 'authority') return change();
  return certificates.settings.during(async ({ clientCertificates: { respond } }) => {
    if (respond) return change();
    const after = {
      endpoint,
      ...(removes !== undefined && { removes }),
      ...(adds && { adds: adds.certificates() }),
    };
    if (certificates.locksOut(after, identity?.shown)) throw lockout(adds !== undefined);
    return change();
  });
}

function lockout(isSubmitted: boolean): RedfishError {
  const detail =
    'Only clients with certificates are served, and after it the one of this client would not let it in';
  if (!isSubmitted)
    return new RedfishError(409, { id: 'ResourceCannotBeDeleted', args: [], detail });
  const name = 'CertificateString';
  return memberError(409, 'PropertyValueExternalConflict', [name, 'as submitted'], name, detail);
}
