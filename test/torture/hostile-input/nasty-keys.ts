import { generateKeyPairSync } from 'node:crypto';
import { bitString, decode, encode, oid, sequence } from '../../../src/x509/der.ts';
import { openssl } from '../../fakes/openssl-authority.ts';
import {
  commonName,
  ecKey,
  forge,
  keyPem,
  nameOf,
  pair,
  pem,
  plainName,
  rsaKey,
  spki,
} from './forged-anything.ts';
import { encodedText } from './nasty-fields.ts';
import type { Nasty } from './nasty-row.ts';

const someRoot = nameOf([commonName, encodedText('another root')]);
/** With the name of an issuer that is not there, so that its signature is nobody's. */
const withKey = (key: Buffer) => () => Buffer.from(pem(forge({ key, issuer: someRoot })));
const exponent = Buffer.of(1, 0, 1);
const modulus = (bits: number, last = 1) =>
  Buffer.concat([Buffer.of(0xc3), Buffer.alloc(bits / 8 - 2, 0x5a), Buffer.of(last)]);

const prime256v1 = oid('1.2.840.10045.3.1.7');
const point = spki(pair.publicKey).subarray(-65);
const offCurve = Buffer.concat([point.subarray(0, 64), Buffer.of((point[64] ?? 0) ^ 1)]);
const explicitKey = () => {
  const text = openssl(['ec', '-param_enc', 'explicit', '-pubout'], keyPem);
  return Buffer.from(text.replace(/-----.*-----|\n/g, ''), 'base64');
};
const edwards = {
  ed25519: () => generateKeyPairSync('ed25519'),
  ed448: () => generateKeyPairSync('ed448'),
  x25519: () => generateKeyPairSync('x25519'),
};
const kept = (type: keyof typeof edwards) => spki(edwards[type]().publicKey);
const dsa = () =>
  spki(generateKeyPairSync('dsa', { modulusLength: 2048, divisorLength: 256 }).publicKey);

/** Public keys. TLS libraries look at them in the handshake, which is too late. */
export const nastyKeys: readonly Nasty[] = [
  {
    ...{ what: 'an RSA key of 16384 bits', to: 'authority', verdict: 'key-strength' },
    content: withKey(rsaKey(modulus(16_384), exponent)),
    because:
      'OpenSSL serves it, at the cost of seconds for each handshake; the limit is in the configuration',
  },
  {
    ...{ what: 'an RSA key of 16392 bits', to: 'authority', verdict: 'key-strength' },
    content: withKey(rsaKey(modulus(16_392), exponent)),
    because: 'OpenSSL verifies nothing with a modulus above 16384 bits',
  },
  {
    ...{ what: 'an RSA key of 1024 bits', to: 'authority', verdict: 'key-strength' },
    content: withKey(rsaKey(modulus(1024), exponent)),
    because: 'OpenSSL at security level 2 and GnuTLS refuse it',
  },
  {
    ...{ what: 'an RSA key with the exponent 1', to: 'authority', verdict: 'key-strength' },
    content: withKey(rsaKey(modulus(2048), Buffer.of(1))),
    because: 'whoever sees it can sign: a signature is the padded digest itself',
  },
  {
    ...{ what: 'an RSA key with an even exponent', to: 'authority', verdict: 'key-strength' },
    content: withKey(rsaKey(modulus(2048), Buffer.of(2))),
    because: 'no private key can belong to it',
  },
  {
    ...{
      what: 'an RSA key with an exponent of 4096 bits',
      to: 'authority',
      verdict: 'key-strength',
    },
    content: withKey(rsaKey(modulus(4096), modulus(4096))),
    because: 'OpenSSL verifies nothing with an exponent above 64 bits for a modulus above 3072',
  },
  {
    ...{ what: 'an RSA key with an even modulus', to: 'authority', verdict: 'key-strength' },
    content: withKey(rsaKey(modulus(2048, 2), exponent)),
    because: 'a product of two odd primes is odd; OpenSSL fails at each verification',
  },
  {
    ...{ what: 'an RSA key with the modulus 0', to: 'authority', verdict: 'key-strength' },
    content: withKey(rsaKey(Buffer.of(0), exponent)),
    because: 'it has no bits at all',
  },
  {
    ...{ what: 'an EC key with explicit parameters', to: 'authority', verdict: 'key-strength' },
    content: () => withKey(explicitKey())(),
    because: 'RFC 5480 §2.1.1 forbids them, and OpenSSL in strict mode and GnuTLS refuse them',
  },
  {
    ...{ what: 'an EC key off its curve', to: 'authority', verdict: 'certificate-malformed' },
    content: withKey(ecKey(prime256v1, offCurve)),
    because: 'OpenSSL does not decode it',
  },
  {
    ...{
      what: 'an EC key that is the point at infinity',
      to: 'authority',
      verdict: 'certificate-malformed',
    },
    content: withKey(ecKey(prime256v1, Buffer.of(0))),
    because: 'OpenSSL decodes it, and Node ends its process when it is asked about the curve',
  },
  {
    ...{ what: 'an EC key without a point', to: 'authority', verdict: 'certificate-malformed' },
    content: withKey(ecKey(prime256v1, Buffer.alloc(0))),
    because: 'OpenSSL does not decode it',
  },
  {
    ...{
      what: 'an EC key with the parameters NULL',
      to: 'authority',
      verdict: 'certificate-malformed',
    },
    content: withKey(ecKey(decode(Buffer.of(5, 0)), point)),
    because: 'nobody knows the curve',
  },
  {
    ...{
      what: 'an EC key on a curve that nobody knows',
      to: 'authority',
      verdict: 'certificate-malformed',
    },
    content: withKey(ecKey(oid('1.2.3.4'), point)),
    because: 'nobody knows the curve',
  },
  {
    ...{
      what: 'a P-256 point with the name of P-384',
      to: 'authority',
      verdict: 'certificate-malformed',
    },
    content: withKey(ecKey(oid('1.3.132.0.34'), point)),
    because: 'the point is too short for the curve',
  },
  {
    ...{ what: 'an Ed25519 key', to: 'authority', verdict: 'accepted' },
    content: withKey(kept('ed25519')),
    because: 'RFC 8410; OpenSSL and GnuTLS verify with it',
  },
  {
    ...{ what: 'an Ed448 key', to: 'authority', verdict: 'accepted' },
    content: withKey(kept('ed448')),
    because: 'RFC 8410; OpenSSL and GnuTLS verify with it',
  },
  {
    ...{ what: 'an X25519 key', to: 'authority', verdict: 'key-strength' },
    content: withKey(kept('x25519')),
    because: 'it agrees on keys and signs nothing',
  },
  {
    ...{ what: 'a DSA key', to: 'authority', verdict: 'key-strength' },
    content: () => withKey(dsa())(),
    because: 'TLS 1.3 has no DSA, and libraries have dropped it for TLS 1.2',
  },
  {
    ...{
      what: 'a key of an algorithm that nobody knows',
      to: 'authority',
      verdict: 'certificate-malformed',
    },
    content: withKey(encode(sequence(sequence(oid('1.2.3.4')), bitString(point)))),
    because: 'OpenSSL has no decoder for it',
  },
  {
    ...{
      what: 'a key that is no SubjectPublicKeyInfo',
      to: 'authority',
      verdict: 'certificate-malformed',
    },
    content: withKey(plainName),
    because: 'OpenSSL does not parse the certificate',
  },
];
