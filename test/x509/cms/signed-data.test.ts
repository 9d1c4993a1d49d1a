import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { CmsFault } from '../../../src/x509/cms/cms-fault.ts';
import { signDetached } from '../../../src/x509/cms/sign.ts';
import { verifyDetached } from '../../../src/x509/cms/verify.ts';
import { keyPurposes } from '../../../src/x509/oids.ts';
import {
  type CertificateShape,
  caExtensions,
  goodTime,
  type Issued,
  keyKinds,
  type OpensslAuthority,
  openssl,
  opensslAuthority,
} from '../../fakes/openssl-authority.ts';

const content = Buffer.from('{"format":1}\n');
const now = goodTime.getTime() / 1000;

const signerExtensions = [
  'basicConstraints=CA:FALSE',
  'keyUsage=critical,digitalSignature',
  'extendedKeyUsage=codeSigning',
  'subjectKeyIdentifier=hash',
];

describe('a detached signature in CMS', () => {
  let authority: OpensslAuthority;
  let root: Issued;
  let intermediate: Issued;
  let signer: Issued;

  before(() => {
    authority = opensslAuthority();
    root = authority.issueCa({ subject: '/CN=Bundle Root' });
    intermediate = authority.issueCa({ subject: '/CN=Bundle CA', issuer: root });
    signer = authority.issue({
      subject: '/CN=Bundle Signer',
      issuer: intermediate,
      extensions: signerExtensions,
    });
  });
  after(() => authority.remove());

  const rules = (roots = [root], time = now) => ({
    roots: roots.map(({ certificate }) => certificate),
    now: time,
    purposes: [keyPurposes.CodeSigning],
  });

  /** As another publisher makes one. */
  const signedByOpenssl = (by: Issued, more: readonly string[] = [], file = content): Buffer => {
    const path = join(authority.directory, 'content');
    const out = `${path}.p7s`;
    writeFileSync(path, file);
    openssl([
      ...['cms', '-sign', '-binary', '-in', path, '-signer', by.path, '-inkey', by.keyPath],
      ...['-certfile', intermediate.path, '-outform', 'DER', '-out', out, ...more],
    ]);
    return readFileSync(out);
  };

  const opensslTakes = (message: Buffer, file = content, trusted = root): boolean => {
    const path = join(authority.directory, 'verified');
    writeFileSync(path, file);
    writeFileSync(`${path}.p7s`, message);
    const { status } = spawnSync('openssl', [
      ...['cms', '-verify', '-binary', '-content', path, '-in', `${path}.p7s`, '-inform', 'DER'],
      ...['-CAfile', trusted.path, '-purpose', 'any', '-attime', String(now), '-out', '/dev/null'],
    ]);
    return status === 0;
  };

  const signedByUs = (by: Issued, issuers = [intermediate]): Buffer =>
    signDetached(
      content,
      {
        certificate: by.certificate,
        key: createPrivateKey(by.key),
        intermediates: issuers.map(({ certificate }) => certificate),
      },
      goodTime,
    );

  const refusal = (code: CmsFault['code'], message: RegExp) => (error: unknown) => {
    assert.ok(error instanceof CmsFault, String(error));
    assert.match(error.message, message);
    assert.equal(error.code, code);
    return true;
  };

  const kinds: [string, readonly string[], readonly (readonly string[])[]][] = [
    ['P-256', keyKinds.p256, [[], ['-md', 'sha512'], ['-keyid']]],
    ['P-384', keyKinds.ec('P-384'), [['-md', 'sha384']]],
    ['P-521', keyKinds.ec('P-521'), [['-md', 'sha512']]],
    [
      'RSA',
      keyKinds.rsa(2048),
      [
        ['-md', 'sha256'],
        ['-md', 'sha384', '-keyopt', 'rsa_padding_mode:pss'],
        ['-md', 'sha256', '-keyopt', 'rsa_padding_mode:pss', '-keyopt', 'rsa_pss_saltlen:32'],
      ],
    ],
  ];
  for (const [name, key, ways] of kinds) {
    it(`is taken of openssl, and ours by openssl, with a key of ${name}`, () => {
      const by = authority.issue({ issuer: intermediate, key, extensions: signerExtensions });
      for (const way of ways) {
        const message = signedByOpenssl(by, way);
        const { certificate, root: found } = verifyDetached(message, content, rules());
        assert.equal(certificate.fingerprint, by.certificate.fingerprint);
        assert.equal(found.fingerprint, root.certificate.fingerprint);
      }
      const ours = signedByUs(by);
      verifyDetached(ours, content, rules());
      assert.ok(opensslTakes(ours));
    });
  }

  it('is made and taken with Ed25519, which openssl 3.0 does not do', () => {
    const by = authority.issue({
      ...{ issuer: intermediate, key: keyKinds.ed25519, extensions: signerExtensions },
    });
    verifyDetached(signedByUs(by), content, rules());
  });

  const forms: [string, readonly string[], CmsFault['code'], RegExp][] = [
    ['without signed attributes', ['-noattr'], 'malformed', /no signed attributes/],
    ['with a content of its own', ['-nodetach'], 'malformed', /not detached/],
    ['of SHA-1', ['-md', 'sha1'], 'malformed', /the digest .* is not taken/],
    ['of another type', ['-econtent_type', '1.2.3.4'], 'malformed', /not of the type data/],
    ['without certificates', ['-nocerts'], 'malformed', /not in the signature/],
    ['in BER', ['-stream', '-nodetach'], 'malformed', /no SignedData in DER/],
  ];
  for (const [what, way, code, message] of forms) {
    it(`is refused ${what}`, () => {
      const signed = signedByOpenssl(signer, way);
      assert.throws(() => verifyDetached(signed, content, rules()), refusal(code, message));
    });
  }

  it('is refused of two signers', () => {
    const other = authority.issue({ issuer: intermediate, extensions: signerExtensions });
    const more = ['-signer', other.path, '-inkey', other.keyPath];
    const check = refusal('malformed', /2 signers instead of one/);
    assert.throws(() => verifyDetached(signedByOpenssl(signer, more), content, rules()), check);
  });

  it('is refused of a key on another curve', () => {
    const key = keyKinds.ec('secp256k1');
    const by = authority.issue({ issuer: intermediate, key, extensions: signerExtensions });
    const check = refusal('malformed', /the curve secp256k1 of the signer is not taken/);
    assert.throws(() => verifyDetached(signedByOpenssl(by), content, rules()), check);
  });

  it('is refused of another content', () => {
    const other = Buffer.from('{"format":2}\n');
    const check = refusal('invalid', /another content/);
    assert.throws(() => verifyDetached(signedByUs(signer), other, rules()), check);
  });

  it('is refused of another root of the same name', () => {
    const twin = authority.issueCa({ subject: '/CN=Bundle Root' });
    const check = refusal('untrusted', /no trusted CA is above it/);
    assert.throws(() => verifyDetached(signedByUs(signer), content, rules([twin])), check);
    assert.ok(!opensslTakes(signedByUs(signer), content, twin));
  });

  it('is refused without the intermediate CA', () => {
    const check = refusal('untrusted', /no trusted CA is above it/);
    assert.throws(() => verifyDetached(signedByUs(signer, []), content, rules()), check);
  });

  const shapes: [string, () => CertificateShape, CmsFault['code'], RegExp][] = [
    [
      'whose certificate has expired',
      () => ({ from: '20250101000000Z', until: '20250201000000Z' }),
      'unfit',
      /has expired/,
    ],
    [
      'whose certificate is not valid yet',
      () => ({ from: '20300101000000Z' }),
      'unfit',
      /not valid/,
    ],
    [
      'without digitalSignature',
      () => ({ extensions: ['keyUsage=keyAgreement', 'extendedKeyUsage=codeSigning'] }),
      'unfit',
      /lacks digitalSignature/,
    ],
    [
      'without a keyUsage',
      () => ({ extensions: ['extendedKeyUsage=codeSigning'] }),
      'unfit',
      /lacks digitalSignature/,
    ],
    [
      'of another purpose',
      () => ({ extensions: ['keyUsage=digitalSignature', 'extendedKeyUsage=serverAuth'] }),
      'unfit',
      /none of the purposes/,
    ],
    [
      'without a purpose',
      () => ({ extensions: ['keyUsage=digitalSignature'] }),
      'unfit',
      /none of the purposes/,
    ],
    [
      'with an unknown critical extension',
      () => ({ extensions: [...signerExtensions, '1.2.3.4=critical,ASN1:NULL'] }),
      'unfit',
      /unknown critical extension 1\.2\.3\.4/,
    ],
    [
      'that is a CA',
      () => ({
        extensions: [
          'basicConstraints=CA:TRUE',
          'keyUsage=keyCertSign,digitalSignature',
          'extendedKeyUsage=codeSigning',
        ],
      }),
      'unfit',
      /is a CA/,
    ],
    ['with an RSA key of 1024 bits', () => ({ key: keyKinds.rsa(1024) }), 'untrusted', /1024/],
    ['below a certificate that is no CA', () => ({ issuer: signer }), 'untrusted', /no trusted CA/],
    [
      'below a CA that has expired',
      () => ({
        issuer: authority.issueCa({
          ...{ subject: '/CN=Old CA', issuer: root },
          ...{ from: '20250101000000Z', until: '20250201000000Z' },
        }),
      }),
      'untrusted',
      /not valid now/,
    ],
    [
      'below more CAs than a CA allows',
      () => {
        const extensions = [
          'basicConstraints=critical,CA:TRUE,pathlen:0',
          ...caExtensions.slice(1),
        ];
        const narrow = authority.issueCa({ subject: '/CN=Narrow', issuer: root, extensions });
        return { issuer: authority.issueCa({ subject: '/CN=Below', issuer: narrow }) };
      },
      'untrusted',
      /no trusted CA|more CAs below/,
    ],
    [
      'below a CA that may not sign certificates',
      () => ({
        issuer: authority.issueCa({
          ...{ subject: '/CN=Unfit CA', issuer: root },
          extensions: [
            'basicConstraints=critical,CA:TRUE',
            'keyUsage=digitalSignature',
            'subjectKeyIdentifier=hash',
          ],
        }),
      }),
      'untrusted',
      /no trusted CA|may not sign/,
    ],
  ];
  for (const [what, shape, code, message] of shapes) {
    it(`is refused of a signer ${what}`, () => {
      const made = shape();
      const by = authority.issue({
        ...{ subject: '/CN=Unfit', issuer: intermediate, extensions: signerExtensions, ...made },
      });
      const signed = signedByUs(by, [intermediate, ...(made.issuer ? [made.issuer] : [])]);
      assert.throws(() => verifyDetached(signed, content, rules()), refusal(code, message));
    });
  }

  it('is refused below more than three CAs', () => {
    const chain = [root];
    for (const depth of [1, 2, 3]) {
      const issuer = chain.at(-1);
      if (issuer) chain.push(authority.issueCa({ subject: `/CN=CA ${depth}`, issuer }));
    }
    const deepest = (of: readonly Issued[]) => {
      const issuer = of.at(-1);
      const shape = { subject: '/CN=Deep', extensions: signerExtensions };
      return authority.issue(issuer ? { ...shape, issuer } : shape);
    };
    verifyDetached(signedByUs(deepest(chain.slice(0, 3)), chain.slice(1, 3)), content, rules());
    const check = refusal('untrusted', /more than 3 certificates above it/);
    assert.throws(
      () => verifyDetached(signedByUs(deepest(chain), chain.slice(1)), content, rules()),
      check,
    );
  });

  it('never throws anything but its own fault, whatever the bytes are', () => {
    const signed = signedByUs(signer);
    const mutation = fc.record({
      at: fc.nat(signed.length - 1),
      bits: fc.integer({ min: 1, max: 255 }),
      cut: fc.option(fc.nat(signed.length - 1), { freq: 5 }),
    });
    fc.assert(
      fc.property(mutation, ({ at, bits, cut }) => {
        const bytes = Buffer.from(signed.subarray(0, cut ?? signed.length));
        if (at < bytes.length) bytes.writeUInt8(bytes.readUInt8(at) ^ bits, at);
        try {
          verifyDetached(bytes, content, rules());
        } catch (error) {
          assert.ok(error instanceof CmsFault, String(error));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('is never taken where openssl refuses it', () => {
    const signed = signedByOpenssl(signer);
    assert.ok(opensslTakes(signed));
    for (let at = 0; at < signed.length; at += 1) {
      const bytes = Buffer.from(signed);
      bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << (at % 8)), at);
      try {
        verifyDetached(bytes, content, rules());
      } catch {
        continue;
      }
      assert.ok(opensslTakes(bytes), `byte ${at} was changed`);
    }
  });
});
