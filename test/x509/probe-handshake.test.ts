import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { profileOptions, type TlsProfileName } from '../../src/tls/profile.ts';
import { probeHandshake } from '../../src/x509/probe-handshake.ts';
import {
  type Issued,
  keyKinds,
  type OpensslAuthority,
  opensslAuthority,
} from '../fakes/openssl-authority.ts';

describe('a handshake in memory', () => {
  let openssl: OpensslAuthority;
  let good: Issued;
  let sameKind: Issued;
  before(() => {
    openssl = opensslAuthority();
    good = openssl.issue();
    sameKind = openssl.issue();
  });
  after(() => openssl.remove());

  const probe = ({ key, pem }: Pick<Issued, 'key' | 'pem'>, profile: TlsProfileName) =>
    probeHandshake({ ...profileOptions(profile), key, cert: pem }, 'TLSv1.3');

  const served: Readonly<Record<string, () => Pick<Issued, 'key' | 'pem'>>> = {
    'a P-256 key': () => good,
    'an RSA key of 2048 bits': () => openssl.issue({ key: keyKinds.rsa(2048) }),
    'an Ed25519 key': () => openssl.issue({ key: keyKinds.ed25519 }),
    'an issuer': () => ({ ...good, pem: good.pem + openssl.issueCa().pem }),
  };
  const refused: Readonly<Record<string, readonly [RegExp, () => Pick<Issued, 'key' | 'pem'>]>> = {
    'an RSA key of 1024 bits': [
      /^ee key too small$/,
      () => openssl.issue({ key: keyKinds.rsa(1024) }),
    ],
    'an issuer with an RSA key of 1024 bits': [
      /^ca key too small$/,
      () => ({ ...good, pem: good.pem + openssl.issueCa({ key: keyKinds.rsa(1024) }).pem }),
    ],
    'an issuer on a small curve': [
      /^ca key too small$/,
      () => ({ ...good, pem: good.pem + openssl.issueCa({ key: keyKinds.ec('prime192v1') }).pem }),
    ],
    'a key without a signature scheme': [
      /^no suitable signature algorithm$/,
      () => openssl.issue({ key: keyKinds.ec('secp256k1') }),
    ],
    'the key of another certificate': [
      /mismatch|no suitable/,
      () => ({ ...good, key: sameKind.key }),
    ],
    'more certificates than clients read': [
      /^excessive message size$/,
      () => ({ ...good, pem: good.pem + openssl.issueCa().pem.repeat(300) }),
    ],
    nothing: [/./, () => ({ key: '', pem: '' })],
  };
  for (const profile of ['intermediate', 'modern'] as const) {
    for (const [what, make] of Object.entries(served)) {
      it(`succeeds with ${what} in the profile ${profile}`, async () => {
        assert.equal(await probe(make(), profile), undefined);
      });
    }
    for (const [what, [reason, make]] of Object.entries(refused)) {
      it(`fails with OpenSSL's reason for ${what} in the profile ${profile}`, async () => {
        assert.match((await probe(make(), profile)) ?? 'served', reason);
      });
    }
  }
});
