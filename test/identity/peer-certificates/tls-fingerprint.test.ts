import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import {
  fingerprintHashes,
  formatTlsFingerprint,
  parseTlsFingerprint,
  tlsFingerprintOf,
} from '../../../src/identity/peer-certificates/tls-fingerprint.ts';
import { openssl, opensslAuthority } from '../../fakes/openssl-authority.ts';

const octets = (count: number) => Array<string>(count).fill('aB').join(':');

describe('a fingerprint of RFC 7407', () => {
  const authority = opensslAuthority();
  after(() => authority.remove());
  const { path, certificate } = authority.issue();

  for (const { id, name } of fingerprintHashes) {
    it(`of ${name} is what openssl prints, after the octet 0${id}`, () => {
      const printed = openssl(['x509', '-in', path, '-noout', '-fingerprint', `-${name}`]);
      const digest = printed.trim().replace(/^.*=/, '');
      const text = `0${id}:${digest}`;
      assert.equal(formatTlsFingerprint(tlsFingerprintOf(certificate, name)), text);
      const expected = { hash: name, digest: digest.replaceAll(':', '').toLowerCase() };
      assert.deepEqual(parseTlsFingerprint(text), expected);
      assert.deepEqual(parseTlsFingerprint(text.toLowerCase()), expected);
    });
  }

  const refused: readonly [string, string, RegExp][] = [
    ['the hash 0', `00:${octets(32)}`, /begins with 00/],
    ['the hash 7', `07:${octets(32)}`, /begins with 07/],
    ['an octet too few', `04:${octets(30)}`, /sha256, which has 32 octets and not 30/],
    ['an octet too many', `04:${octets(33)}`, /sha256, which has 32 octets and not 33/],
    ['a bare SHA-256', octets(32), /write 04: before/],
    ['a bare SHA-1', octets(20), /write 02: before/],
    ['a bare MD5', octets(16), /write 01: before/],
    ['what openssl prints', `SHA256 Fingerprint=${octets(32)}`, /write 04: and/],
    ['what a newer openssl prints', `sha256 Fingerprint=${octets(32)}`, /write 04: and/],
    ['no colons', `04${'ab'.repeat(32)}`, /colons/],
    ['another digit', `04:${octets(31)}:0g`, /colons/],
    ['a space', ` 04:${octets(32)}`, /colons/],
    ['a line feed', `04:${octets(32)}\n`, /colons/],
    ['nothing', '', /colons/],
  ];
  for (const [what, text, reason] of refused) {
    it(`is refused with ${what}, with the reason`, () => {
      assert.match(String(parseTlsFingerprint(text)), reason);
    });
  }
});
