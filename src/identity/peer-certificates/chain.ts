import { type Certificate, isIssuedBy, isSelfIssued } from '../../x509/certificate.ts';
import { weakness } from '../../x509/key-strength.ts';
import { isSameKey } from '../../x509/keys.ts';
import { sameName } from '../../x509/name.ts';
import { digestFault, usualSecurityLevel } from '../../x509/security-levels.ts';
import type { Refusal } from './refusal.ts';

/** Whom the service trusts and whom no more, as it is now. */
export interface TrustLists {
  readonly trusted: readonly Certificate[];
  readonly revoked: readonly Certificate[];
}

export interface PathLimits {
  /** Seconds since 1970. */
  readonly now: number;
  /** Certificates of a path, with the client's own and the root. */
  readonly maxCertificates: number;
}

/** Signatures that are verified for one path; chains of real PKIs need fewer than ten. */
const maxVerifications = 100;

/**
 * Looks again at a chain that OpenSSL accepted in the handshake: against the lists and the clock of this
 * moment, and against revocation. A client chooses which certificates it sends, and several may carry the
 * name and key of one CA, so the search tries every certificate that could have issued the one below it,
 * and takes a path that OpenSSL would accept (RFC 5280 §6.1).
 * @param shown what the handshake showed, the client's own certificate first
 * @returns a path from the client's certificate to a root of the truststore, or why there is none
 */
export function findPath(
  shown: readonly Certificate[],
  { trusted, revoked }: TrustLists,
  { now, maxCertificates }: PathLimits,
): readonly Certificate[] | Refusal {
  const [own] = shown;
  if (!own) return 'untrusted-issuer';
  if (shown.some((one) => isRevoked(one, revoked))) return 'revoked';
  const fault = dateFault(own, now);
  if (fault) return fault;
  const roots = trusted.filter(isRoot);
  const anchors = new Set(roots.map(({ fingerprint }) => fingerprint));
  const issuers = [...roots, ...trusted, ...shown];
  let verificationsLeft = maxVerifications;
  // Why the first certificate that issued another was not taken
  let reason: Refusal | undefined;

  const complete = (path: readonly Certificate[]): readonly Certificate[] | undefined => {
    const below = path.at(-1);
    if (!below || anchors.has(below.fingerprint)) return path;
    const tried = new Set(path.map(({ fingerprint }) => fingerprint));
    for (const issuer of issuers) {
      if (tried.has(issuer.fingerprint) || !below.x509.checkIssued(issuer.x509)) continue;
      tried.add(issuer.fingerprint);
      verificationsLeft -= 1;
      if (verificationsLeft < 0) return undefined;
      if (!isIssuedBy(below, issuer)) continue;
      const fault =
        path.length >= maxCertificates
          ? 'chain-too-long'
          : (revocationFault(issuer, revoked) ??
            dateFault(issuer, now) ??
            issuerFault(issuer, path, anchors.has(issuer.fingerprint)));
      const whole = fault ? undefined : complete([...path, issuer]);
      if (whole) return whole;
      reason ??= fault;
    }
    return undefined;
  };
  return (
    complete([own]) ?? reason ?? (verificationsLeft < 0 ? 'chain-too-long' : 'untrusted-issuer')
  );
}

/**
 * Whether a path has a CA certificate that restricts names and was not in the path of the handshake. Only
 * OpenSSL compares names with such restrictions, and only in a handshake.
 */
export function needsHandshake(
  path: readonly Certificate[],
  judged: readonly Certificate[],
): boolean {
  return path.some(
    (one, at) =>
      at > 0 &&
      one.restrictsNames &&
      !judged.some(({ fingerprint }) => fingerprint === one.fingerprint),
  );
}

/** OpenSSL takes a certificate for a trust anchor when it is self-issued and names no other key as its issuer's. */
function isRoot(one: Certificate): boolean {
  const { keyIdentifier, issuerKeyIdentifier } = one;
  const namesOtherKey =
    keyIdentifier !== undefined &&
    issuerKeyIdentifier !== undefined &&
    keyIdentifier !== issuerKeyIdentifier;
  return isSelfIssued(one) && !namesOtherKey;
}

function dateFault({ notAfter, notBefore }: Certificate, now: number): Refusal | undefined {
  if (notAfter < now) return 'expired';
  return notBefore > now ? 'not-yet-valid' : undefined;
}

function revocationFault(one: Certificate, revoked: readonly Certificate[]): Refusal | undefined {
  return isRevoked(one, revoked) ? 'revoked' : undefined;
}

/**
 * Why OpenSSL takes a certificate for no issuer at its place in the path: RFC 5280 §6.1.4 (k) to (o), the
 * purpose of TLS clients, and security level 2. That keyUsage allows to sign certificates is `checkIssued`'s.
 */
function issuerFault(
  issuer: Certificate,
  below: readonly Certificate[],
  isAnchor: boolean,
): Refusal | undefined {
  const { x509, isCa, pathLength, unknownCritical } = issuer;
  if (!isCa || x509.keyUsage?.includes(clientAuth) === false) return 'purpose';
  if (unknownCritical.length > 0) return 'rejected';
  const intermediates = below.slice(1).filter((one) => !isSelfIssued(one)).length;
  if (pathLength !== undefined && intermediates > pathLength) return 'chain-too-long';
  return strengthFault(issuer, isAnchor);
}

/**
 * Why OpenSSL would refuse a client's own certificate in a handshake: the purpose of TLS clients, extensions that it does
 * not know, and security level 2. `findPath` leaves this out, because its chains come from handshakes.
 */
export function ownFault(own: Certificate, isAnchor: boolean): Refusal | undefined {
  const { x509, usages, unknownCritical } = own;
  const signs = usages.bits?.some((bit) => bit === 'DigitalSignature' || bit === 'KeyAgreement');
  if (signs === false || x509.keyUsage?.includes(clientAuth) === false) return 'purpose';
  return unknownCritical.length > 0 ? 'rejected' : strengthFault(own, isAnchor);
}

function strengthFault(one: Certificate, isAnchor: boolean): Refusal | undefined {
  const fault =
    weakness(one.publicKey, Number.POSITIVE_INFINITY, usualSecurityLevel) ??
    (isAnchor ? undefined : digestFault(one, usualSecurityLevel));
  return fault === undefined ? undefined : 'weak-key';
}

/** id-kp-clientAuth; what Node calls `keyUsage` is the extended one, `undefined` where it is absent. */
const clientAuth = '1.3.6.1.5.5.7.3.2';

/**
 * RFC 5280 §5.3: issuer and serial number name a certificate; so do its bytes. A CA is a name and a key, so
 * another certificate for both of them, by whatever issuer, is as revoked as the certificate on the list.
 */
function isRevoked(one: Certificate, revoked: readonly Certificate[]): boolean {
  return revoked.some(
    (other) =>
      other.fingerprint === one.fingerprint ||
      (other.serialNumber === one.serialNumber && sameName(other.issuer, one.issuer)) ||
      (isAuthority(other) && isSameSubject(other, one)),
  );
}

/** Without basicConstraints OpenSSL takes a certificate for a CA that may sign certificates. */
function isAuthority({ isCa, keyUsage }: Certificate): boolean {
  return isCa || keyUsage.includes('KeyCertSign');
}

function isSameSubject(a: Certificate, b: Certificate): boolean {
  const isSameName = a.subjectHash === b.subjectHash || sameName(a.subject, b.subject);
  return isSameName && isSameKey(a.publicKey, b.publicKey);
}
