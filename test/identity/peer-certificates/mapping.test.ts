import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import type { User } from '../../../src/identity/accounts/user-directory.ts';
import { ChainJudge } from '../../../src/identity/peer-certificates/chain-judge.ts';
import type {
  CertToName,
  ClientIdentities,
} from '../../../src/identity/peer-certificates/client-identities.ts';
import { explainLogin } from '../../../src/identity/peer-certificates/explain.ts';
import type { MapType } from '../../../src/identity/peer-certificates/map-types.ts';
import { mapToName } from '../../../src/identity/peer-certificates/mapping.ts';
import {
  type TlsFingerprint,
  tlsFingerprintOf,
} from '../../../src/identity/peer-certificates/tls-fingerprint.ts';
import type { Certificate } from '../../../src/x509/certificate.ts';
import {
  caExtensions,
  goodTime,
  type Issued,
  opensslAuthority,
} from '../../fakes/openssl-authority.ts';

const authority = opensslAuthority();
after(() => authority.remove());

const root = authority.issueCa({ subject: '/CN=Root' });
const middle = authority.issueCa({
  subject: '/CN=middle',
  issuer: root,
  extensions: [...caExtensions, 'subjectAltName=DNS:of-the-authority'],
});
const leaf = authority.issue({
  subject: '/CN=alice',
  issuer: middle,
  extensions: ['basicConstraints=CA:FALSE', 'subjectAltName=DNS:of-the-client'],
});
const other = authority.issueCa({ subject: '/CN=Other' });
const path = [leaf, middle, root].map(({ certificate }) => certificate);
const context = { hostName: () => 'bmc', ownerOf: () => undefined };

const entry = (
  { certificate }: Issued,
  mapType: MapType,
  name?: string,
  hash?: TlsFingerprint['hash'],
): CertToName => ({ fingerprint: tlsFingerprintOf(certificate, hash), mapType, name });
const specified = (issued: Issued, name: string) => entry(issued, 'specified', name);

describe('the user of a certificate', () => {
  const cases: readonly [string, ClientIdentities, object][] = [
    [
      "of the client's own fingerprint",
      { certToName: [specified(leaf, 'carol')] },
      { name: 'carol' },
    ],
    [
      'of the fingerprint of an intermediate',
      { certToName: [specified(middle, 'carol')] },
      { name: 'carol' },
    ],
    [
      'of the fingerprint of the root',
      { certToName: [specified(root, 'carol')] },
      { name: 'carol' },
    ],
    [
      'of the first entry that matches',
      {
        certToName: [specified(other, 'mallory'), specified(root, 'carol'), specified(leaf, 'dan')],
      },
      { name: 'carol' },
    ],
    [
      'of the next entry, where one that matches gives no name',
      { certToName: [entry(root, 'san-rfc822-name'), entry(leaf, 'common-name')] },
      { name: 'alice' },
    ],
    [
      "of the client's names, where the fingerprint is that of an authority with names",
      { certToName: [entry(middle, 'san-dns-name')] },
      { name: 'of-the-client' },
    ],
    [
      'of the default, where no entry matches',
      { certToName: [specified(other, 'mallory')], defaultIdentity: { mapType: 'common-name' } },
      { name: 'alice' },
    ],
    [
      'of no default, where an entry matched without a name',
      { certToName: [entry(leaf, 'san-dirname-cn')], defaultIdentity: { mapType: 'common-name' } },
      { refusal: 'no-user-name' },
    ],
    [
      'of no entry and no default',
      { certToName: [specified(other, 'mallory')] },
      { refusal: 'no-client-identity' },
    ],
    ['of no list', { certToName: [] }, { refusal: 'no-client-identity' }],
    [
      'of a default that finds no name',
      { certToName: [], defaultIdentity: { mapType: 'san-rfc822-name' } },
      { refusal: 'no-user-name' },
    ],
  ];
  for (const [what, identities, expected] of cases) {
    it(`is that ${what}`, () => {
      assert.deepEqual(mapToName(path, identities, context).result, expected);
    });
  }

  for (const hash of ['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512'] as const) {
    it(`is found by a fingerprint of ${hash}`, () => {
      const certToName = [entry(middle, 'specified', 'carol', hash)];
      assert.deepEqual(mapToName(path, { certToName }, context).result, { name: 'carol' });
    });
  }

  it('is nobody without a certificate', () => {
    const defaultIdentity = { mapType: 'specified', name: 'carol' } as const;
    const { result } = mapToName([], { certToName: [], defaultIdentity }, context);
    assert.deepEqual(result, { refusal: 'no-certificate' });
  });
});

