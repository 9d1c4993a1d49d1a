import type { Identity } from '../../identity/identity.ts';
import type { EndpointRef } from '../../manager/certificate-client.ts';
import { RedfishError } from '../messages/redfish-error.ts';
import type { ServiceParts } from '../service-parts.ts';
import type { Submission } from './submitted.ts';

/** What a request is about to do to the certificates of an endpoint. */
export interface ListChange {
  readonly endpoint: EndpointRef;
  /** Id of the certificate that goes. */
  readonly gone?: string;
  readonly comes?: Submission;
}

/**
 * Makes a change of certificates. Where only clients with certificates are served, one of the lists of
 * trusted and revoked certificates that would refuse the very client that asks for it is not made: so
 * nobody locks everybody out. The settings stay as they are in between.
 * @throws RedfishError 409, and CertError for what comes
 */
export async function withLockoutGuard<T>(
  { access: { certificates } }: Pick<ServiceParts, 'access'>,
  identity: Identity | undefined,
  { endpoint, gone, comes }: ListChange,
  change: () => Promise<T>,
): Promise<T> {
  // Only authorities are in such a list, and only where somebody looks into it
  if (!certificates || endpoint.type !== 'authority') return change();
  return certificates.settings.during(async ({ clientCertificates: { respond } }) => {
    if (respond) return change();
    const after = {
      endpoint,
      ...(gone !== undefined && { gone }),
      ...(comes && { comes: comes.certificates() }),
    };
    if (certificates.locksOut(after, identity?.shown)) throw lockout(comes !== undefined);
    return change();
  });
}

function lockout(isSubmitted: boolean): RedfishError {
  const detail =
    'Only clients with certificates are served, and after it the one of this client would not let it in';
  if (!isSubmitted)
    return new RedfishError(409, { id: 'ResourceCannotBeDeleted', args: [], detail });
  const related = ['#/CertificateString'];
  const args = ['CertificateString', 'as submitted'];
  return new RedfishError(409, { id: 'PropertyValueExternalConflict', args, detail, related });
}
