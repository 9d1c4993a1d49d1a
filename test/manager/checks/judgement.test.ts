import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import {
  type CredentialAdmission,
  credentialAdmission,
} from '../../../src/manager/credential/admission.ts';
import { servingProfile, usualServingProfile } from '../../../src/tls/profile.ts';
import type { ServingProfile } from '../../../src/x509/serving-profile.ts';
import { makeWorld } from '../../fakes/manager-world.ts';
import {
  type CertificateShape,
  caExtensions,
  type Issued,
  keyKinds,
  opensslAuthority,
} from '../../fakes/openssl-authority.ts';

const authority = opensslAuthority();
after(() => authority.remove());

const admissionOf = (serving: ServingProfile, type: 'server' | 'client' = 'server') => {
  const world = makeWorld({ serving });
  after(() => world.remove());
  const nothing = { find: async () => undefined, isEmpty: async () => true };
  return credentialAdmission(type, world.dependencies, nothing);
};
const redfish = admissionOf(servingProfile('intermediate'));
const modern = admissionOf(servingProfile('modern'));
const others = admissionOf(usualServingProfile());
const client = admissionOf(usualServingProfile(), 'client');
const atLevel = (level: number) => admissionOf(usualServingProfile(level));

const root = authority.issueCa({ key: keyKinds.rsa(2048) });
const caOf = (shape: CertificateShape) =>
  authority.issueCa({ issuer: root, subject: '/CN=between', ...shape });
const leafOf = (shape: CertificateShape) => authority.issue({ issuer: root, ...shape });
const chain = (leaf: Issued, ...issuers: Issued[]) =>
  leaf.key + [leaf, ...issuers].map(({ pem }) => pem).join('');

const small = authority.issueCa({ key: keyKinds.rsa(1024), subject: '/CN=Ancient Root 1024' });
const p192 = authority.issueCa({ key: keyKinds.ec('prime192v1'), subject: '/CN=P-192 Root' });
const sha1 = caOf({ digest: 'sha1', subject: '/CN=SHA-1 CA' });
const md5 = caOf({ digest: 'md5', subject: '/CN=MD5 CA' });
const named = ['basicConstraints=CA:FALSE', 'subjectAltName=DNS:bmc.example.com'];
const usages = (...lines: string[]) => [...named, ...lines];
const rsaLeaf = (...lines: string[]) =>
  leafOf({ key: keyKinds.rsa(2048), extensions: usages(...lines) });
const ecLeaf = (...lines: string[]) => leafOf({ extensions: usages(...lines) });
const pssOf = (digest: string) => [
  ...['-algorithm', 'RSA-PSS', '-pkeyopt', 'rsa_keygen_bits:2048'],
  ...['-pkeyopt', `rsa_pss_keygen_md:${digest}`, '-pkeyopt', `rsa_pss_keygen_mgf1_md:${digest}`],
];

/** The code of the refusal and its text, or the codes of the warnings. */
async function verdict(admission: CredentialAdmission, text: string): Promise<string> {
  try {
    const { findings } = await admission.admit(text);
    return ['accepted', ...(findings?.warnings ?? []).map(({ code }) => code)].join(' ');
  } catch (error) {
    assert.ok(error instanceof Error && 'code' in error);
    return `${error.code}: ${error.message}`;
  }
}

type Row = readonly [
  what: string,
  admission: CredentialAdmission,
  file: () => string,
  verdict: RegExp,
];
const accepted = /^accepted$/;

