import assert from 'node:assert/strict';
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  generateKeyPairSync,
  pbkdf2Sync,
} from 'node:crypto';
import { describe, it } from 'node:test';
import {
  type Asn1,
  contextConstructed,
  contextPrimitive,
  decode,
  encode,
  octetString,
  oid,
  sequence,
  unsignedInteger,
} from '../../src/x509/der.ts';
import {
  derivePkcs12Key,
  type Pkcs12Derivation,
  pkcs12Passwords,
  purposes,
} from '../../src/x509/key-derivation.ts';
import { usualLimits } from '../../src/x509/limits.ts';
import { readPkcs12 } from '../../src/x509/pkcs12.ts';
import { forgeCertificate } from '../fakes/forged-certificate.ts';
import { processorTime } from '../fakes/processor-time.ts';
import { refusal } from '../fakes/refusal.ts';

const password = 'pw';
const dataId = '1.2.840.113549.1.7.1';
const bagId = (last: number) => oid(`1.2.840.113549.1.12.10.1.${last}`);
const number = (value: number) => unsignedInteger(Buffer.of(value));
const salt = octetString(Buffer.alloc(8));

/** With one round, so that only the number of them costs anything. */
function encrypted(plain: Buffer): { readonly algorithm: Asn1; readonly bytes: Buffer } {
  const key = pbkdf2Sync(password, Buffer.alloc(8), 1, 32, 'sha1');
  const cipher = createCipheriv('aes-256-cbc', key, Buffer.alloc(16));
  const scheme = sequence(oid('2.16.840.1.101.3.4.1.42'), octetString(Buffer.alloc(16)));
  const derivation = sequence(oid('1.2.840.113549.1.5.12'), sequence(salt, number(1)));
  return {
    algorithm: sequence(oid('1.2.840.113549.1.5.13'), sequence(derivation, scheme)),
    bytes: Buffer.concat([cipher.update(plain), cipher.final()]),
  };
}

const info = (id: string, content: Asn1) => sequence(oid(id), contextConstructed(0, content));
const file = (contents: readonly Asn1[]) =>
  encode(sequence(number(3), info(dataId, octetString(encode(sequence(...contents))))));
const fileWith = (contents: Buffer, macData: Asn1) =>
  encode(sequence(number(3), info(dataId, octetString(contents)), macData));
const plain = (bags: readonly Asn1[]) => info(dataId, octetString(encode(sequence(...bags))));
const sealed = (algorithm: Asn1, bytes: Buffer) =>
  info(
    '1.2.840.113549.1.7.6',
    sequence(number(0), sequence(oid(dataId), algorithm, contextPrimitive(0, bytes))),
  );
const sealedEmpty = () => {
  const { algorithm, bytes } = encrypted(encode(sequence()));
  return sealed(algorithm, bytes);
};
const keyBag = (key: Asn1) => sequence(bagId(1), contextConstructed(0, key));
const sealedKeyBag = (key: Buffer) => {
  const { algorithm, bytes } = encrypted(key);
  return sequence(bagId(2), contextConstructed(0, sequence(algorithm, octetString(bytes))));
};
const certificateBag = (der: Buffer) => {
  const id = oid('1.2.840.113549.1.9.22.1');
  const inner = sequence(id, contextConstructed(0, octetString(der)));
  return sequence(bagId(3), contextConstructed(0, inner));
};
const times = (count: number, one: Asn1) => Array<Asn1>(count).fill(one);

const own = forgeCertificate({});
const pkcs8 = { type: 'pkcs8', format: 'der' } as const;
const ecKey = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey.export(pkcs8);
const rsaKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export(pkcs8);
const nulls = sequence(...times(100, sequence(...times(3400, decode(Buffer.of(5, 0))))));
/** Too much of it to be opened by an algorithm of another age, and nothing that anybody encrypted. */
const old = (id: string) =>
  sealed(sequence(oid(id), sequence(salt, number(1))), Buffer.alloc(700_000, 7));

