import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findPath, type TrustLists } from '../../../src/identity/peer-certificates/chain.ts';
import { type Certificate, readCertificate } from '../../../src/x509/certificate.ts';
import { utf8String } from '../../../src/x509/der.ts';
import { forgeCertificate, nameOf } from '../../fakes/forged-certificate.ts';
import { opensslAuthority } from '../../fakes/openssl-authority.ts';

describe('a chain that is looked at again', () => {
  const subject = nameOf(['2.5.4.3', utf8String('root')]);
  const root = readCertificate(forgeCertificate({ subject }));
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