describe('the explanation of a login', () => {
  const user = (userName: string, change: Partial<User> = {}): User => ({
    ...{ userName, role: 'Operator', enabled: true, locked: false },
    ...{ passwordChangeRequired: false, accountTypes: ['Redfish'] },
    ...change,
  });
  const users = [user('alice'), user('bob', { enabled: false }), user('carol', { locked: true })];
  const trust = { trusted: [root.certificate], revoked: [] as Certificate[] };
  const explain = (
    certToName: readonly CertToName[],
    {
      shown = [leaf, middle],
      lists = trust,
    }: { shown?: Issued[]; lists?: typeof trust | null } = {},
  ) => {
    const judge = new ChainJudge({
      trust: () => lists ?? undefined,
      now: () => goodTime.getTime(),
      limits: { chainCertificates: 10 },
    });
    const certificates = shown.map(({ certificate }) => certificate);
    return explainLogin(
      certificates,
      judge.pathWithoutHandshake(certificates),
      { certToName },
      { ...context, findUser: async (name) => users.find(({ userName }) => userName === name) },
    );
  };

  it('says of each entry whether it matches and which name it finds', async () => {
    const { considered, name, user, refusal } = await explain([
      specified(other, 'mallory'),
      entry(middle, 'san-rfc822-name'),
      entry(leaf, 'common-name'),
      specified(root, 'carol'),
    ]);
    assert.deepEqual(considered, [
      { entry: 0, mapType: 'specified', matches: undefined, derived: undefined },
      { entry: 1, mapType: 'san-rfc822-name', matches: 1, derived: { refusal: 'no-user-name' } },
      { entry: 2, mapType: 'common-name', matches: 0, derived: { name: 'alice' } },
      { entry: 3, mapType: 'specified', matches: 2, derived: { name: 'carol' } },
    ]);
    assert.deepEqual([name, user?.userName, refusal], ['alice', 'alice', undefined]);
  });

  it('has the fingerprints of the validated chain, ready for the list', async () => {
    const { path } = await explain([], { shown: [leaf, other, middle] });
    assert.deepEqual(
      path.map(({ subject }) => subject),
      ['CN=alice', 'CN=middle', 'CN=Root'],
    );
    const digest = leaf.certificate.x509.fingerprint256;
    assert.equal(path[0]?.fingerprint, `04:${digest}`);
  });

  for (const name of ['nobody', 'Alice', 'bob', 'carol']) {
    it(`says that ${name}, who is unknown, disabled or locked, may not log in`, async () => {
      const explanation = await explain([specified(leaf, name)]);
      assert.equal(explanation.refusal, 'unknown-user');
      assert.equal(explanation.name, name);
      assert.equal(explanation.user, undefined);
    });
  }

  it('looks for no next entry where the user of a name may not log in', async () => {
    const { refusal } = await explain([specified(leaf, 'bob'), specified(root, 'alice')]);
    assert.equal(refusal, 'unknown-user');
  });

  const chains: readonly [string, Parameters<typeof explain>[1], string][] = [
    ['whose intermediate is missing', { shown: [leaf] }, 'untrusted-issuer'],
    ['that is revoked', { lists: { ...trust, revoked: [leaf.certificate] } }, 'revoked'],
    ['that is empty', { shown: [] }, 'no-certificate'],
    ['that nobody can judge now', { lists: null }, 'unavailable'],
  ];
  for (const [what, given, expected] of chains) {
    it(`considers no entry for a chain ${what}`, async () => {
      const { refusal, considered } = await explain([specified(leaf, 'alice')], given);
      assert.equal(refusal, expected);
      assert.deepEqual(considered, []);
    });
  }

  it('matches no certificate that was shown but is not in the validated chain', async () => {
    const given = { shown: [leaf, middle, other] };
    const { refusal } = await explain([specified(other, 'alice')], given);
    assert.equal(refusal, 'no-client-identity');
  });
});
