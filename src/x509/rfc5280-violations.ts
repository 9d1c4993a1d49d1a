import { type Asn1, bytesOf, childrenOf, contextTag, encode } from './der.ts';
import type { Extension } from './extensions.ts';

/**
 * What a certificate breaks of RFC 5280 although OpenSSL reads it.
 * @param fields of the TBSCertificate
 * @param algorithm of the signature, as it stands outside of them
 */
export function rfc5280ViolationsOf(
  fields: readonly Asn1[],
  extensions: readonly Extension[],
  algorithm: Asn1 | undefined,
): readonly string[] {
  const [first, ...others] = fields;
  const hasVersion = contextTag(first) === 0;
  const version = hasVersion ? bytesOf(childrenOf(first)[0]).toString('hex') : '00';
  const inner = hasVersion ? others[1] : others[0];
  const ids = extensions.map(({ id }) => id);
  const seen = new Set<string>();
  const twice = ids.find((id) => seen.size === seen.add(id).size);
  const rfc5280Violations: string[] = [];
  if (!['00', '01', '02'].includes(version))
    rfc5280Violations.push('its version is none (RFC 5280 §4.1.2.1)');
  if (version !== '02' && ids.length > 0)
    rfc5280Violations.push('only version 3 has extensions (RFC 5280 §4.1.2.9)');
  if (twice !== undefined)
    rfc5280Violations.push(`the extension ${twice} is there twice (RFC 5280 §4.2)`);
  if (!inner || !algorithm || !encode(inner).equals(encode(algorithm)))
    rfc5280Violations.push('it names two signature algorithms (RFC 5280 §4.1.1.2)');
  return rfc5280Violations;
}
