import assert from 'node:assert/strict';
import { createCipheriv, createHash, createPrivateKey, pbkdf2Sync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { CertError } from '../../src/core/cert-error.ts';
import { type ContentFormat, openContent, parseFormat } from '../../src/x509/containers.ts';
import { encode, octetString, oid, sequence, unsignedInteger } from '../../src/x509/der.ts';
import { usualLimits } from '../../src/x509/limits.ts';
import { formatPem, parsePem } from '../../src/x509/pem.ts';
import { hugeDsaKey } from '../fakes/huge-dsa-key.ts';
import { toPem } from '../fakes/opened-content.ts';
import { keyKinds, openssl, opensslAuthority } from '../fakes/openssl-authority.ts';
import { processorTime } from '../fakes/processor-time.ts';
import { refusal } from '../fakes/refusal.ts';

const tools = opensslAuthority();
after(() => tools.remove());

const root = tools.issueCa();
const ec = tools.issue({ issuer: root, subject: '/CN=ec' });
const rsa = tools.issue({ issuer: root, subject: '/CN=rsa', key: keyKinds.rsa(2048) });
const ed = tools.issue({ issuer: root, subject: '/CN=ed', key: keyKinds.ed25519 });

const password = 'pass Wörd';

/** A file that openssl makes. */
function made(name: string, args: readonly string[]): Buffer {
  const path = join(tools.directory, name);
  openssl([...args, '-out', path]);
  return readFileSync(path);
}

/** Labels and certificates of a text, and whether its key is the given one. */
function contentOf(text: string, key: string) {
  const blocks = parsePem(text);
  const found = blocks.find(({ label }) => label === 'PRIVATE KEY');
  return {
    certificates: blocks.filter(({ label }) => label === 'CERTIFICATE').map(({ text }) => text),
    hasKey: found !== undefined && createPrivateKey(found.text).equals(createPrivateKey(key)),
  };
}

/** A key that nobody encrypted, with these numbers of scrypt. */
function scryptKey(...numbers: readonly number[]): Buffer {
  const integers = numbers.map((number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(number);
    return unsignedInteger(bytes);
  });
  const parameters = sequence(octetString(Buffer.alloc(8)), ...integers);
  const derivation = sequence(oid('1.3.6.1.4.1.11591.4.11'), parameters);
  const cipher = sequence(oid('2.16.840.1.101.3.4.1.42'), octetString(Buffer.alloc(16)));
  const algorithm = sequence(oid('1.2.840.113549.1.5.13'), sequence(derivation, cipher));
  return encode(sequence(algorithm, octetString(Buffer.alloc(32))));
}

describe('a PKCS #12 file', () => {
  const schemes: readonly [string, readonly string[]][] = [
    ['of today', []],
    [
      'with 3DES and SHA-1, as Windows writes',
      ['-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-3DES', '-macalg', 'sha1'],
    ],
    ['with RC2, as old Java writes', ['-legacy', '-descert', '-certpbe', 'PBE-SHA1-RC2-40']],
    ['without encryption', ['-keypbe', 'NONE', '-certpbe', 'NONE']],
    ['without a MAC', ['-nomac']],
    ['with a MAC of SHA-384', ['-macalg', 'sha384']],
    ['with a MAC of SHA-512', ['-macalg', 'sha512']],
    ['with AES-128', ['-keypbe', 'AES-128-CBC', '-certpbe', 'AES-128-CBC']],
    ['with AES-192', ['-keypbe', 'AES-192-CBC', '-certpbe', 'AES-192-CBC']],
    ['with 3DES of two keys', ['-keypbe', 'PBE-SHA1-2DES', '-certpbe', 'PBE-SHA1-2DES']],
    [
      'with RC2 of 128 bits',
      ['-legacy', '-keypbe', 'PBE-SHA1-RC2-128', '-certpbe', 'PBE-SHA1-RC2-128'],
    ],
    ['with another pseudo-random function', ['-keypbe', 'AES-256-CBC', '-macalg', 'sha224']],
  ];
  for (const [what, options] of schemes) {
    for (const [kind, issued] of [
      ['EC', ec],
      ['RSA', rsa],
      ['Ed25519', ed],
    ] as const) {
      it(`${what} gives its ${kind} key and its chain`, () => {
        const bytes = made('any.p12', [
          ...['pkcs12', '-export', '-in', issued.path, '-inkey', issued.keyPath],
          ...['-certfile', root.path, '-passout', `pass:${password}`, ...options],
        ]);
        const { certificates, hasKey } = contentOf(
          toPem({ bytes, format: 'PKCS12', password }),
          issued.key,
        );
        assert.deepEqual([...certificates].sort(), [issued.pem, root.pem].sort());
        assert.ok(hasKey);
      });
    }
  }

  const bytes = made('good.p12', [
    ...['pkcs12', '-export', '-in', ec.path, '-inkey', ec.keyPath, '-passout', `pass:${password}`],
  ]);

  it('is refused with another password', () => {
    for (const wrong of ['', 'wrong', `${password} `]) {
      assert.throws(
        () => toPem({ bytes, format: 'PKCS12', password: wrong }),
        refusal('password-wrong'),
      );
    }
  });

  it('with the rounds of Java before 16 is opened', () => {
    const old = made('java.p12', [
      ...['pkcs12', '-export', '-in', ec.path, '-inkey', ec.keyPath, '-legacy'],
      ...['-passout', `pass:${password}`, '-iter', '50000'],
    ]);
    assert.ok(contentOf(toPem({ bytes: old, format: 'PKCS12', password }), ec.key).hasKey);
  });

  it('is refused when it wants more rounds than anybody would wait for', () => {
    const slow = made('slow.p12', [
      ...['pkcs12', '-export', '-in', ec.path, '-inkey', ec.keyPath],
      ...['-passout', `pass:${password}`, '-iter', '5000000', '-nomac'],
    ]);
    assert.throws(
      () => toPem({ bytes: slow, format: 'PKCS12', password }),
      refusal('key-derivation-limit', /more than 4000000 rounds/),
    );
  });

  it('is refused or read whatever is changed in it, by an error of our own', () => {
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = Buffer.from(bytes);
        changed.writeUInt8(changed.readUInt8(at) ^ flip, at);
        try {
          toPem({ bytes: changed, format: 'PKCS12', password });
        } catch (error) {
          assert.ok(error instanceof CertError, String(error));
          assert.ok(!error.message.includes(password));
        }
      }),
      { numRuns: 150 },
    );
  });
});

