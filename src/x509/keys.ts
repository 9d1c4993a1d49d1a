import {
  createHash,
  createPrivateKey,
  ECDH,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto';
import { CertError } from '../core/cert-error.ts';
import {
  type Asn1,
  bitString,
  bytesOf,
  childrenOf,
  DerError,
  decode,
  encode,
  oid,
  oidOf,
  sequence,
  tags,
  universalTag,
} from './der.ts';
import type { PemBlock } from './pem.ts';

/** What kind of key to make. Curves go by their OpenSSL names. */
export type KeyAlgorithm =
  | { readonly kind: 'RSA'; readonly bits: number }
  | { readonly kind: 'EC'; readonly curve: Curve };

export const rsaLengths = [2048, 3072, 4096] as const;

/** The curves we make keys on, each with every name that clients know it by. */
export const curveNames = {
  secp224r1: ['secp224r1', 'P-224', 'TPM_ECC_NIST_P224', '1.3.132.0.33'],
  prime256v1: ['prime256v1', 'secp256r1', 'P-256', 'TPM_ECC_NIST_P256', '1.2.840.10045.3.1.7'],
  secp384r1: ['secp384r1', 'P-384', 'TPM_ECC_NIST_P384', '1.3.132.0.34'],
  secp521r1: ['secp521r1', 'P-521', 'TPM_ECC_NIST_P521', '1.3.132.0.35'],
  secp256k1: ['secp256k1', '1.3.132.0.10'],
  brainpoolP256r1: ['brainpoolP256r1', '1.3.36.3.3.2.8.1.1.7'],
  brainpoolP384r1: ['brainpoolP384r1', '1.3.36.3.3.2.8.1.1.11'],
  brainpoolP512r1: ['brainpoolP512r1', '1.3.36.3.3.2.8.1.1.13'],
} as const;

export type Curve = keyof typeof curveNames;

/** A key pair made by `node:crypto`; the caller decides where it runs. */
export function generateKey(algorithm: KeyAlgorithm): KeyObject {
  if (algorithm.kind === 'RSA') {
    return generateKeyPairSync('rsa', { modulusLength: algorithm.bits }).privateKey;
  }
  return generateKeyPairSync('ec', { namedCurve: algorithm.curve }).privateKey;
}

const keyLabels = ['PRIVATE KEY', 'RSA PRIVATE KEY', 'EC PRIVATE KEY', 'ENCRYPTED PRIVATE KEY'];

export function isKeyBlock(block: PemBlock): boolean {
  return keyLabels.includes(block.label);
}

/** @throws CertError `key-encrypted` or `key-malformed`; the text never quotes the block */
export function readPrivateKey(block: PemBlock): KeyObject {
  if (block.encrypted || block.label === 'ENCRYPTED PRIVATE KEY') {
    throw new CertError(
      'key-encrypted',
      'the private key is encrypted and the manager has no passphrase for it',
    );
  }
  try {
    const key = openPrivateKey(block.der);
    // A number outside of its curve is read too, and Node ends the process when it is asked about the curve;
    // it cannot be written
    const { length } = key.export({ type: 'pkcs8', format: 'der' });
    if (key.asymmetricKeyType?.startsWith('rsa') !== true) return key;
    if (length <= maxBytesOfRsa(key.asymmetricKeyDetails?.modulusLength ?? 0)) return key;
    throw new RangeError('its numbers are larger than its modulus');
  } catch {
    // OpenSSL's own reason is left out: it may quote bytes of the key
    throw new CertError('key-malformed', `the ${block.label} block holds no readable private key`);
  }
}

const ecPublicKey = '1.2.840.10045.2.1';

/** Kinds of keys in PKCS #8: RSA (RFC 8017 §A.1 and A.2.3), EC (RFC 5480 §2.1.1), and Edwards curves (RFC 8410 §3). */
const readKinds = [
  '1.2.840.113549.1.1.1',
  '1.2.840.113549.1.1.10',
  ecPublicKey,
  '1.3.101.112',
  '1.3.101.113',
];

/**
 * A key that may be of a TLS server. OpenSSL looks into every form itself, and computes the public half of a DSA key
 * with numbers of any length, which takes minutes: no key of another kind comes to it.
 * @param der a private key in PKCS #8, PKCS #1 or SEC 1, without encryption
 * @throws DerError, and what OpenSSL throws
 */
export function openPrivateKey(der: Buffer): KeyObject {
  const [, second] = childrenOf(decode(der));
  switch (universalTag(second)) {
    case tags.INTEGER:
      return createPrivateKey({ key: der, format: 'der', type: 'pkcs1' });
    case tags.OCTET_STRING:
      return createPrivateKey({ key: der, format: 'der', type: 'sec1' });
  }
  if (!readKinds.includes(oidOf(childrenOf(second)[0])))
    throw new DerError('a key of another kind');
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
}

/** Numbers that are larger than the modulus let one signature take as long as the maker of the key wants. */
function maxBytesOfRsa(modulusBits: number): number {
  // The modulus, a number as large, and five of half the size (RFC 8017 §A.1.2), or a few more primes
  return (6 * modulusBits) / 8 + 256;
}

export function exportPrivateKey(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** DER of the SubjectPublicKeyInfo of a public or of a private key's public half. */
export function publicKeyInfo(publicKey: KeyObject): Buffer {
  return publicKey.export({ type: 'spki', format: 'der' });
}

/**
 * Whether two public keys are one, however they are encoded: the point of an EC key may be compressed, and an RSA key
 * may be restricted to PSS. The owner of the key of an RSA modulus can sign for every exponent.
 */
export function isSameKey(a: KeyObject, b: KeyObject): boolean {
  if (isRsa(a) && isRsa(b)) return rsaNumbers(a).modulus.equals(rsaNumbers(b).modulus);
  return a.equals(b);
}

function isRsa({ asymmetricKeyType }: KeyObject): boolean {
  return asymmetricKeyType === 'rsa' || asymmetricKeyType === 'rsa-pss';
}

/** False for an EC key whose curve is described by its parameters, which TLS peers refuse. */
export function hasNamedCurve(publicKey: KeyObject): boolean {
  const [algorithm] = childrenOf(decode(publicKeyInfo(publicKey)));
  return universalTag(childrenOf(algorithm)[1]) === tags.OBJECT_IDENTIFIER;
}

/** The numbers of an RSA key, big-endian and without zeros before them (RFC 8017 §A.1.1). */
export function rsaNumbers(publicKey: KeyObject): {
  readonly modulus: Buffer;
  readonly exponent: Buffer;
} {
  const [, bits] = childrenOf(decode(publicKeyInfo(publicKey)));
  const [modulus, exponent] = childrenOf(decode(bytesOf(bits).subarray(1))).map(unsigned);
  return { modulus: modulus ?? Buffer.alloc(0), exponent: exponent ?? Buffer.alloc(0) };
}

/**
 * OpenSSL verifies nothing with an exponent of more than 64 bits where the modulus has more than 3072; where it has
 * fewer, it takes a hundred times as long as with a usual one.
 */
export function hasLargeExponent({ asymmetricKeyDetails }: KeyObject): boolean {
  return (asymmetricKeyDetails?.publicExponent ?? 0n) >= 1n << 64n;
}

function unsigned(integer: Asn1): Buffer {
  const bytes = bytesOf(integer);
  return bytes[0] === 0 ? bytes.subarray(1) : bytes;
}

/**
 * Hexadecimal SHA-256 of a SubjectPublicKeyInfo: the name under which a pending key waits. An EC key has one, whatever
 * the form of its point.
 */
export function publicKeyHash(info: Uint8Array): string {
  return createHash('sha256').update(withUncompressedPoint(info)).digest('hex');
}

/** SEC 1 §2.3.3: the first octet tells the form, of which 4 is the uncompressed one, and 0 no point that is a key. */
function withUncompressedPoint(info: Uint8Array): Uint8Array {
  const [algorithm, bits] = childrenOf(decode(info));
  const [id, parameters] = childrenOf(algorithm);
  const point = bytesOf(bits).subarray(1);
  const form = point[0] ?? 0;
  if (!algorithm || oidOf(id) !== ecPublicKey || form === 4 || form === 0) return info;
  const curve = universalTag(parameters) === tags.OBJECT_IDENTIFIER && curveOf(oidOf(parameters));
  if (!curve) return info;
  const whole = ECDH.convertKey(point, curve, undefined, undefined, 'uncompressed');
  return encode(sequence(algorithm, bitString(Buffer.from(whole))));
}

function curveOf(id: string): string | undefined {
  const found = Object.entries(curveNames).find(([, names]) => names.some((name) => name === id));
  return found?.[0];
}

/** Key identifier by the first method of RFC 5280 §4.2.1.2: SHA-1 of the public key's bits. */
export function keyIdentifier(info: Uint8Array): Buffer {
  const [, bits] = childrenOf(decode(info));
  return createHash('sha1').update(bytesOf(bits).subarray(1)).digest();
}

const ecdsaDigests = {
  secp224r1: ['sha256', '1.2.840.10045.4.3.2'],
  prime256v1: ['sha256', '1.2.840.10045.4.3.2'],
  secp384r1: ['sha384', '1.2.840.10045.4.3.3'],
  secp521r1: ['sha512', '1.2.840.10045.4.3.4'],
  secp256k1: ['sha256', '1.2.840.10045.4.3.2'],
  brainpoolP256r1: ['sha256', '1.2.840.10045.4.3.2'],
  brainpoolP384r1: ['sha384', '1.2.840.10045.4.3.3'],
  brainpoolP512r1: ['sha512', '1.2.840.10045.4.3.4'],
} as const;

const sha256WithRsa = '1.2.840.113549.1.1.11';

/** A signature with the digest that suits the key, and its AlgorithmIdentifier. */
export interface Signer {
  readonly algorithm: Asn1;
  sign(data: Uint8Array): Buffer;
}

/** @param key an RSA key or an EC key on one of our curves */
export function signerFor(key: KeyObject): Signer {
  if (key.asymmetricKeyType === 'rsa') {
    const nullParameter = decode(Buffer.of(5, 0));
    return {
      algorithm: sequence(oid(sha256WithRsa), nullParameter),
      sign: (data) => sign('sha256', data, key),
    };
  }
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (curve === undefined || !Object.hasOwn(ecdsaDigests, curve)) {
    throw new CertError('argument-invalid', `cannot sign with a key on curve ${curve}`);
  }
  const [digest, algorithm] = ecdsaDigests[curve as Curve];
  // RFC 5758 §3.2: an ECDSA AlgorithmIdentifier has no parameters
  return { algorithm: sequence(oid(algorithm)), sign: (data) => sign(digest, data, key) };
}
