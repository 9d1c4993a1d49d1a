import { createHash } from 'node:crypto';
import type { Certificate } from '../../x509/certificate.ts';

/** The hashes of a fingerprint by their numbers among the HashAlgorithms of TLS (RFC 5246 §7.4.1.4.1). */
export const fingerprintHashes = [
  { id: 1, name: 'md5', octets: 16 },
  { id: 2, name: 'sha1', octets: 20 },
  { id: 3, name: 'sha224', octets: 28 },
  { id: 4, name: 'sha256', octets: 32 },
  { id: 5, name: 'sha384', octets: 48 },
  { id: 6, name: 'sha512', octets: 64 },
] as const;

type Hash = (typeof fingerprintHashes)[number];

/** A fingerprint of a certificate with the hash that made it: `x509c2n:tls-fingerprint` of RFC 7407. */
export interface TlsFingerprint {
  readonly hash: Hash['name'];
  /** Lower-case hexadecimal, without separators. */
  readonly digest: string;
}

/**
 * Reads octets in hexadecimal with colons between them, of which the first is the number of the hash.
 * @returns a string, which says how to mend it, for a text that is no fingerprint
 */
export function parseTlsFingerprint(text: string): TlsFingerprint | string {
  const printed = /^(?:md5|sha-?\d+) fingerprint=/i.test(text);
  if (printed) return `is as openssl prints it: write ${hint(text)} and the octets after the "="`;
  if (!/^[0-9a-f]{2}(?::[0-9a-f]{2})*$/i.test(text)) {
    return 'is not made of octets in hexadecimal with colons between them';
  }
  const [first = '', ...octets] = text.toLowerCase().split(':');
  const hash = fingerprintHashes.find(({ id }) => id === Number.parseInt(first, 16));
  if (hash?.octets === octets.length) return { hash: hash.name, digest: octets.join('') };
  const bare = fingerprintHashes.find((one) => one.octets === octets.length + 1);
  if (bare)
    return `has the ${bare.octets} octets of ${bare.name} alone: write 0${bare.id}: before them`;
  if (!hash) return `begins with ${first}, which is the number of no hash (01 to 06)`;
  return `begins with ${first} for ${hash.name}, which has ${hash.octets} octets and not ${octets.length}`;
}

/** The number that belongs before the octets of openssl's output. */
function hint(printed: string): string {
  const [name = ''] = printed.toLowerCase().replace('-', '').split(' ');
  const hash = fingerprintHashes.find((one) => one.name === name);
  return hash ? `0${hash.id}:` : 'the number of the hash (01 to 06)';
}

/** A fingerprint as RFC 7407 writes it, with upper-case digits as openssl prints them. */
export function formatTlsFingerprint({ hash, digest }: TlsFingerprint): string {
  const id = fingerprintHashes.find(({ name }) => name === hash)?.id ?? 0;
  return [`0${id}`, ...(digest.toUpperCase().match(/../g) ?? [])].join(':');
}

export function tlsFingerprintOf(
  { der }: Pick<Certificate, 'der'>,
  hash: TlsFingerprint['hash'] = 'sha256',
): TlsFingerprint {
  return { hash, digest: createHash(hash).update(der).digest('hex') };
}
