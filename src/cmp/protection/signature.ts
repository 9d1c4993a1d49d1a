import { type KeyObject, verify } from 'node:crypto';
import { nothing } from '../../x509/asn1/primitives.ts';
import { EnrolmentFault } from '../enrolment-fault.ts';
import type { AlgorithmIdentifier } from '../messages/pki-message.ts';

/** A signature algorithm, and the digest that Node knows it by; Edwards curves hash by themselves. */
export interface SignatureAlgorithm {
  readonly id: string;
  readonly digest: 'sha256' | 'sha384' | 'sha512' | undefined;
  readonly keyType: 'rsa' | 'ec' | 'ed25519' | 'ed448';
}

/** Those of RFC 9481 §3 that a key of TLS can make; none with SHA-1. */
const algorithms: readonly SignatureAlgorithm[] = [
  { id: '1.2.840.113549.1.1.11', digest: 'sha256', keyType: 'rsa' },
  { id: '1.2.840.113549.1.1.12', digest: 'sha384', keyType: 'rsa' },
  { id: '1.2.840.113549.1.1.13', digest: 'sha512', keyType: 'rsa' },
  { id: '1.2.840.10045.4.3.2', digest: 'sha256', keyType: 'ec' },
  { id: '1.2.840.10045.4.3.3', digest: 'sha384', keyType: 'ec' },
  { id: '1.2.840.10045.4.3.4', digest: 'sha512', keyType: 'ec' },
  { id: '1.3.101.112', digest: undefined, keyType: 'ed25519' },
  { id: '1.3.101.113', digest: undefined, keyType: 'ed448' },
];

const digestOfCurve: Readonly<Record<string, string>> = {
  secp384r1: 'sha384',
  secp521r1: 'sha512',
};

/** The algorithm that suits a key of the device. @throws EnrolmentFault `device` */
export function algorithmFor(publicKey: KeyObject): SignatureAlgorithm {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = publicKey;
  const digest = digestOfCurve[details?.namedCurve ?? ''] ?? 'sha256';
  const found = algorithms.find(
    (one) => one.keyType === type && (one.digest === undefined || one.digest === digest),
  );
  if (!found) throw new EnrolmentFault('device', `a key of type ${type} cannot sign requests`);
  return found;
}

export function identifierOf({ id, keyType }: SignatureAlgorithm): AlgorithmIdentifier {
  return { algorithm: id, parameters: keyType === 'rsa' ? nothing.write(null) : undefined };
}

/** The digest of a certificate's signature, with which its hash is confirmed (RFC 9810 §5.3.18). */
export function digestOfSignature(id: string): string | undefined {
  if (id === '1.3.101.112') return 'sha512';
  return algorithms.find((one) => one.id === id)?.digest;
}

/** @throws EnrolmentFault `protection` when the algorithm is none that is taken */
export function signatureIsBy(
  { algorithm }: AlgorithmIdentifier,
  publicKey: KeyObject,
  data: Buffer,
  signature: Buffer,
): boolean {
  const found = algorithms.find(({ id }) => id === algorithm);
  if (!found)
    throw new EnrolmentFault(
      'protection',
      `the signature algorithm ${algorithm} of the answer is not taken`,
    );
  if (publicKey.asymmetricKeyType !== found.keyType) return false;
  return verify(found.digest, data, publicKey, signature);
}