describe('other forms of content', () => {
  const good: readonly [string, ContentFormat, () => Buffer][] = [
    [
      'a certificate in DER',
      'DER',
      () => made('c.der', ['x509', '-in', ec.path, '-outform', 'DER']),
    ],
    [
      'PKCS #7 in DER',
      'PKCS7',
      () => made('c.p7b', ['crl2pkcs7', '-nocrl', '-certfile', ec.path, '-outform', 'DER']),
    ],
    ['PKCS #7 in PEM', 'PKCS7', () => made('c.p7', ['crl2pkcs7', '-nocrl', '-certfile', ec.path])],
    [
      'PKCS #7 in PEM that is said to be PEM',
      'PEM',
      () => made('c.p7', ['crl2pkcs7', '-nocrl', '-certfile', ec.path]),
    ],
    ['PEM', 'PEM', () => Buffer.from(ec.pem)],
  ];
  for (const [what, format, make] of good) {
    it(`${what} gives the certificate`, () => {
      const text = toPem({ bytes: make(), format, password: '' });
      assert.deepEqual(contentOf(text, ec.key).certificates, [ec.pem]);
    });
  }

  it('PEM is left as it is, without the words between its blocks', () => {
    const bytes = Buffer.from(`words\n${ec.pem}more words\n${ec.key}`);
    assert.equal(toPem({ bytes, format: 'PEM', password: '' }), ec.pem + ec.key);
  });

  it('an encrypted key in PEM is opened by the password', () => {
    const sealed = openssl(['pkey', '-aes128', '-passout', `pass:${password}`], rsa.key);
    const text = toPem({ bytes: Buffer.from(sealed + rsa.pem), format: 'PEM', password });
    assert.deepEqual(contentOf(text, rsa.key), { certificates: [rsa.pem], hasKey: true });
    const bytes = Buffer.from(sealed + rsa.pem);
    const wrong = () => toPem({ bytes, format: 'PEM', password: 'wrong' });
    assert.throws(wrong, refusal('password-wrong'));
  });

  it('a key that is encrypted in the traditional way is opened too', () => {
    const sealed = openssl(
      ['rsa', '-traditional', '-aes128', '-passout', `pass:${password}`],
      rsa.key,
    );
    assert.match(sealed, /Proc-Type/);
    const bytes = Buffer.from(sealed + rsa.pem);
    const text = toPem({ bytes, format: 'PEM', password });
    assert.deepEqual(contentOf(text, rsa.key), { certificates: [rsa.pem], hasKey: true });
  });

  const traditional = ['aes128', 'aes192', 'aes256', 'des3'];
  for (const cipher of traditional) {
    it(`an EC key that ${cipher} encrypted in the traditional way is opened, but not by another password`, () => {
      const sealed = openssl(['ec', `-${cipher}`, '-passout', `pass:${password}`], ec.key);
      const bytes = Buffer.from(sealed);
      assert.ok(contentOf(toPem({ bytes, format: 'PEM', password }), ec.key).hasKey);
      const wrong = () => toPem({ bytes, format: 'PEM', password: 'wrong' });
      assert.throws(wrong, refusal('password-wrong'));
    });
  }

  it('no more keys that are encrypted in the traditional way are opened than others', () => {
    const sealed = openssl(['ec', '-aes128', '-passout', `pass:${password}`], ec.key);
    const bytes = Buffer.from(sealed.repeat(33));
    const open = () => toPem({ bytes, format: 'PEM', password });
    assert.throws(open, refusal('key-derivation-limit', /more than 32 keys/));
  });

  it('an encrypted DSA key is refused before OpenSSL computes with it', () => {
    const headers = ['Proc-Type: 4,ENCRYPTED', `DEK-Info: AES-128-CBC,${'00'.repeat(16)}`];
    const salted = Buffer.concat([Buffer.from(password), Buffer.alloc(8)]);
    const hidden = (key: Buffer) => {
      const cipher = createCipheriv('aes-128-cbc', key, Buffer.alloc(16));
      return Buffer.concat([cipher.update(hugeDsaKey()), cipher.final()]);
    };
    const old = hidden(createHash('md5').update(salted).digest());
    const parameters = sequence(octetString(Buffer.alloc(8)), unsignedInteger(Buffer.of(1)));
    const algorithm = sequence(
      oid('1.2.840.113549.1.5.13'),
      sequence(
        sequence(oid('1.2.840.113549.1.5.12'), parameters),
        sequence(oid('2.16.840.1.101.3.4.1.2'), octetString(Buffer.alloc(16))),
      ),
    );
    const today = hidden(pbkdf2Sync(password, Buffer.alloc(8), 1, 16, 'sha1'));
    for (const pem of [
      formatPem('EC PRIVATE KEY', old, headers),
      formatPem('ENCRYPTED PRIVATE KEY', encode(sequence(algorithm, octetString(today)))),
    ]) {
      const open = () => toPem({ bytes: Buffer.from(pem), format: 'PEM', password });
      const taken = processorTime(() => assert.throws(open, refusal('password-wrong')));
      assert.ok(taken < 100, `it took ${taken} ms`);
    }
  });

  const slow: readonly [string, readonly string[]][] = [
    ['PBKDF2 with 2 000 000 rounds', ['-v2', 'aes-128-cbc', '-iter', '2000000']],
    ['3DES with 250 000 rounds, three times', ['-v1', 'PBE-SHA1-3DES', '-iter', '250000']],
    [
      'scrypt in sixteen lanes',
      ['-scrypt', '-scrypt_N', '16384', '-scrypt_r', '8', '-scrypt_p', '16'],
    ],
  ];
  for (const [what, options] of slow) {
    it(`a key that is encrypted by ${what} is refused before it costs that`, () => {
      const sealed = openssl(
        ['pkcs8', '-topk8', ...options, '-passout', `pass:${password}`],
        ec.key,
      );
      const bytes = Buffer.from(sealed + ec.pem);
      const limits = { ...usualLimits, derivationRounds: 600_000 };
      const open = () => openContent({ bytes, format: 'PEM', password }, limits, 700_000);
      assert.throws(open, refusal('key-derivation-limit', /more than 600000 rounds/));
    });
  }

  it('what takes more than a few rounds is opened for those alone who may wait for it', () => {
    const options = ['-v2', 'aes-128-cbc', '-iter', '10001', '-passout', `pass:${password}`];
    const sealed = openssl(['pkcs8', '-topk8', ...options], ec.key);
    const content = { bytes: Buffer.from(sealed), format: 'PEM', password } as const;
    const words = /more than 10000 rounds/;
    assert.throws(() => openContent(content), refusal('key-derivation-limit', words));
    assert.ok(contentOf(toPem(content), ec.key).hasKey);
  });

  it('a key whose derivation takes more memory than it may is refused before it has that', () => {
    const bytes = Buffer.from(formatPem('ENCRYPTED PRIVATE KEY', scryptKey(65_536, 9, 1)));
    const open = () => toPem({ bytes, format: 'PEM', password });
    assert.throws(open, refusal('key-derivation-limit', /more than 70000000 bytes/));
    const limits = { ...usualLimits, derivationBytes: 80_000_000 };
    const openMore = () => openContent({ bytes, format: 'PEM', password }, limits, 600_000);
    assert.throws(openMore, refusal('password-wrong'));
  });

  const unusual: readonly [string, readonly [number, number, number]][] = [
    ['a cost of 0', [0, 8, 1]],
    ['blocks of 0', [16_384, 0, 1]],
    ['no lane, and much memory', [131_072, 8, 0]],
  ];
  for (const [what, [cost, blocks, lanes]] of unusual) {
    it(`a key that is encrypted by scrypt with ${what} is refused before it costs anything`, () => {
      const bytes = Buffer.from(formatPem('ENCRYPTED PRIVATE KEY', scryptKey(cost, blocks, lanes)));
      const open = () => toPem({ bytes, format: 'PEM', password });
      const taken = processorTime(() => assert.throws(open, refusal('container-malformed')));
      assert.ok(taken < 30, `it took ${taken} ms`);
    });
  }

  it('a key that is encrypted by scrypt as openssl does by itself is opened', () => {
    const sealed = openssl(['pkcs8', '-topk8', '-scrypt', '-passout', `pass:${password}`], ec.key);
    const text = toPem({ bytes: Buffer.from(sealed + ec.pem), format: 'PEM', password });
    assert.ok(contentOf(text, ec.key).hasKey);
  });

  for (const format of ['PKCS7', 'PKCS12'] as const) {
    it(`garbage as ${format} is refused as container-malformed`, () => {
      const bytes = Buffer.from('garbage');
      assert.throws(() => toPem({ bytes, format, password: '' }), refusal('container-malformed'));
    });
  }

  for (const text of ['pem', '', 'JKS']) {
    it(`${text || 'nothing'} is no format`, () => {
      assert.throws(() => parseFormat(text), refusal('format-unknown'));
    });
  }
});
