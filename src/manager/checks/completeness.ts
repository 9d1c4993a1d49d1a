import { type Certificate, isIssuedBy, isSelfIssued, subjectText } from '../../x509/certificate.ts';
import { isRollover } from './chain-signatures.ts';

/** What is wrong, and what an administrator does about it. */
export interface Advice {
  readonly text: string;
  readonly next: string;
}

/**
 * Whether a server sends what its clients need besides their roots (RFC 8446 §4.4.2). Where the device does not know
 * the issuer, a client may: then it is a root, and nothing is missing.
 * @param known CAs that the device knows
 */
export function missingIntermediate(
  leaf: Certificate,
  chain: readonly Certificate[],
  known: readonly Certificate[],
): Advice | undefined {
  if (isSelfIssued(leaf) || chain.some((one) => isIssuedBy(leaf, one))) return undefined;
  const issuers = known.filter((one) => isIssuedBy(leaf, one));
  if (issuers.some(isRoot)) return undefined;
  const issuer = issuers[0] ? subjectText(issuers[0]) : issuerText(leaf);
  return {
    text: issuers[0]
      ? `its issuer ${issuer} is an intermediate CA, and is not served with it`
      : `its issuer ${issuer} is not served with it; clients that do not have that CA as a root refuse it`,
    next: 'replace it with a file in which its intermediate CAs stand behind it',
  };
}

/** Whether OpenSSL finds a way from a CA of a truststore to a root there. */
export function missingIssuer(
  authority: Certificate,
  store: readonly Certificate[],
): Advice | undefined {
  if (isRoot(authority) || store.some((one) => one !== authority && isIssuedBy(authority, one)))
    return undefined;
  return {
    text: `its issuer ${issuerText(authority)} is not in the truststore, so OpenSSL finds no root above it`,
    next: 'add that CA with bmc-certs trust add, or trust the root alone',
  };
}

function isRoot(certificate: Certificate): boolean {
  return isSelfIssued(certificate) && !isRollover(certificate);
}

function issuerText({ issuer }: Certificate): string {
  return subjectText({ subject: issuer });
}