const rows: readonly Row[] = [
  ['a leaf with its issuer', redfish, () => chain(leafOf({}), root), accepted],
  [
    'a leaf whose issuer has an RSA key of 1024 bits',
    redfish,
    () => chain(leafOf({ issuer: small }), small),
    /^key-strength: certificate 2 of 2 \(CN=Ancient Root 1024\): .*1024 bits.*level 2 \(ca key too small\)/,
  ],
  [
    'a leaf whose issuer has a key on P-192',
    others,
    () => chain(leafOf({ issuer: p192 }), p192),
    /^key-strength: certificate 2 of 2 \(CN=P-192 Root\): .*prime192v1.*\(ca key too small\)/,
  ],
  [
    'a leaf with an RSA key of 1024 bits',
    redfish,
    () => chain(leafOf({ key: keyKinds.rsa(1024) }), root),
    /^key-strength: certificate 1 of 2 \(CN=bmc\.example\.com\): .*\(ee key too small\)/,
  ],
  [
    'an issuer that was signed with SHA-1',
    redfish,
    () => chain(leafOf({ issuer: sha1 }), sha1, root),
    /^signature-strength: certificate 2 of 3 \(CN=SHA-1 CA\): .*\(ca md too weak\)/,
  ],
  [
    'an issuer that was signed with MD5, for a client',
    client,
    () => chain(leafOf({ issuer: md5 }), md5, root),
    /^signature-strength: certificate 2 of 3 \(CN=MD5 CA\): .*\(ca md too weak\)/,
  ],
  [
    'an issuer that was signed with RIPEMD-160',
    redfish,
    () => {
      const ripemd = caOf({ digest: 'ripemd160', subject: '/CN=RIPEMD CA' });
      return chain(leafOf({ issuer: ripemd }), ripemd, root);
    },
    /^signature-strength: certificate 2 of 3 \(CN=RIPEMD CA\): /,
  ],
  [
    'a root that signed itself with SHA-1',
    redfish,
    () => {
      const old = authority.issueCa({ key: keyKinds.rsa(2048), digest: 'sha1' });
      return chain(leafOf({ issuer: old }), old);
    },
    accepted,
  ],
  [
    'an issuer with an RSA key of 1024 bits at level 1',
    atLevel(1),
    () => chain(leafOf({ issuer: small }), small),
    accepted,
  ],
  [
    'an issuer that was signed with SHA-1 at level 0',
    atLevel(0),
    () => chain(leafOf({ issuer: sha1 }), sha1, root),
    accepted,
  ],
  [
    'RSA keys of 2048 bits at level 3',
    atLevel(3),
    () => chain(rsaLeaf(), root),
    /^key-strength: certificate 1 of 2 .*2048 bits.*level 3/,
  ],
  [
    'a self-signed P-256 certificate at level 3',
    atLevel(3),
    () => chain(authority.issue()),
    accepted,
  ],
  [
    'a key on P-256 at level 4',
    atLevel(4),
    () => chain(authority.issue()),
    /^key-strength: certificate 1 of 1 .*prime256v1/,
  ],
  [
    'an RSA-PSS key that is for SHA-1 only',
    redfish,
    () => chain(leafOf({ key: pssOf('sha1') })),
    /^tls-loadable: certificate 1 of 1 .*no suitable signature algorithm/,
  ],
  [
    'an RSA-PSS key that is for SHA-512 only',
    redfish,
    () => chain(leafOf({ key: pssOf('sha512') })),
    /^accepted key-type$/,
  ],
  [
    'a key on P-224',
    redfish,
    () => chain(leafOf({ key: keyKinds.ec('secp224r1') })),
    /^curve-unsupported: certificate 1 of 1 /,
  ],
  [
    'a key on P-521',
    redfish,
    () => chain(leafOf({ key: keyKinds.ec('P-521') })),
    /^accepted key-type$/,
  ],
  ['an Ed25519 key', modern, () => chain(leafOf({ key: keyKinds.ed25519 })), /^accepted key-type$/],
  [
    'an Ed448 key',
    redfish,
    () => chain(leafOf({ key: ['-algorithm', 'ED448'] })),
    /^accepted key-type$/,
  ],
  [
    'an issuer that is no CA',
    redfish,
    () => {
      const extensions = ['basicConstraints=critical,CA:FALSE', 'subjectKeyIdentifier=hash'];
      const noCa = authority.issue({ issuer: root, subject: '/CN=No CA', extensions });
      return chain(leafOf({ issuer: noCa }), noCa, root);
    },
    /^accepted not-a-ca$/,
  ],
  [
    'a key on secp256k1 of a client',
    client,
    () => chain(leafOf({ key: keyKinds.ec('secp256k1') })),
    /^accepted curve-unsupported$/,
  ],
  ['an Ed25519 key of a client', client, () => chain(leafOf({ key: keyKinds.ed25519 })), accepted],
  [
    'an EC key that may only encipher',
    others,
    () => chain(ecLeaf('keyUsage=critical,keyEncipherment'), root),
    /^key-usage: certificate 1 of 2 .*digitalSignature/,
  ],
  [
    'an RSA key that may only encipher, where it has no use',
    redfish,
    () => chain(rsaLeaf('keyUsage=critical,keyEncipherment,dataEncipherment'), root),
    /^key-usage: .*digitalSignature/,
  ],
  [
    'an RSA key that may only encipher, where TLS 1.2 has a use for it',
    others,
    () => chain(rsaLeaf('keyUsage=keyEncipherment'), root),
    /^accepted key-usage$/,
  ],
  [
    'an RSA key that may only agree on keys',
    others,
    () => chain(rsaLeaf('keyUsage=keyAgreement'), root),
    /^key-usage: .*neither digitalSignature nor keyEncipherment/,
  ],
  [
    'a keyUsage without any bit',
    others,
    () => chain(rsaLeaf('2.5.29.15=DER:03:01:00'), root),
    /^key-usage: .*allows nothing/,
  ],
  [
    'an extendedKeyUsage for clients only',
    redfish,
    () => chain(rsaLeaf('extendedKeyUsage=clientAuth'), root),
    /^key-usage: .*neither serverAuth nor anyExtendedKeyUsage/,
  ],
  [
    'an extendedKeyUsage for anything',
    redfish,
    () => chain(ecLeaf('extendedKeyUsage=anyExtendedKeyUsage'), root),
    /^accepted key-usage$/,
  ],
  [
    'usages of a server',
    redfish,
    () => chain(ecLeaf('keyUsage=digitalSignature', 'extendedKeyUsage=serverAuth'), root),
    accepted,
  ],
  [
    'an extendedKeyUsage for servers only, of a client',
    client,
    () => chain(ecLeaf('extendedKeyUsage=serverAuth'), root),
    /^accepted key-usage$/,
  ],
  [
    'an issuer that may not certify servers',
    redfish,
    () => {
      const ca = caOf({ extensions: [...caExtensions, 'extendedKeyUsage=clientAuth'] });
      return chain(leafOf({ issuer: ca }), ca, root);
    },
    /^accepted key-usage$/,
  ],
  [
    'a server that has no alternative names',
    redfish,
    () => chain(leafOf({ extensions: ['basicConstraints=CA:FALSE'] }), root),
    /^accepted name-missing$/,
  ],
  [
    'a server whose only alternative name is an e-mail address',
    redfish,
    () => chain(leafOf({ extensions: ['subjectAltName=email:a@b.example'] }), root),
    /^accepted name-missing$/,
  ],
  [
    'a client that has no alternative names',
    client,
    () => chain(leafOf({ extensions: ['basicConstraints=CA:FALSE'] }), root),
    accepted,
  ],
  [
    'a key identifier that is not that of the issuer',
    redfish,
    () => chain(ecLeaf(`2.5.29.35=DER:30:16:80:14${':AA'.repeat(20)}`), root),
    /^accepted key-identifier$/,
  ],
  [
    'a key identifier that is none, which OpenSSL cannot serve with an EC key',
    redfish,
    () => chain(ecLeaf('2.5.29.14=DER:02:01:05'), root),
    /^tls-loadable: certificate 1 of 2 /,
  ],
  [
    'a key identifier that is none',
    modern,
    () => chain(ecLeaf('2.5.29.14=DER:02:01:05'), root),
    /^accepted key-identifier$/,
  ],
];

