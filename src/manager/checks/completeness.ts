import { type Certificate, isIssuedBy, isSelfIssued, subjectText } from '../../x509/certificate.ts';
import type {
  CertificateClient,
  EndpointRef,
  PublishedCertificate,
} from '../certificate-client.ts';
import { isRollover } from './chain-signatures.ts';

/** What is wrong, and what an administrator does about it. */
export interface Advice {
  readonly text: string;
  readonly next: string;
}

/** Whether peers find the way from a certificate that is in service to a root. */
export function incompleteness(
  client: Pick<CertificateClient, 'endpoints' | 'list'>,
  endpoint: EndpointRef,
  { certificate, chain, findings }: PublishedCertificate,
): Advice | undefined {
  const listOf = (one: EndpointRef) => client.list(one).map((published) => published.certificate);
  if (isTruststore(endpoint)) return missingIssuer(certificate, listOf(endpoint));
  // Upstream's manager publishes no chain, so that nothing can be said of it
  if (!findings) return undefined;
  const known = client.endpoints().filter(isTruststore).flatMap(listOf);
  return missingIntermediate(certificate, chain, known);
}

/** The list of revoked certificates is no truststore, although it has the same type. */
function isTruststore({ type, name }: EndpointRef): boolean {
  return type === 'authority' && name !== 'revoked';
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
    // Whoever has a certificate of any CA there is a client that logs in: the issuer may be a public CA
    next: 'where both are CAs of your own, add that one with bmc-certs trust add; never add a public CA, whose customers could log in',
  };
}

function isRoot(certificate: Certificate): boolean {
  return isSelfIssued(certificate) && !isRollover(certificate);
}

function issuerText({ issuer }: Certificate): string {
  return subjectText({ subject: issuer });
}
