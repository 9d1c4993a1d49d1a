import type { KeyObject } from 'node:crypto';
import { hasLargeExponent, hasNamedCurve, rsaNumbers } from './keys.ts';
import { sizeFault } from './security-levels.ts';

/**
 * Why a public key must not be trusted, or cannot be served.
 * @param maxRsaBits bits of the largest RSA key
 * @param level OpenSSL's security level
 */
export function weakness(key: KeyObject, maxRsaBits: number, level: number): string | undefined {
  switch (key.asymmetricKeyType) {
    case 'rsa':
    case 'rsa-pss':
      return sizeFault(key, level) ?? weaknessOfRsa(key, maxRsaBits);
    case 'ec':
      if (!hasNamedCurve(key)) return 'the curve of the EC key has no name (RFC 5480 §2.1.1)';
      return sizeFault(key, level);
    case 'ed25519':
    case 'ed448':
      return sizeFault(key, level);
    default:
      return `a key of type ${key.asymmetricKeyType} cannot serve TLS`;
  }
}

function weaknessOfRsa(key: KeyObject, maxRsaBits: number): string | undefined {
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  const { modulus, exponent } = rsaNumbers(key);
  if (modulusLength > maxRsaBits) return `an RSA key of ${modulusLength} bits is too slow to serve`;
  if (isEven(modulus)) return 'an RSA key with an even modulus is none';
  // With the exponent 1 a signature needs no key
  if (isEven(exponent) || publicExponent === 1n) return 'the exponent of the RSA key is none';
  return hasLargeExponent(key) ? 'the exponent of the RSA key is too large' : undefined;
}

function isEven(number: Buffer): boolean {
  return ((number.at(-1) ?? 0) & 1) === 0;
}
