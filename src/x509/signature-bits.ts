import { type Asn1, childrenOf, contextTag, oidOf } from './der.ts';
import { digestIds } from './oids.ts';

/**
 * The security bits of the digest of a signature as OpenSSL counts them, of a collision: half of the digest, and what OpenSSL
 * sets for broken ones.
 * @param name of the signature algorithm
 * @returns `undefined` for an unknown digest
 */
export function signatureBits(name: string, algorithm: Asn1 | undefined): number | undefined {
  if (name === 'Ed25519') return 128;
  if (name === 'Ed448') return 224;
  const digest = name === 'rsassaPss' ? pssDigest(algorithm) : name;
  if (/ripemd160/i.test(digest)) return 80;
  if (/md[245]/i.test(digest)) return 39;
  if (/sha-?1(?!\d)/i.test(digest)) return 63;
  const [, size] = /sha(224|256|384|512)/i.exec(digest) ?? [];
  return size === undefined ? undefined : Number(size) / 2;
}

/** RFC 4055 §3.1: the digest is the parameter with the tag 0, and SHA-1 when it is absent. */
function pssDigest(algorithm: Asn1 | undefined): string {
  const parameters = childrenOf(algorithm)[1];
  const digest = parameters && childrenOf(parameters).find((one) => contextTag(one) === 0);
  const id = digest ? oidOf(childrenOf(childrenOf(digest)[0])[0]) : digestIds.sha1;
  return Object.entries(digestIds).find(([, known]) => known === id)?.[0] ?? id;
}
