import { constants, type KeyObject, type SignKeyObjectInput, sign } from 'node:crypto';
import { promisify } from 'node:util';
import { CertError } from '../../core/cert-error.ts';

/**
 * The digest for RSA with PKCS #1 v1.5 or for ECDSA in DER form, RSA-PSS with a salt as long as the digest, and `none`
 * for the curves of Edwards, which have their own.
 */
export const signatureAlgorithms = [
  'sha256',
  'sha384',
  'sha512',
  'sha256-pss',
  'sha384-pss',
  'sha512-pss',
  'none',
] as const;

export type SignatureAlgorithm = (typeof signatureAlgorithms)[number];

/** @throws CertError `argument-invalid` */
export function parseSignatureAlgorithm(text: string): SignatureAlgorithm {
  const found = signatureAlgorithms.find((one) => one === text);
  if (found) return found;
  throw new CertError('argument-invalid', `Algorithm is none of ${signatureAlgorithms.join(', ')}`);
}

type Kind = 'pkcs1' | 'pss' | 'ecdsa' | 'edwards';

/** What a key of each of OpenSSL's types can do. */
const kindsOfKeys: Readonly<Record<string, readonly Kind[]>> = {
  rsa: ['pkcs1', 'pss'],
  'rsa-pss': ['pss'],
  ec: ['ecdsa'],
  ed25519: ['edwards'],
  ed448: ['edwards'],
};

function kindsOf(algorithm: SignatureAlgorithm): readonly Kind[] {
  if (algorithm === 'none') return ['edwards'];
  return algorithm.endsWith('-pss') ? ['pss'] : ['pkcs1', 'ecdsa'];
}

const signInThreads = promisify(
  (
    digest: string | null,
    data: Buffer,
    key: SignKeyObjectInput,
    done: (error: Error | null, signature: Buffer) => void,
  ) => sign(digest, data, key, done),
);

/** @throws CertError `argument-invalid` when the key is of another kind */
export async function signWith(
  key: KeyObject,
  algorithm: SignatureAlgorithm,
  data: Buffer,
): Promise<Buffer> {
  const type = key.asymmetricKeyType ?? '';
  const kind = kindsOf(algorithm).find((one) => kindsOfKeys[type]?.includes(one));
  if (!kind)
    throw new CertError(
      'argument-invalid',
      `Algorithm ${algorithm} is not for a key of type ${type}`,
    );
  if (kind === 'edwards') return signInThreads(null, data, { key });
  const digest = algorithm.replace('-pss', '');
  const padding = {
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
  };
  return signInThreads(digest, data, { key, ...(kind === 'pss' && padding) });
}