describe('a PKCS #12 file', () => {
  it('gives keys and certificates as they are', () => {
    const bags = [keyBag(decode(rsaKey)), sealedKeyBag(ecKey), certificateBag(own)];
    assert.deepEqual(readPkcs12(file([plain(bags)]), password), {
      certificates: [own],
      keys: [rsaKey, ecKey],
    });
  });

  it('without a password is opened whether that was an empty string or nothing at all', () => {
    const contents = encode(sequence(plain([certificateBag(own)])));
    const stated = { hash: 'sha256', salt: Buffer.alloc(8, 1), rounds: 3 };
    for (const form of pkcs12Passwords('')) {
      const key = derivePkcs12Key(stated, purposes.mac, form, 32);
      const mac = createHmac('sha256', key).update(contents).digest();
      const digest = sequence(sequence(oid('2.16.840.1.101.3.4.2.1')), octetString(mac));
      const macData = sequence(digest, octetString(stated.salt), number(stated.rounds));
      const bytes = fileWith(contents, macData);
      assert.deepEqual(readPkcs12(bytes, ''), { certificates: [own], keys: [] });
      assert.throws(() => readPkcs12(bytes, 'x'), refusal('password-wrong', /does not open/));
    }
  });

  it('without a password is opened where the wrong form of none decrypts to something too', () => {
    const [empty = Buffer.alloc(0), nothing = Buffer.alloc(0)] = pkcs12Passwords('');
    const contents = encode(sequence(certificateBag(own)));
    const keyAndIv = (stated: Pkcs12Derivation, form: Buffer) =>
      [
        derivePkcs12Key(stated, purposes.key, form, 24),
        derivePkcs12Key(stated, purposes.iv, form, 8),
      ] as const;
    const sealedWith = (stated: Pkcs12Derivation) => {
      const cipher = createCipheriv('des-ede3-cbc', ...keyAndIv(stated, nothing));
      return Buffer.concat([cipher.update(contents), cipher.final()]);
    };
    const isMisleading = (stated: Pkcs12Derivation) => {
      const cipher = createDecipheriv('des-ede3-cbc', ...keyAndIv(stated, empty));
      cipher.update(sealedWith(stated));
      try {
        return cipher.final().length < 8;
      } catch {
        return false;
      }
    };
    let stated = { hash: 'sha1', salt: Buffer.alloc(4), rounds: 1 };
    for (let n = 1; !isMisleading(stated); n += 1) {
      stated = { ...stated, salt: Buffer.alloc(4) };
      stated.salt.writeUInt32BE(n);
    }
    const parameters = sequence(octetString(stated.salt), number(1));
    const scheme = sequence(oid('1.2.840.113549.1.12.1.3'), parameters);
    const bytes = file([sealed(scheme, sealedWith(stated))]);
    assert.deepEqual(readPkcs12(bytes, '').certificates, [own]);
  });

  const hmac = (last: number) => sequence(oid(`1.2.840.113549.2.${last}`));
  /** A file with PBMAC1, whose key has so many bytes but may state others. */
  const withPbmac1 = (keyBytes: number, ...stated: readonly Asn1[]) => {
    const contents = encode(sequence(plain([certificateBag(own)])));
    const key = pbkdf2Sync('pw', Buffer.alloc(8), 5, keyBytes, 'sha256');
    const mac = createHmac('sha512', key).update(contents).digest();
    const parameters = sequence(salt, number(5), ...stated, hmac(9));
    const derivation = sequence(oid('1.2.840.113549.1.5.12'), parameters);
    const algorithm = sequence(oid('1.2.840.113549.1.5.14'), sequence(derivation, hmac(11)));
    return fileWith(contents, sequence(sequence(algorithm, octetString(mac)), salt, number(1)));
  };

  for (const keyBytes of [20, 32, 64]) {
    it(`may have a MAC of PBMAC1 (RFC 9579) with a key of ${keyBytes} bytes`, () => {
      const bytes = withPbmac1(keyBytes, number(keyBytes));
      assert.deepEqual(readPkcs12(bytes, 'pw').certificates, [own]);
      assert.throws(() => readPkcs12(bytes, 'px'), refusal('password-wrong', /does not open/));
    });
  }

  it('with a MAC of PBMAC1 is refused without the length of its key, and with a large one', () => {
    const refused = refusal('container-malformed', /a key of/);
    assert.throws(() => readPkcs12(withPbmac1(64), 'pw'), refused);
    assert.throws(() => readPkcs12(withPbmac1(65, number(65)), 'pw'), refused);
  });

  it('with a MAC or an encryption of less than one round is refused, whatever the password', () => {
    const contents = encode(sequence(plain([certificateBag(own)])));
    // Without a round the key would be what comes before the salt and the password
    const mac = createHmac('sha256', Buffer.alloc(32, purposes.mac)).update(contents).digest();
    const digest = sequence(sequence(oid('2.16.840.1.101.3.4.2.1')), octetString(mac));
    const negative = decode(Buffer.of(2, 1, 0xff));
    for (const rounds of [number(0), negative]) {
      const withMac = fileWith(contents, sequence(digest, salt, rounds));
      const scheme = sequence(oid('1.2.840.113549.1.12.1.3'), sequence(salt, rounds));
      for (const bytes of [withMac, file([sealed(scheme, Buffer.alloc(8))])])
        assert.throws(() => readPkcs12(bytes, password), refusal('container-malformed'));
    }
  });

  it('with an encryption that is not known says which', () => {
    const bytes = file([sealed(sequence(oid('1.2.3.4'), sequence(salt, number(1))), own)]);
    const words = /the encryption 1\.2\.3\.4 is not known/;
    assert.throws(() => readPkcs12(bytes, password), refusal('container-malformed', words));
  });

  it('may have sixteen keys, and no more', () => {
    const of = (count: number) => file([plain(times(count, keyBag(decode(rsaKey))))]);
    assert.equal(readPkcs12(of(16), password).keys.length, 16);
    const words = /17 private keys and the limit is 16/;
    assert.throws(() => readPkcs12(of(17), password), refusal('too-many-certificates', words));
  });

  it('may have a thousand certificates, and no more', () => {
    const of = (count: number) => file([plain(times(count, certificateBag(own)))]);
    assert.equal(readPkcs12(of(1000), password).certificates.length, 1000);
    const words = /1001 certificates and the limit is 1000/;
    assert.throws(() => readPkcs12(of(1001), password), refusal('too-many-certificates', words));
  });

  it('may derive as many keys as the configuration says, and no more', () => {
    const of = (count: number) => file(times(count, sealedEmpty()));
    assert.doesNotThrow(() => readPkcs12(of(32), password));
    const words = /more than 32 keys derived/;
    assert.throws(() => readPkcs12(of(33), password), refusal('key-derivation-limit', words));
    const more = { ...usualLimits, keyDerivations: 40 };
    assert.doesNotThrow(() => readPkcs12(of(33), password, more));
  });

  it('may take as many rounds as the configuration says, in all of its contents together', () => {
    const of = (count: number) => file(times(count, sealedEmpty()));
    const limits = { ...usualLimits, derivationRounds: 20 };
    assert.doesNotThrow(() => readPkcs12(of(20), password, limits));
    const words = /more than 20 rounds/;
    assert.throws(
      () => readPkcs12(of(21), password, limits),
      refusal('key-derivation-limit', words),
    );
  });

  it('that wants billions of rounds is refused before the first', () => {
    const rounds = decode(Buffer.from('020500ffffffff', 'hex'));
    const digest = sequence(sequence(oid('2.16.840.1.101.3.4.2.1')), octetString(Buffer.alloc(32)));
    const withMac = fileWith(encode(sequence()), sequence(digest, salt, rounds));
    const scheme = sequence(oid('1.2.840.113549.1.12.1.3'), sequence(salt, rounds));
    for (const bytes of [withMac, file([sealed(scheme, Buffer.alloc(8))])])
      assert.throws(() => readPkcs12(bytes, password), refusal('key-derivation-limit', /rounds/));
  });

  const hostile: readonly [string, () => Buffer][] = [
    ['keys that are encrypted', () => file([plain(times(2800, sealedKeyBag(ecKey)))])],
    ['contents that are encrypted', () => file(times(4500, sealedEmpty()))],
    ['RSA keys', () => file([plain(times(550, keyBag(decode(rsaKey))))])],
    ['certificates', () => file([plain(times(1800, certificateBag(own)))])],
    ['elements in a key', () => file([plain([keyBag(nulls)])])],
    ['bytes that RC2 encrypted', () => file([old('1.2.840.113549.1.12.1.6')])],
    ['bytes that 3DES encrypted', () => file([old('1.2.840.113549.1.12.1.3')])],
  ];
  for (const [what, make] of hostile) {
    it(`of as many ${what} as fit into a megabyte is refused in no time`, () => {
      const bytes = make();
      const taken = processorTime(() =>
        assert.throws(() => readPkcs12(bytes, password), refusalOfAny),
      );
      assert.ok(taken < 1000, `it took ${taken} ms`);
    });
  }
});

function refusalOfAny(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return [
    'too-many-certificates',
    'container-malformed',
    'key-derivation-limit',
    'password-wrong',
  ].includes(code);
}
