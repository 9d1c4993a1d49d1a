import { type Certificate, isIssuedBy, isSelfIssued } from '../../manager/x509/certificate.ts';
import { nameKey } from '../../manager/x509/name.ts';
import type { Refusal } from './refusal.ts';

/** Whom the service trusts and whom no more, as it is now. */
export interface TrustLists {
  readonly trusted: readonly Certificate[];
  readonly revoked: readonly Certificate[];
}

/**
 * Looks again at a chain that OpenSSL accepted in the handshake: against the lists and the clock of this
 * moment, which may have changed since, and against revocation. The order in which Node shows the
 * certificates is the client's, which could hide one behind another of the same name, so each step
 * counts only with its signature.
 * @param shown what the handshake showed, the client's own certificate first
 * @param now seconds since 1970
 */
export function judgeChain(
  shown: readonly Certificate[],
  { trusted, revoked }: TrustLists,
  now: number,
  most: number,
): Refusal | undefined {
  if (shown.some((one) => isAmong(one, revoked))) return 'revoked';
  const path = findPath(shown, trusted, most);
  if (typeof path === 'string') return path;
  if (path.some((one) => isAmong(one, revoked))) return 'revoked';
  if (path.some(({ notAfter }) => notAfter < now)) return 'expired';
  if (path.some(({ notBefore }) => notBefore > now)) return 'early';
  return undefined;
}

/** From the client's own certificate up to a root in the truststore, as `openssl verify -CApath` goes. */
function findPath(
  shown: readonly Certificate[],
  trusted: readonly Certificate[],
  most: number,
): Certificate[] | Refusal {
  const roots = trusted.filter(isSelfIssued);
  const isRoot = (one: Certificate) =>
    roots.some(({ fingerprint }) => fingerprint === one.fingerprint);
  const path = shown.slice(0, 1);
  for (let last = path[0]; last; last = path.at(-1)) {
    if (isRoot(last)) return path;
    if (path.length >= most) return 'long';
    const below = last;
    const next = [...roots, ...shown, ...trusted].find(
      (one) => !path.includes(one) && isIssuedBy(below, one),
    );
    if (!next) return 'authority';
    path.push(next);
  }
  return 'authority';
}

/** RFC 5280 §5.3: issuer and serial number name a certificate; so do its bytes. */
function isAmong(one: Certificate, list: readonly Certificate[]): boolean {
  return list.some(
    (other) =>
      other.fingerprint === one.fingerprint ||
      (other.serialNumber === one.serialNumber && sameIssuer(other, one)),
  );
}

function sameIssuer(a: Certificate, b: Certificate): boolean {
  return nameKey(a.issuer) === nameKey(b.issuer);
}
