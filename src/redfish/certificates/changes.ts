import { CertError } from '../../core/cert-error.ts';
import type { Identity } from '../../identity/identity.ts';
import type { WatchedAdministration } from '../../manager/administration.ts';
import type {
  CertificateClient,
  EndpointRef,
  PublishedCertificate,
} from '../../manager/certificate-client.ts';
import type { Content } from '../../x509/containers.ts';
import type { Access } from '../access.ts';
import { memberError, RedfishError } from '../messages/redfish-error.ts';
import type { CertificateCollection } from './collections.ts';
import { admit, type Submission, type SubmissionParts } from './submitted.ts';

/** What makes a change of certificates. */
export interface ChangeParts extends SubmissionParts {
  readonly client: CertificateClient;
  readonly access: Pick<Access, 'audit' | 'certificates'>;
}

/** What a request is about to do to the certificates of an endpoint. */
export interface ListChange {
  readonly endpoint: EndpointRef;
  /** Ids of the certificates that are taken out. */
  readonly removes?: readonly string[];
  readonly adds?: Pick<Submission, 'certificates'>;
}

/** What makes additions, several at once too. */
export interface AdditionParts extends ChangeParts {
  readonly administration: Pick<WatchedAdministration, 'add'>;
}

const refuseLockout = () =>
  lockout('PropertyValueExternalConflict', 'CertificateString', 'as submitted');

/**
 * Puts a certificate into an endpoint; into a truststore any number of authorities, all or none.
 * @returns those that are new
 * @throws RedfishError 409, CertError
 */
export async function addCertificates(
  parts: AdditionParts,
  identity: Identity | undefined,
  collection: CertificateCollection,
  content: Content,
): Promise<readonly PublishedCertificate[]> {
  const { access, client, administration } = parts;
  const { endpoint } = collection;
  const adds = await admit(collection, content, parts, identity);
  const guarded = { changes: [{ endpoint, adds }], refused: refuseLockout };
  const added = await withLockoutGuard(parts, identity, guarded, async () =>
    adds.isBundle
      ? administration.add(endpoint, adds.content)
      : [await client.install(endpoint, adds.content)],
  );
  if (adds.isBundle) access.audit.tell({ certificates: added.length });
  return added;
}

/**
 * Puts a certificate in the place of another one.
 * @throws RedfishError 409; CertError `too-many-certificates`, and what the manager refuses it with
 */
export async function replaceCertificate(
  parts: ChangeParts,
  identity: Identity | undefined,
  { collection, id, content }: Replacing,
): Promise<PublishedCertificate> {
  const { client } = parts;
  const { endpoint } = collection;
  client.get(endpoint, id);
  const adds = await admit(collection, content, parts, identity);
  if (adds.isBundle && content.format !== 'PKCS12') {
    throw new CertError(
      'too-many-certificates',
      'there are several certificates where one authority takes the place of another; POST them to the collection',
    );
  }
  const change = { endpoint, adds, removes: [id] };
  return withLockoutGuard(parts, identity, { changes: [change], refused: refuseLockout }, () =>
    client.replace(endpoint, id, adds.content),
  );
}

/** What takes the place of which certificate. */
interface Replacing {
  readonly collection: CertificateCollection;
  readonly id: string;
  readonly content: Content;
}

/** @throws RedfishError 409, CertError */
export async function deleteCertificate(
  parts: ChangeParts,
  identity: Identity | undefined,
  { endpoint }: CertificateCollection,
  removes: string,
): Promise<void> {
  parts.client.get(endpoint, removes);
  const changes = [{ endpoint, removes: [removes] }];
  const refused = () =>
    new RedfishError(409, { id: 'ResourceCannotBeDeleted', args: [], detail: lockoutDetail });
  await withLockoutGuard(parts, identity, { changes, refused }, () =>
    parts.client.delete(endpoint, removes),
  );
}

/** Lists that change, and what a client is answered whom the change would lock out. */
interface GuardedChange {
  readonly changes: readonly ListChange[];
  readonly refused: () => RedfishError;
}

/**
 * Makes a change of certificates. Where only clients with certificates are served, one of the lists of
 * trusted and revoked certificates that would refuse the very client that asks for it is not made, so that
 * one client stays able to log in. The settings stay as they are in between.
 * @throws RedfishError 409, and CertError for what is added
 */
export async function withLockoutGuard<T>(
  { access: { certificates } }: Pick<ChangeParts, 'access'>,
  identity: Identity | undefined,
  { changes, refused }: GuardedChange,
  change: () => Promise<T>,
): Promise<T> {
  // Only authorities are in such a list, and only where clients log in with certificates
  const lists = changes.filter(({ endpoint }) => endpoint.type === 'authority');
  if (!certificates || lists.length === 0) return change();
  return certificates.settings.during(async ({ clientCertificates: { respond } }) => {
    if (respond) return change();
    for (const { adds, ...list } of lists) {
      const after = { ...list, ...(adds && { adds: await adds.certificates() }) };
      if (certificates.locksOut(after, identity?.shown)) throw refused();
    }
    return change();
  });
}

const lockoutDetail =
  'Only clients with certificates are served, and after it the one of this client would not let it in';

/** 409 for a member of a body that would lock its sender out. */
export function lockout(
  id: 'PropertyValueExternalConflict' | 'ActionParameterValueConflict',
  name: string,
  value: string,
): RedfishError {
  return memberError(409, id, [name, value], name, lockoutDetail);
}
