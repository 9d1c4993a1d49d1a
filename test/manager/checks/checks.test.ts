import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, randomBytes } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { CertError, type CertErrorCode } from '../../../src/core/cert-error.ts';
import { signatureFault } from '../../../src/manager/checks/chain-signatures.ts';
import {
  type AuthorityCandidate,
  authorityChecks,
  enforce,
  pairChecks,
} from '../../../src/manager/checks/checks.ts';
import type { Certificate } from '../../../src/x509/certificate.ts';
import { time, utf8String } from '../../../src/x509/der.ts';
import { forgePem, nameOf } from '../../fakes/forged-certificate.ts';
import {
  type CertificateShape,
  caExtensions,
  certificateOf,
  damagedSignature,
  goodTime,
  type Issued,
  keyKinds,
  openssl,
  opensslAuthority,
} from '../../fakes/openssl-authority.ts';

const authority = opensslAuthority();
after(() => authority.remove());

const root = authority.issueCa();
const namesake = authority.issueCa({ extensions: ['basicConstraints=critical,CA:TRUE'] });
const leaf = authority.issue({ issuer: root });
const newKey = ['subjectKeyIdentifier=hash', 'authorityKeyIdentifier=keyid'];
const rollover = authority.issueCa({
  issuer: root,
  extensions: ['basicConstraints=critical,CA:TRUE', ...newKey],
});
const expired = authority.issue({
  issuer: root,
  from: '20200101000000Z',
  until: '20210101000000Z',
});
const make = (shape: CertificateShape) => authority.issue({ issuer: root, ...shape }).certificate;
/** Nobody has the private key of such a modulus, and nobody has to wait for it. */
const rsaOf = (bits: number) => {
  const n = randomBytes(bits / 8);
  n.writeUInt8(n.readUInt8(0) | 0x80, 0);
  n.writeUInt8(n.readUInt8(n.length - 1) | 1, n.length - 1);
  const jwk = { kty: 'RSA', n: n.toString('base64url'), e: 'AQAB' };
  const publicKey = createPublicKey({ key: jwk, format: 'jwk' });
  const issuer = nameOf(['2.5.4.3', utf8String('another')]);
  return certificateOf(forgePem({ publicKey, issuer }));
};
const damaged = ({ certificate }: Issued) => certificateOf(damagedSignature(certificate));

interface Row {
  readonly what: string;
  /** Nothing for one that passes. */
  readonly fails?: CertErrorCode;
  readonly leaf: Certificate;
  readonly bundle?: readonly Certificate[];
  readonly policy?: Partial<AuthorityCandidate['policy']>;
}

