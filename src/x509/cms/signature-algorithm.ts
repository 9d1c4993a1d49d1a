import { constants, type KeyObject, type VerifyKeyObjectInput, verify } from 'node:crypto';
import { integer, nothing } from '../asn1/primitives.ts';
import { explicit, optional, readAs, sequence } from '../asn1/structure.ts';
import { digestIds } from '../oids.ts';
import { CmsFault } from './cms-fault.ts';
import { type AlgorithmIdentifier, algorithmIdentifier } from './signed-data.ts';

export const digests = ['sha256', 'sha384', 'sha512'] as const;

/** The digests that are taken; a collision of SHA-1 or MD5 can be bought. */
export type Digest = (typeof digests)[number];

type Scheme = 'pkcs1' | 'ecdsa' | 'ed25519';

interface Known {
  readonly scheme: Scheme;
  /** Absent where the algorithm leaves it to digestAlgorithm. */
  readonly digest?: Digest;
}

const rsaEncryption = '1.2.840.113549.1.1.1';
const rsassaPss = '1.2.840.113549.1.1.10';
const mgf1 = '1.2.840.113549.1.1.8';

/** RFC 5754 §3, RFC 8419 §3 */
const known: Readonly<Record<string, Known>> = {
  [rsaEncryption]: { scheme: 'pkcs1' },
  '1.2.840.113549.1.1.11': { scheme: 'pkcs1', digest: 'sha256' },
  '1.2.840.113549.1.1.12': { scheme: 'pkcs1', digest: 'sha384' },
  '1.2.840.113549.1.1.13': { scheme: 'pkcs1', digest: 'sha512' },
  '1.2.840.10045.4.3.2': { scheme: 'ecdsa', digest: 'sha256' },
  '1.2.840.10045.4.3.3': { scheme: 'ecdsa', digest: 'sha384' },
  '1.2.840.10045.4.3.4': { scheme: 'ecdsa', digest: 'sha512' },
  '1.3.101.112': { scheme: 'ed25519', digest: 'sha512' },
};

/** RFC 4055 §3.1; the defaults, all of SHA-1, are not taken. */
const pssParameters = sequence({
  hashAlgorithm: explicit(0, algorithmIdentifier),
  maskGenAlgorithm: explicit(1, algorithmIdentifier),
  saltLength: optional(explicit(2, integer)),
  trailerField: optional(explicit(3, integer)),
});

const keyTypes: Readonly<Record<Scheme, readonly string[]>> = {
  pkcs1: ['rsa'],
  ecdsa: ['ec'],
  ed25519: ['ed25519'],
};

const curves = ['prime256v1', 'secp384r1', 'secp521r1'];

/** @throws CmsFault `malformed` */
export function digestOf({ algorithm, parameters }: AlgorithmIdentifier): Digest {
  const found = digests.find((digest) => digestIds[digest] === algorithm);
  if (!found) throw new CmsFault('malformed', `the digest ${algorithm} is not taken`);
  if (parameters && !parameters.equals(nothing.write(null)))
    throw new CmsFault('malformed', 'the digest has parameters');
  return found;
}

/**
 * Whether a signature over bytes was made with a key. RSA PKCS #1 v1.5 and PSS, ECDSA on the curves of NIST, Ed25519.
 * @throws CmsFault `malformed` for an algorithm that is not taken, or does not fit the key or the digest
 */
export function signatureIsBy(
  algorithm: AlgorithmIdentifier,
  digest: Digest,
  key: KeyObject,
  data: Buffer,
  signature: Buffer,
): boolean {
  const type = key.asymmetricKeyType ?? '';
  const { namedCurve = '' } = key.asymmetricKeyDetails ?? {};
  if (type === 'ec' && !curves.includes(namedCurve))
    throw new CmsFault('malformed', `the curve ${namedCurve} of the signer is not taken`);
  if (algorithm.algorithm === rsassaPss) {
    if (type !== 'rsa' && type !== 'rsa-pss') throw otherKey(algorithm, type);
    const saltLength = saltLengthOf(algorithm, digest);
    const padding = constants.RSA_PKCS1_PSS_PADDING;
    return verified(digest, data, { key, padding, saltLength }, signature);
  }
  const found = known[algorithm.algorithm];
  if (!found)
    throw new CmsFault('malformed', `the signature algorithm ${algorithm.algorithm} is not taken`);
  if (!keyTypes[found.scheme].includes(type)) throw otherKey(algorithm, type);
  if (found.digest !== undefined && found.digest !== digest)
    throw new CmsFault('malformed', 'the signature is over another digest than it says');
  return verified(found.scheme === 'ed25519' ? undefined : digest, data, { key }, signature);
}

/** A key can have the form of one and be none. */
function verified(
  digest: Digest | undefined,
  data: Buffer,
  key: VerifyKeyObjectInput,
  signature: Buffer,
): boolean {
  try {
    return verify(digest, data, key, signature);
  } catch {
    return false;
  }
}

function saltLengthOf({ parameters = Buffer.alloc(0) }: AlgorithmIdentifier, digest: Digest) {
  const {
    hashAlgorithm,
    maskGenAlgorithm,
    saltLength = 20,
    trailerField = 1,
  } = readAs(pssParameters, parameters);
  const mask = readAs(algorithmIdentifier, maskGenAlgorithm.parameters ?? Buffer.alloc(0));
  const isOne = digestOf(hashAlgorithm) === digest && digestOf(mask) === digest;
  if (maskGenAlgorithm.algorithm !== mgf1 || !isOne || trailerField !== 1 || saltLength < 20)
    throw new CmsFault('malformed', 'the parameters of RSASSA-PSS are not taken');
  return saltLength;
}

function otherKey({ algorithm }: AlgorithmIdentifier, type: string): CmsFault {
  return new CmsFault('malformed', `a key of type ${type} makes no signatures of ${algorithm}`);
}
