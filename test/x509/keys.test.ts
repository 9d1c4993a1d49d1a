import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, type KeyObject, verify } from 'node:crypto';
import { describe, it } from 'node:test';
import {
  type Curve,
  curveNames,
  exportPrivateKey,
  generateKey,
  isKeyBlock,
  keyIdentifier,
  publicKeyHash,
  publicKeyInfo,
  readPrivateKey,
  signerFor,
} from '../../src/x509/keys.ts';
import { formatPem, type PemBlock, parsePem } from '../../src/x509/pem.ts';
import { hugeDsaKey } from '../fakes/huge-dsa-key.ts';
import { keyKinds, openssl, opensslAuthority } from '../fakes/openssl-authority.ts';
import { processorTime } from '../fakes/processor-time.ts';
import { refusal } from '../fakes/refusal.ts';

const curves = Object.keys(curveNames) as Curve[];
const pkcs8 = openssl(['genpkey', ...keyKinds.p256]);
const rsa = openssl(['genpkey', ...keyKinds.rsa(2048)]);

const firstKey = (text: string): PemBlock => {
  const block = parsePem(text).find(isKeyBlock);
  assert.ok(block);
  return block;
};
const samePublicKey = (key: KeyObject, pem: string) =>
  createPublicKey(key).equals(createPublicKey(pem));

describe('a private key', () => {
  const forms: [string, string, string][] = [
    ['PKCS #8', pkcs8, pkcs8],
    ['the traditional form of EC', openssl(['ec', '-no_public'], pkcs8), pkcs8],
    ['the form of openssl ecparam, with parameters before the key', legacyEc(), ''],
    ['PKCS #8 of RSA', rsa, rsa],
    ['the traditional form of RSA', openssl(['rsa', '-traditional'], rsa), rsa],
    ['Ed25519', openssl(['genpkey', ...keyKinds.ed25519]), ''],
  ];
  for (const [what, text, origin] of forms) {
    it(`is read from ${what}`, () => {
      const expected = origin || text.slice(text.lastIndexOf('-----BEGIN'));
      assert.ok(samePublicKey(readPrivateKey(firstKey(text)), expected));
    });
  }

  const encrypted: [string, string][] = [
    ['PKCS #8', openssl(['pkey', '-aes128', '-passout', 'pass:tops3cret'], pkcs8)],
    ['the traditional form', openssl(['ec', '-aes128', '-passout', 'pass:tops3cret'], pkcs8)],
    [
      'the traditional form of RSA',
      openssl(['rsa', '-traditional', '-aes128', '-passout', 'pass:tops3cret'], rsa),
    ],
  ];
  for (const [what, text] of encrypted) {
    it(`is refused when it is encrypted in ${what}`, () => {
      assert.throws(() => readPrivateKey(firstKey(text)), refusal('key-encrypted', /passphrase/));
    });
  }

  it('of DSA is refused before OpenSSL computes with it, under every label', () => {
    for (const label of ['PRIVATE KEY', 'RSA PRIVATE KEY', 'EC PRIVATE KEY']) {
      const block = firstKey(formatPem(label, hugeDsaKey()));
      const taken = processorTime(() =>
        assert.throws(() => readPrivateKey(block), refusal('key-malformed')),
      );
      assert.ok(taken < 100, `it took ${taken} ms`);
    }
  });

  it('is refused when it is damaged, without a word of its content', () => {
    const { der } = firstKey(pkcs8);
    const [block] = parsePem(formatPem('PRIVATE KEY', der.fill(0xff, 10, 20)));
    assert.ok(block);
    const base64 = block.text.split('\n')[1] ?? '';
    assert.throws(
      () => readPrivateKey(block),
      (error: Error) => {
        refusal('key-malformed')(error);
        assert.ok(!error.message.includes(base64.slice(0, 20)));
        assert.equal(error.cause, undefined);
        return true;
      },
    );
  });

  it('is not looked for in other blocks', () => {
    for (const label of ['CERTIFICATE', 'PUBLIC KEY', 'EC PARAMETERS', 'X509 CRL']) {
      assert.ok(!isKeyBlock({ label, der: Buffer.of(), text: '', encrypted: false }));
    }
  });

  it('is exported in a form that openssl reads as the same key', () => {
    const text = exportPrivateKey(readPrivateKey(firstKey(rsa)));
    assert.equal(openssl(['pkey', '-pubout'], text), openssl(['pkey', '-pubout'], rsa));
  });
});

describe('a key that we make', () => {
  for (const curve of curves) {
    it(`is on the curve ${curve}, and new each time`, () => {
      const one = generateKey({ kind: 'EC', curve });
      assert.equal(one.asymmetricKeyDetails?.namedCurve, curve);
      assert.ok(!one.equals(generateKey({ kind: 'EC', curve })));
    });
  }

  it('has as many RSA bits as were asked for', () => {
    const key = generateKey({ kind: 'RSA', bits: 2048 });
    assert.equal(key.asymmetricKeyDetails?.modulusLength, 2048);
    assert.equal(key.asymmetricKeyDetails?.publicExponent, 65537n);
  });
});

describe('the public half of a key', () => {
  it('has the key identifier that openssl writes', () => {
    const authority = opensslAuthority();
    const { pem } = authority.issue({ extensions: ['subjectKeyIdentifier=hash'] });
    authority.remove();
    const text = openssl(['x509', '-noout', '-ext', 'subjectKeyIdentifier'], pem);
    const info = publicKeyInfo(createPublicKey(pem));
    const expected = text.split('\n')[1]?.trim().replaceAll(':', '').toLowerCase();
    assert.equal(keyIdentifier(info).toString('hex'), expected);
  });

  it('has one hash, whichever form the key came in', () => {
    const hashOf = (text: string) => publicKeyHash(publicKeyInfo(createPublicKey(text)));
    assert.match(hashOf(pkcs8), /^[0-9a-f]{64}$/);
    assert.equal(hashOf(pkcs8), hashOf(openssl(['ec'], pkcs8)));
    assert.notEqual(hashOf(pkcs8), hashOf(rsa));
  });
});

describe('a signer', () => {
  const data = Buffer.from('to be signed');
  for (const [curve, digest] of [
    ['secp224r1', 'sha256'],
    ['prime256v1', 'sha256'],
    ['secp384r1', 'sha384'],
    ['secp521r1', 'sha512'],
  ] as const) {
    it(`signs with ${digest} on ${curve}`, () => {
      const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: curve });
      assert.ok(verify(digest, data, publicKey, signerFor(privateKey).sign(data)));
    });
  }

  for (const [what, key] of [
    ['of another curve', generateKeyPairSync('ec', { namedCurve: 'prime192v1' }).privateKey],
    ['of another algorithm', generateKeyPairSync('ed25519').privateKey],
  ] as const) {
    it(`is refused for a key ${what}`, () => {
      assert.throws(() => signerFor(key), refusal('argument-invalid'));
    });
  }
});

/** `openssl ecparam -genkey` puts the curve into a block of its own before the key. */
function legacyEc(): string {
  return openssl(['ecparam', '-name', 'secp384r1', '-genkey']);
}