const strict = { allowExpired: false };
const rows: readonly Row[] = [
  { what: 'a good leaf', leaf: leaf.certificate },
  { what: 'a good leaf with its issuer', leaf: leaf.certificate, bundle: [root.certificate] },
  { what: 'a good CA', leaf: root.certificate },
  {
    what: 'a leaf whose issuer is not there',
    leaf: leaf.certificate,
    bundle: [expired.certificate],
  },
  {
    what: 'an issuer of the same name beside the right one',
    leaf: leaf.certificate,
    bundle: [namesake.certificate, root.certificate],
  },
  {
    what: 'an issuer of the same name and another key',
    fails: 'chain-signature',
    leaf: leaf.certificate,
    bundle: [namesake.certificate],
  },
  { what: 'a new CA that the old key of its name signed', leaf: rollover.certificate },
  {
    what: 'a new CA that the old key of its name signed, with both',
    leaf: rollover.certificate,
    bundle: [root.certificate, namesake.certificate],
  },
  { what: 'a damaged self-signature', fails: 'chain-signature', leaf: damaged(root) },
  {
    what: 'a damaged signature of its issuer',
    fails: 'chain-signature',
    leaf: damaged(leaf),
    bundle: [root.certificate],
  },
  {
    what: 'a damaged certificate beside the leaf',
    fails: 'chain-signature',
    leaf: leaf.certificate,
    bundle: [damaged(root)],
  },
  {
    what: 'an unknown critical extension',
    fails: 'critical-extension',
    leaf: make({ extensions: ['1.2.3.4=critical,ASN1:NULL'] }),
  },
  { what: 'an unknown extension', leaf: make({ extensions: ['1.2.3.4=ASN1:NULL'] }) },
  { what: 'an expired one', leaf: expired.certificate },
  { what: 'an expired one', fails: 'expired', leaf: expired.certificate, policy: strict },
  { what: 'one that is not expired', leaf: leaf.certificate, policy: strict },
  { what: 'one that begins later', leaf: make({ from: '20300101000000Z' }), policy: strict },
  {
    what: 'a begin before 1970',
    fails: 'validity-start',
    leaf: make({ from: '19691231235959Z' }),
  },
  { what: 'a begin with 1970', leaf: make({ from: '19700101000000Z' }) },
  {
    what: 'an end before 1970',
    fails: 'validity-start',
    leaf: certificateOf(forgePem({ notAfter: time(new Date('1969-01-01T00:00:00Z')) })),
  },
  { what: 'RSA 1024', fails: 'key-strength', leaf: make({ key: keyKinds.rsa(1024) }) },
  { what: 'RSA 2048', leaf: rsaOf(2048) },
  { what: 'RSA 8192', leaf: rsaOf(8192) },
  {
    what: 'RSA 8192',
    fails: 'key-strength',
    leaf: rsaOf(8192),
    policy: { maxRsaBits: 4096 },
  },
  { what: 'RSA 16384', fails: 'key-strength', leaf: rsaOf(16_384) },
  { what: 'P-192', fails: 'key-strength', leaf: make({ key: keyKinds.ec('prime192v1') }) },
  { what: 'P-224', leaf: make({ key: keyKinds.ec('secp224r1') }) },
  { what: 'P-521', leaf: make({ key: keyKinds.ec('secp521r1') }) },
  { what: 'brainpoolP256r1', leaf: make({ key: keyKinds.ec('brainpoolP256r1') }) },
  { what: 'secp160r1', fails: 'key-strength', leaf: make({ key: keyKinds.ec('secp160r1') }) },
  {
    what: 'a curve of explicit parameters',
    fails: 'key-strength',
    leaf: make({ key: [...keyKinds.p256, '-pkeyopt', 'ec_param_enc:explicit'] }),
  },
  { what: 'Ed25519', leaf: make({ key: keyKinds.ed25519 }) },
  { what: 'MD5', fails: 'signature-strength', leaf: weakSignature('md5') },
  { what: 'SHA-1', fails: 'signature-strength', leaf: weakSignature('sha1') },
  { what: 'ECDSA with SHA-1', fails: 'signature-strength', leaf: make({ digest: 'sha1' }) },
  {
    what: 'RSA-PSS with SHA-1',
    fails: 'signature-strength',
    leaf: weakSignature('sha1', ['-sigopt', 'rsa_padding_mode:pss']),
  },
  { what: 'SHA-224', leaf: make({ digest: 'sha224' }) },
  {
    what: 'a root that is signed with SHA-1',
    leaf: authority.issueCa({ digest: 'sha1' }).certificate,
  },
];

/** A leaf that an RSA issuer signed with this digest. */
function weakSignature(digest: string, more: readonly string[] = []): Certificate {
  const issuer = authority.issueCa({ key: keyKinds.rsa(2048), subject: '/CN=RSA CA' });
  return authority.issue({ issuer, digest, more }).certificate;
}

const now = goodTime.getTime() / 1000;
const codesOf = <T>(check: () => T): CertErrorCode | 'passes' => {
  try {
    check();
    return 'passes';
  } catch (error) {
    assert.ok(error instanceof CertError);
    return error.code;
  }
};

describe('the checks of a certificate', () => {
  for (const { what, fails, leaf: one, bundle = [], policy } of rows) {
    const conditions = policy ? ` where ${JSON.stringify(policy)}` : '';
    it(`${fails ? `refuse as ${fails}` : 'accept'} ${what}${conditions}`, () => {
      const candidate: AuthorityCandidate = {
        leaf: one,
        signatureFault: signatureFault([one, ...bundle]),
        now,
        securityLevel: 2,
        policy: { allowExpired: true, requireCa: false, maxRsaBits: 8192, ...policy },
      };
      assert.equal(
        codesOf(() => enforce(authorityChecks, candidate)),
        fails ?? 'passes',
      );
      const failing = authorityChecks.filter(({ fault }) => fault(candidate) !== undefined);
      assert.deepEqual(
        failing.map(({ code }) => code),
        fails ? [fails] : [],
      );
    });
  }

  it('say when a certificate expired', () => {
    const policy = { allowExpired: false, requireCa: false, maxRsaBits: 8192 };
    const candidate = {
      leaf: expired.certificate,
      signatureFault: undefined,
      now,
      policy,
      securityLevel: 2,
    };
    assert.throws(() => enforce(authorityChecks, candidate), /2021-01-01T00:00:00\.000Z/);
  });

  it('name the critical extension', () => {
    const one = make({ extensions: ['1.2.3.4=critical,ASN1:NULL'] });
    const candidate = {
      leaf: one,
      signatureFault: undefined,
      now,
      securityLevel: 2,
      policy: { allowExpired: true, requireCa: true, maxRsaBits: 8192 },
    };
    assert.throws(() => enforce(authorityChecks, candidate), /1\.2\.3\.4/);
  });
});

