import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findPath, type TrustLists } from '../../../src/identity/peer-certificates/chain.ts';
import { userNameOf } from '../../../src/identity/peer-certificates/mapping.ts';
import { namedAuthorities } from '../../../src/identity/peer-certificates/trust.ts';
import { type Certificate, readCertificate } from '../../../src/x509/certificate.ts';
import { type Asn1, tags, utf8String } from '../../../src/x509/der.ts';
import { forgeCertificate, nameOf, rawString } from '../../fakes/forged-certificate.ts';
import { opensslAuthority } from '../../fakes/openssl-authority.ts';

const cn = '2.5.4.3';
const certificate = (...values: readonly Asn1[]) =>
  readCertificate(
    forgeCertificate({ subject: nameOf(...values.map((value) => [cn, value] as const)) }),
  );

describe('the user that a certificate names', () => {
  const names: readonly [string, readonly Asn1[], string | undefined][] = [
    ['a plain name', [utf8String('admin')], 'admin'],
    ['the first of two', [utf8String('a'), utf8String('b')], 'a'],
    ['another string type', [rawString(tags.BMP_STRING, Buffer.from('\0a\0b'))], 'ab'],
    ['an empty name', [utf8String('')], undefined],
    ['a NUL in the name', [utf8String('admin\0.evil')], undefined],
    ['a line feed in the name', [utf8String('admin\n')], undefined],
    ['no name', [], undefined],
  ];
  for (const [what, values, expected] of names) {
    it(`is ${expected ?? 'nobody'} for ${what}`, () => {
      assert.equal(userNameOf(certificate(...values), 'CommonName', 'bmc'), expected);
    });
  }

  it('has at most 255 bytes', () => {
    const long = (name: string) => ({ ...certificate(), subject: [[{ type: 'CN', value: name }]] });
    assert.equal(userNameOf(long('é'.repeat(127)), 'CommonName', 'bmc'), 'é'.repeat(127));
    assert.equal(userNameOf(long('é'.repeat(128)), 'CommonName', 'bmc'), undefined);
  });

  it('is not that of a principal without a domain of the device', () => {
    const one = (name: string) => ({ ...certificate(), principalNames: [name, 'b@example.com'] });
    const found = (name: string) => userNameOf(one(name), 'UserPrincipalName', 'bmc.example.com');
    assert.equal(found('a@example.com'), 'a');
    assert.equal(found('a@b@example.com'), undefined);
    assert.equal(found('a@.com'), undefined);
    assert.equal(found('a@other.com'), undefined);
  });
});

describe('the authorities of the handshake', () => {
  it('are as many as their names have room', () => {
    const all = [certificate(utf8String('a')), certificate(utf8String('b'))];
    assert.equal(namedAuthorities(all, 1000).length, 2);
    assert.equal(namedAuthorities(all, 40).length, 1);
    assert.equal(namedAuthorities(all, 10).length, 0);
  });

  it('are not kept out by one whose name is too long', () => {
    const long = certificate(utf8String('x'.repeat(90)));
    const short = certificate(utf8String('a'));
    assert.deepEqual(namedAuthorities([long, short], 100), [short]);
  });
});

describe('a chain that is looked at again', () => {
  const root = certificate(utf8String('root'));
  const lists = { trusted: [root], revoked: [] };
  const now = Date.parse('2030-01-01') / 1000;

  it('counts only up to a root of the truststore', () => {
    assert.equal(verdictOf([root], lists, now, 10), undefined);
    assert.equal(verdictOf([root], { ...lists, trusted: [] }, now, 10), 'untrusted-issuer');
    assert.equal(verdictOf([], lists, now, 10), 'untrusted-issuer');
  });

  it('counts while it is valid', () => {
    assert.equal(verdictOf([root], lists, Date.parse('2025-12-31') / 1000, 10), 'not-yet-valid');
    assert.equal(verdictOf([root], lists, Date.parse('2036-01-02') / 1000, 10), 'expired');
  });

  it('is followed by signatures, whatever is shown and in whatever order', () => {
    const authority = opensslAuthority();
    try {
      const top = authority.issueCa({ subject: '/CN=Top' });
      const middle = authority.issueCa({ subject: '/CN=Middle', issuer: top });
      const twin = authority.issueCa({ subject: '/CN=Middle' }).certificate;
      const leaf = authority.issue({ issuer: middle }).certificate;
      const trust = { trusted: [top.certificate], revoked: [] };
      assert.equal(verdictOf([leaf, twin], trust, now, 10), 'untrusted-issuer');
      assert.equal(verdictOf([leaf, twin, middle.certificate], trust, now, 10), undefined);
      assert.equal(verdictOf([leaf, middle.certificate], trust, now, 2), 'chain-too-long');
      const gone = { ...trust, revoked: [top.certificate] };
      assert.equal(verdictOf([leaf, middle.certificate], gone, now, 10), 'revoked');
    } finally {
      authority.remove();
    }
  });

  it('is revoked by issuer and serial number as well as by its bytes', () => {
    const twin = { ...root, fingerprint: 'another' };
    assert.equal(verdictOf([root], { ...lists, revoked: [twin] }, now, 10), 'revoked');
    const other = { ...twin, serialNumber: '08' };
    assert.equal(verdictOf([root], { ...lists, revoked: [other] }, now, 10), undefined);
  });
});

/** Why there is no path, `undefined` where there is. */
function verdictOf(
  shown: readonly Certificate[],
  lists: TrustLists,
  now: number,
  maxCertificates: number,
) {
  const path = findPath(shown, lists, { now, maxCertificates });
  return typeof path === 'string' ? path : undefined;
}