describe('the judgement of a file', () => {
  for (const [what, admission, file, expected] of rows) {
    it(`answers ${expected.source} to ${what}`, async () => {
      assert.match(await verdict(admission, file()), expected);
    });
  }

  it('refuses nothing that is in service already, and says what is wrong with it', async () => {
    const files = [
      chain(leafOf({ issuer: small }), small),
      chain(leafOf({ key: keyKinds.rsa(1024) }), root),
      chain(ecLeaf('keyUsage=critical,keyEncipherment'), root),
      chain(ecLeaf('extendedKeyUsage=clientAuth'), root),
    ];
    const stored = await Promise.all(files.map((file) => redfish.readStored(file)));
    assert.deepEqual(
      stored.map(({ findings }) => findings?.warnings[0]?.code),
      ['key-strength', 'key-strength', 'key-usage', 'key-usage'],
    );
  });
});

describe('what is kept of a file', () => {
  const lower = authority.issueCa({ issuer: root, subject: '/CN=lower' });
  const leaf = leafOf({ issuer: lower });
  const identified = [...caExtensions, 'authorityKeyIdentifier=keyid'];
  const top = authority.issueCa({ subject: '/CN=another root' });
  const crossed = authority.issueCa({ issuer: top, subject: '/CN=lower', keyOf: lower });
  const expired = authority.issueCa({
    ...{ issuer: root, subject: '/CN=lower', keyOf: lower },
    ...{ from: '20200101000000Z', until: '20210101000000Z' },
  });
  const stale = authority.issueCa({ issuer: root, subject: '/CN=lower', extensions: identified });
  const second = leafOf({ subject: '/CN=second' });
  const known = { root, lower, leaf, top, crossed, expired, stale, second, small };
  const nameOf = (pem: string) =>
    Object.entries(known).find(([, issued]) => issued.pem === pem)?.[0] ?? 'unknown';

  for (const [what, file, chainOf, leftOut] of [
    ['its path', [leaf, lower, root], 'lower root', ''],
    ['its path in any order', [root, leaf, lower], 'lower root', ''],
    [
      'a cross-signed alternative behind it',
      [leaf, lower, crossed, top, root],
      'lower root crossed top',
      '',
    ],
    [
      'an alternative whose root is not there',
      [leaf, lower, crossed, root],
      'lower root crossed',
      '',
    ],
    [
      'the valid one of two for one key first',
      [leaf, expired, lower, root],
      'lower root expired',
      '',
    ],
    [
      'no issuer of the same name and another key',
      [leaf, stale, lower, root],
      'lower root',
      'CN=lower',
    ],
    ['no second leaf', [leaf, lower, root, second], 'lower root', 'CN=second'],
    [
      'no root of others, however weak',
      [small, leaf, lower, root],
      'lower root',
      'CN=Ancient Root 1024',
    ],
    ['no certificate beyond a gap', [leaf, root], '', 'O=Test, Inc.,CN=Test CA'],
  ] as const) {
    it(`is ${what}`, async () => {
      const text = leaf.key + file.map(({ pem }) => pem).join('');
      const { chain: kept, findings } = await redfish.admit(text);
      assert.equal(kept.map(({ pem }) => nameOf(pem)).join(' '), chainOf);
      assert.equal((findings?.leftOut ?? []).map(({ subject }) => subject).join('; '), leftOut);
    });
  }

  it('is the valid one of two leaves for one key', async () => {
    const old = leafOf({ issuer: lower, keyOf: leaf, until: '20260201000000Z' });
    const { leaf: found, findings } = await redfish.admit(
      leaf.key + old.pem + leaf.pem + lower.pem,
    );
    assert.equal(found.pem, leaf.pem);
    assert.equal(findings?.leftOut.length, 1);
  });
});
