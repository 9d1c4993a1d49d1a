import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { utf8String } from '../../src/x509/der.ts';
import { basicConstraints } from '../../src/x509/extensions.ts';
import { forgePem, nameOf } from './forged-certificate.ts';

/** What a client shows whose chain ends in nothing that anybody trusts, and takes long to verify. */
export interface HeavyChain {
  readonly key: string;
  readonly pem: string;
}

const sha256WithRsa = '1.2.840.113549.1.1.11';
const modulusBytes = 384;

/** Each of the CAs has an RSA key whose exponent is as long as its modulus, which OpenSSL works with up to 3072 bits. */
export function heavyChain(certificates: number): HeavyChain {
  const own = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const authorities = Array.from({ length: certificates - 1 }, (_, at) =>
    forgePem({
      subject: commonName(`CA ${at}`),
      issuer: commonName(`CA ${at + 1}`),
      publicKey: slowKey(),
      extensions: [basicConstraints(true)],
      ...slowSignature(),
    }),
  );
  const leaf = forgePem({
    subject: commonName('admin'),
    issuer: commonName('CA 0'),
    publicKey: own.publicKey,
    ...slowSignature(),
  });
  return {
    key: own.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    pem: leaf + authorities.join(''),
  };
}

function commonName(text: string) {
  return nameOf(['2.5.4.3', utf8String(text)]);
}

function slowSignature() {
  return { signatureAlgorithm: sha256WithRsa, signature: number(0x10) };
}

function slowKey(): KeyObject {
  const [n, e] = [number(0xc1), number(0xb1)].map((one) => one.toString('base64url'));
  return createPublicKey({ format: 'jwk', key: { kty: 'RSA', n: n ?? '', e: e ?? '' } });
}

/** An odd number of the size of the modulus. */
function number(first: number): Buffer {
  return Buffer.concat([Buffer.of(first), randomBytes(modulusBytes - 2), Buffer.of(1)]);
}
