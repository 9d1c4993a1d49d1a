import { type Asn1, bytesOf, childrenOf, contextTag, decode, tags, universalTag } from './der.ts';
import { find, readExtensions } from './extensions.ts';
import { extensionIds } from './oids.ts';

/** What a CA certificate demands of the certificates below it, beside its signature. */
export interface IssuerConstraints {
  /** The greatest number of intermediate CAs below it; `undefined` where there is no limit. */
  readonly pathLength: number | undefined;
  /** Whether it restricts names or Netscape types, which only OpenSSL judges. */
  readonly restrictsNames: boolean;
}

/**
 * Reads basicConstraints (RFC 5280 §4.2.1.9) and whether nameConstraints (§4.2.1.10) are there.
 * @param der a certificate that OpenSSL has read
 * @throws DerError for an extension with another structure
 */
export function readIssuerConstraints(der: Uint8Array): IssuerConstraints {
  const [tbs] = childrenOf(decode(der));
  const explicit = childrenOf(tbs).find((field) => contextTag(field) === 3);
  const extensions = explicit ? readExtensions(childrenOf(explicit)[0]) : [];
  const basic = find(extensions, extensionIds.basicConstraints);
  return {
    pathLength: basic && pathLengthOf(decode(basic.value)),
    restrictsNames: [extensionIds.nameConstraints, extensionIds.netscapeCertType].some(
      (id) => find(extensions, id) !== undefined,
    ),
  };
}

function pathLengthOf(basicConstraints: Asn1): number | undefined {
  const length = childrenOf(basicConstraints).find((one) => universalTag(one) === tags.INTEGER);
  return length && Number.parseInt(bytesOf(length).toString('hex') || '0', 16);
}
