import assert from 'node:assert/strict';
import { constants, generateKeyPairSync, verify } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { refuseUnlessSignable } from '../../../src/manager/signing/signable-data.ts';
import {
  parseSignatureAlgorithm,
  type SignatureAlgorithm,
  signatureAlgorithms,
  signWith,
} from '../../../src/manager/signing/signature-algorithms.ts';
import { encode, octetString, sequence, unsignedInteger } from '../../../src/x509/der.ts';
import { refusal } from '../../fakes/refusal.ts';

const keys = {
  rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  'rsa-pss': generateKeyPairSync('rsa-pss', { modulusLength: 2048 }),
  ec: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  ed25519: generateKeyPairSync('ed25519'),
};
const digests: readonly SignatureAlgorithm[] = ['sha256', 'sha384', 'sha512'];
const pss: readonly SignatureAlgorithm[] = ['sha256-pss', 'sha384-pss', 'sha512-pss'];
const able: Readonly<Record<keyof typeof keys, readonly SignatureAlgorithm[]>> = {
  rsa: [...digests, ...pss],
  'rsa-pss': pss,
  ec: digests,
  ed25519: ['none'],
};

for (const type of ['rsa', 'rsa-pss', 'ec', 'ed25519'] as const) {
  for (const algorithm of signatureAlgorithms) {
    const isAble = able[type].includes(algorithm);
    test(`a key of type ${type} ${isAble ? 'signs' : 'does not sign'} with ${algorithm}`, async () => {
      const { privateKey, publicKey } = keys[type];
      const data = Buffer.from('what is signed');
      const signing = signWith(privateKey, algorithm, data);
      if (!isAble) return assert.rejects(signing, refusal('argument-invalid', /Algorithm/));
      const padding = {
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
      };
      const how = { key: publicKey, ...(algorithm.endsWith('-pss') && padding) };
      const digest = algorithm === 'none' ? null : algorithm.replace('-pss', '');
      assert.ok(verify(digest, data, how, await signing));
      assert.ok(!verify(digest, Buffer.from('something else'), how, await signing));
    });
  }
}

test('no other name is an algorithm', () => {
  for (const name of ['sha1', 'SHA256', '', 'md5', 'constructor'])
    assert.throws(() => parseSignatureAlgorithm(name), refusal('argument-invalid', /Algorithm/));
});

const body = octetString(Buffer.from('body'));
const element = encode(sequence(sequence(unsignedInteger(Buffer.of(2)), body), body));
const spaces = Buffer.alloc(64, ' ');
const unsignable: Readonly<Record<string, Buffer>> = {
  'what TLS 1.3 signs': Buffer.concat([spaces, Buffer.from('TLS 1.3, server CertificateVerify\0')]),
  'the messages of a handshake': Buffer.from('0100003a0303', 'hex'),
  'an element with bytes behind it': Buffer.concat([element, spaces]),
  'an element that has no end': element.subarray(0, -1),
  'a SET, which CMS signs': Buffer.concat([Buffer.from([0x31]), element.subarray(1)]),
  'a length in BER': Buffer.concat([Buffer.from([0x30, 0x81]), element.subarray(1)]),
  'a SEQUENCE that begins with something else': encode(sequence(body, body)),
  'a SEQUENCE that begins with a SEQUENCE of something else': encode(sequence(sequence(body))),
  'a SEQUENCE that begins with a large INTEGER': encode(
    sequence(unsignedInteger(Buffer.of(4)), body),
  ),
  'a SEQUENCE without members': encode(sequence()),
  nothing: Buffer.alloc(0),
};
for (const [what, data] of Object.entries(unsignable)) {
  test(`${what} is not signed`, () => {
    assert.throws(() => refuseUnlessSignable(data), refusal('argument-invalid', /Data/));
  });
}

test('a message of CMP, a request of CRMF and one of PKCS #10 are signed', () => {
  refuseUnlessSignable(element);
  refuseUnlessSignable(encode(sequence(unsignedInteger(Buffer.of(0)), body)));
});

test('nothing that begins with random bytes of a client is signed', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 200 }), (bytes) => {
      const data = Buffer.concat([Buffer.from(bytes), spaces]);
      assert.throws(() => refuseUnlessSignable(data), refusal('argument-invalid', /Data/));
    }),
  );
});
