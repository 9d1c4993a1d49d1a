import type { KeyObject } from 'node:crypto';
import type { Certificate } from './certificate.ts';

/** What OpenSSL demands at its security levels 0 to 5 (SSL_CTX_set_security_level(3)). */
const securityLevels = [
  { bits: 0, rsaBits: 0, ecBits: 0 },
  { bits: 80, rsaBits: 1024, ecBits: 160 },
  { bits: 112, rsaBits: 2048, ecBits: 224 },
  { bits: 128, rsaBits: 3072, ecBits: 256 },
  { bits: 192, rsaBits: 7680, ecBits: 384 },
  { bits: 256, rsaBits: 15_360, ecBits: 512 },
] as const;

/** The level of Debian's and OpenBMC's services, and of the truststore. */
export const usualSecurityLevel = 2;

/** Security bits of the keys that have one size only. */
const fixedBits: Readonly<Record<string, number>> = { ed25519: 128, ed448: 224 };

/** Why a key is too small for a security level, `undefined` when it is not, or when its kind has no measure. */
export function sizeFault(key: KeyObject, level: number): string | undefined {
  const { bits, rsaBits, ecBits } = requirements(level);
  const { asymmetricKeyType: type = '', asymmetricKeyDetails: details = {} } = key;
  const tooSmall = (what: string) => `${what} is too small for OpenSSL's security level ${level}`;
  if (type === 'ec') {
    // Every curve's name carries its size, as in secp384r1
    const size = Number(/\d{3}/.exec(details.namedCurve ?? '')?.[0] ?? 0);
    return size < ecBits ? tooSmall(`an EC key on the curve ${details.namedCurve}`) : undefined;
  }
  const fixed = fixedBits[type];
  if (fixed !== undefined) return fixed < bits ? tooSmall(`an ${type} key`) : undefined;
  const { modulusLength } = details;
  if (modulusLength === undefined || modulusLength >= rsaBits) return undefined;
  return tooSmall(`${type === 'dsa' ? 'a DSA' : 'an RSA'} key of ${modulusLength} bits`);
}

/** Why the digest of a certificate's signature is too weak for a security level. */
export function digestFault(
  { signatureAlgorithm, signatureBits }: Certificate,
  level: number,
): string | undefined {
  if (signatureBits === undefined || signatureBits >= requirements(level).bits) return undefined;
  return `the signature algorithm ${signatureAlgorithm} is too weak for OpenSSL's security level ${level}`;
}

/** The bits that a curve must have. */
export function minCurveBits(level: number): number {
  return requirements(level).ecBits;
}

function requirements(level: number): (typeof securityLevels)[number] {
  const found = securityLevels[level];
  if (!found) throw new RangeError(`there is no security level ${level}`);
  return found;
}
