import {
  type Certificate,
  isIssuedBy,
  isSelfIssued,
  readCertificate,
  subjectText,
} from './certificate.ts';
import type { ContentLimits } from './limits.ts';

export interface PathSearch {
  readonly anchors: readonly Certificate[];
  /** Candidates for intermediate certificates, which are not trusted. */
  readonly helpers: readonly Certificate[];
  /** Seconds since 1970. */
  readonly now: number;
}

/** Signatures that are verified for one path; those of real PKIs need fewer than ten. */
const maxVerifications = 50;

/**
 * The path from a certificate to an anchor, both included (RFC 5280 §6.1).
 * @returns why there is none, as a clause
 */
export function findPath(
  leaf: Certificate,
  { anchors, helpers, now }: PathSearch,
): readonly Certificate[] | string {
  const trusted = new Set(anchors.map(({ fingerprint }) => fingerprint));
  let left = maxVerifications;
  let reason: string | undefined;
  const complete = (path: readonly Certificate[]): readonly Certificate[] | undefined => {
    const below = path.at(-1);
    if (!below || trusted.has(below.fingerprint)) return path;
    for (const issuer of [...anchors, ...helpers]) {
      const isUsed = path.some(({ fingerprint }) => fingerprint === issuer.fingerprint);
      if (isUsed || !below.x509.checkIssued(issuer.x509)) continue;
      left -= 1;
      if (left < 0) return undefined;
      if (!isIssuedBy(below, issuer)) continue;
      const fault = issuerFault(issuer, path, trusted.has(issuer.fingerprint), now);
      const whole = fault === undefined ? complete([...path, issuer]) : undefined;
      if (whole) return whole;
      reason ??= fault;
    }
    return undefined;
  };
  const own = signatureFault(leaf);
  if (own !== undefined && !trusted.has(leaf.fingerprint)) return own;
  return complete([leaf]) ?? reason ?? 'no trusted CA is above it';
}

/** The certificates that came with a message; one that cannot be read is left out. */
export function readCandidates(ders: readonly Buffer[], content: ContentLimits): Certificate[] {
  return ders.slice(0, maxVerifications).flatMap((der) => {
    try {
      return [readCertificate(der, content)];
    } catch {
      return [];
    }
  });
}

function issuerFault(
  issuer: Certificate,
  below: readonly Certificate[],
  isAnchor: boolean,
  now: number,
): string | undefined {
  const name = subjectText(issuer);
  if (now < issuer.notBefore || now > issuer.notAfter) return `its issuer ${name} is not valid now`;
  if (!issuer.isCa) return `its issuer ${name} is no CA`;
  if (issuer.usages.bits?.includes('KeyCertSign') === false)
    return `its issuer ${name} may not sign certificates`;
  const intermediates = below.slice(1).filter((one) => !isSelfIssued(one)).length;
  if (issuer.pathLength !== undefined && intermediates > issuer.pathLength)
    return `there are more CAs below ${name} than that CA allows`;
  if (isAnchor) return undefined;
  if (issuer.unknownCritical.length > 0)
    return `its issuer ${name} has unknown critical extensions`;
  // What is not compared with the names must not be passed over
  if (issuer.restrictsNames) return `its issuer ${name} restricts names`;
  return signatureFault(issuer);
}

/** SHA-1 has 63 bits against collisions, MD5 fewer. */
function signatureFault({ signatureBits }: Certificate): string | undefined {
  return (signatureBits ?? 0) < 80 ? 'its signature is too weak, or of an unknown kind' : undefined;
}
