import {
  type Certificate,
  isSelfIssued,
  signatureFits,
  subjectText,
} from '../../x509/certificate.ts';
import { sameName } from '../../x509/name.ts';
import {
  isRollover,
  issuerSearch,
  maxVerifications,
  tooManyNamesakes,
} from './chain-signatures.ts';
import type { LeftOut } from './findings.ts';

/** What of a file goes into service with a leaf. */
export interface Chain {
  /** The path first, then cross-signed alternatives and their issuers. */
  readonly chain: readonly Certificate[];
  readonly leftOut: readonly LeftOut[];
  /**
   * Why the search is not to be trusted: a signature does not fit the issuer that its key identifiers name, or too
   * many would have to be tried.
   */
  readonly fault: string | undefined;
}

/**
 * Keeps every certificate that certifies the leaf or another that is kept, whatever its key identifiers say.
 * @param now seconds since 1970: of two certificates for one key the better one is first
 */
export function selectChain(
  leaf: Certificate,
  certificates: readonly Certificate[],
  now: number,
): Chain {
  const others = without(certificates, leaf);
  let fault: string | undefined;
  const issuersOf = issuersAmong([leaf, ...others], now, (found) => {
    fault ??= found;
  });
  const path = [leaf];
  const alternatives: Certificate[] = [];
  const kept = new Set<Certificate>(path);
  // A path that branches is followed first to its end
  for (let last: Certificate | undefined = leaf; last; ) {
    const [best, ...rest]: Certificate[] = issuersOf(last).filter((issuer) => !kept.has(issuer));
    for (const issuer of [best, ...rest]) if (issuer) kept.add(issuer);
    if (best) path.push(best);
    alternatives.push(...rest);
    last = best;
  }
  // The list grows while it is walked
  for (const alternative of alternatives) {
    for (const issuer of issuersOf(alternative)) {
      if (!kept.has(issuer)) alternatives.push(issuer);
      kept.add(issuer);
    }
  }
  return {
    chain: [...path.slice(1), ...alternatives],
    leftOut: others
      .filter((one) => !kept.has(one))
      .map((one) => ({ subject: subjectText(one), reason: reasonFor(one, [...kept]) })),
    fault,
  };
}

/** Each other certificate once. */
function without(certificates: readonly Certificate[], leaf: Certificate): readonly Certificate[] {
  const rest = new Map(certificates.map((one) => [one.fingerprint, one]));
  rest.delete(leaf.fingerprint);
  return [...rest.values()];
}

/** @returns what certifies a certificate of a file, the best one first; itself is none of them */
function issuersAmong(file: readonly Certificate[], now: number, report: (fault: string) => void) {
  const candidatesOf = issuerSearch(file);
  let left = maxVerifications(file.length);
  return (certificate: Certificate): Certificate[] => {
    const candidates = [...candidatesOf(certificate)];
    const tried = candidates.slice(0, left);
    left -= tried.length;
    if (tried.length < candidates.length) report(tooManyNamesakes);
    const found = tried.filter((candidate) => signatureFits(certificate, candidate));
    if (found.length === 0 && candidates.some((one) => isNamedBy(certificate, one))) {
      const isAlone = candidates.every((one) => one === certificate);
      const issuer = isAlone
        ? 'is not by its own key, though it has the name of its issuer, whose certificate is not in the file'
        : 'does not fit the issuer in the same file';
      report(`the signature of the certificate ${subjectText(certificate)} ${issuer}`);
    }
    return found.filter((one) => one !== certificate).sort((a, b) => rank(b, now) - rank(a, now));
  };
}

/** Whether a certificate says that this one signed it; without key identifiers its name alone says so. */
function isNamedBy(certificate: Certificate, issuer: Certificate): boolean {
  if (certificate === issuer) return !isRollover(certificate);
  const { issuerKeyIdentifier } = certificate;
  const { keyIdentifier } = issuer;
  if (isSelfIssued(certificate) && issuerKeyIdentifier === undefined) return false;
  if (issuerKeyIdentifier === undefined || keyIdentifier === undefined) return true;
  return issuerKeyIdentifier === keyIdentifier;
}

/** A valid one before another, then a self-signed one, which ends the path, then what is valid longer. */
function rank(certificate: Certificate, now: number): number {
  const { notBefore, notAfter } = certificate;
  const isValid = notBefore <= now && now <= notAfter;
  // More than all seconds until the year 9999
  return (isValid ? 2e12 : 0) + (isSelfIssued(certificate) ? 1e12 : 0) + notAfter;
}

function reasonFor(stranger: Certificate, kept: readonly Certificate[]): string {
  return kept.some(({ issuer }) => sameName(issuer, stranger.subject))
    ? 'it has the name of an issuer of the chain, but did not sign there'
    : 'it certifies no certificate of the chain';
}
