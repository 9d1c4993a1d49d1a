import { namedAuthorities } from '../../identity/peer-certificates/trust.ts';
import { type Certificate, isIssuedBy, isSelfIssued, subjectText } from '../../x509/certificate.ts';
import { StatusError } from '../rpc/status.ts';

/** A client chooses what it sends, and each signature takes time. */
const maxVerifications = 100;

/** id-kp-serverAuth; what Node calls `keyUsage` is the extended one, `undefined` where it is absent. */
const serverAuth = '1.3.6.1.5.5.7.3.1';

/**
 * Whether a path leads from a certificate to a root, through CAs that are valid now (RFC 5280 §6.1).
 * @param others that may be in between
 * @param now seconds since 1970
 */
export function isVerified(
  certificate: Certificate,
  others: readonly Certificate[],
  roots: readonly Certificate[],
  now: number,
): boolean {
  const anchors = new Set(roots.filter(isSelfIssued).map(({ fingerprint }) => fingerprint));
  const issuers = [...roots, ...others];
  let left = maxVerifications;
  const leadsToRoot = (below: Certificate, path: readonly Certificate[]): boolean => {
    if (anchors.has(below.fingerprint)) return true;
    return issuers.some((issuer) => {
      if (path.includes(issuer) || !below.x509.checkIssued(issuer.x509)) return false;
      left -= 1;
      if (left < 0 || !mayIssue(issuer, path, now) || !isIssuedBy(below, issuer)) return false;
      return leadsToRoot(issuer, [...path, issuer]);
    });
  };
  return leadsToRoot(certificate, [certificate]);
}

function mayIssue(
  { isCa, pathLength, notBefore, notAfter, x509 }: Certificate,
  path: readonly Certificate[],
  now: number,
): boolean {
  const intermediates = path.slice(1).filter((one) => !isSelfIssued(one)).length;
  return (
    isCa &&
    notBefore <= now &&
    now <= notAfter &&
    x509.keyUsage?.includes(serverAuth) !== false &&
    (pathLength === undefined || intermediates <= pathLength)
  );
}

/**
 * Whether a bundle can verify clients in the handshakes of this service.
 * @param nameBytes of the names of all CAs, which each client is told in the handshake
 * @throws StatusError that says why it cannot
 */
export function checkBundle(
  authorities: readonly Certificate[],
  nameBytes: number,
  now: number,
): void {
  const seen = new Set<string>();
  for (const authority of authorities) {
    const name = subjectText(authority);
    if (!authority.isCa) throw new StatusError('INVALID_ARGUMENT', `${name} is no CA`);
    if (seen.has(authority.fingerprint))
      throw new StatusError('INVALID_ARGUMENT', `${name} is in the bundle twice`);
    seen.add(authority.fingerprint);
    // Node verifies no client whose path does not end at a self-signed certificate
    if (!isSelfIssued(authority) && !isVerified(authority, [], authorities, now))
      throw new StatusError('FAILED_PRECONDITION', `the root of ${name} is not in the bundle`);
  }
  if (namedAuthorities(authorities, nameBytes).length < authorities.length)
    throw new StatusError(
      'RESOURCE_EXHAUSTED',
      'the names of the CAs are too long for the TLS handshake',
    );
}
