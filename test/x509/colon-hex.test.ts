import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { colonHex } from '../../src/x509/colon-hex.ts';
import { opensslAuthority } from '../fakes/openssl-authority.ts';

describe('hexadecimal digits with colons', () => {
  it('show a fingerprint as OpenSSL does', () => {
    const authority = opensslAuthority();
    const { pem } = authority.issueCa({ subject: '/CN=CA' });
    authority.remove();
    const expected = new X509Certificate(pem).fingerprint256;
    assert.equal(colonHex(expected.replaceAll(':', '').toLowerCase()), expected);
  });

  it('have two digits for each octet', () => {
    assert.equal(colonHex('123'), '01:23');
  });

  it('have the sign of a negative serial number before them', () => {
    assert.equal(colonHex('-05'), '-05');
    assert.equal(colonHex('-1a2b'), '-1A:2B');
  });
});