describe('the checks of an authority', () => {
  for (const [what, one, requireCa, expected] of [
    ['a CA', root.certificate, true, 'passes'],
    ['a leaf', leaf.certificate, true, 'not-a-ca'],
    ['a leaf where the policy says so', leaf.certificate, false, 'passes'],
    ['a root of version 1', make({ extensions: [] }), true, 'not-a-ca'],
    ['CA:FALSE', make({ extensions: ['basicConstraints=CA:FALSE'] }), true, 'not-a-ca'],
    [
      'a CA without other extensions',
      make({ extensions: caExtensions.slice(0, 1) }),
      true,
      'passes',
    ],
  ] as const) {
    it(`answer ${expected} to ${what}`, () => {
      const policy = { allowExpired: true, requireCa, maxRsaBits: 8192 };
      const candidate = { leaf: one, signatureFault: undefined, now, policy, securityLevel: 2 };
      assert.equal(
        codesOf(() => enforce(authorityChecks, candidate)),
        expected,
      );
    });
  }
});

describe('the checks of a pair', () => {
  const key = createPrivateKey(leaf.key);
  for (const [what, candidate, expected] of [
    ['a leaf with its key', { leaf: leaf.certificate, chain: [], key }, 'passes'],
    ['a leaf with its chain', { leaf: leaf.certificate, chain: [root.certificate], key }, 'passes'],
    [
      'a key of another certificate',
      { leaf: leaf.certificate, chain: [], key: createPrivateKey(root.key) },
      'key-mismatch',
    ],
  ] as const) {
    it(`answer ${expected} to ${what}`, () => {
      assert.equal(
        codesOf(() => enforce(pairChecks, candidate)),
        expected,
      );
    });
  }
});

describe('the critical extensions that we know', () => {
  const lines: [string, string][] = [
    ['basicConstraints', 'basicConstraints=critical,CA:FALSE'],
    ['keyUsage', 'keyUsage=critical,digitalSignature'],
    ['extendedKeyUsage', 'extendedKeyUsage=critical,serverAuth'],
    ['subjectAltName', 'subjectAltName=critical,DNS:a'],
    ['certificatePolicies', 'certificatePolicies=critical,1.2.3.4'],
    ['crlDistributionPoints', 'crlDistributionPoints=critical,URI:http://crl.example/x'],
    ['policyConstraints', 'policyConstraints=critical,inhibitPolicyMapping:3'],
    ['inhibitAnyPolicy', 'inhibitAnyPolicy=critical,2'],
    ['nsCertType', 'nsCertType=critical,server'],
    ['nsComment', 'nsComment=critical,x'],
    ['subjectKeyIdentifier', 'subjectKeyIdentifier=critical,hash'],
    ['authorityInfoAccess', 'authorityInfoAccess=critical,OCSP;URI:http://ocsp.example'],
    ['tlsfeature', 'tlsfeature=critical,status_request'],
    ['an extension of one bundle', '1.2.3.4=critical,ASN1:NULL'],
  ];
  for (const [what, line] of lines) {
    it(`are those that openssl knows: ${what}`, () => {
      const one = authority.issue({ issuer: root, extensions: [line] });
      const attime = ['-attime', String(now)];
      const verify = () => openssl(['verify', ...attime, '-CAfile', root.path, one.path]);
      if (one.certificate.unknownCritical.length === 0) assert.match(verify(), /OK/);
      else assert.throws(verify, /unhandled critical extension/);
    });
  }
});
