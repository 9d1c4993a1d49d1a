import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { readCertificate } from '../../src/x509/certificate.ts';
import type { GeneralName } from '../../src/x509/general-names.ts';
import { type Curve, curveNames, generateKey } from '../../src/x509/keys.ts';
import { formatName } from '../../src/x509/name.ts';
import { makeSelfSigned, type SelfSignedContent } from '../../src/x509/self-signed.ts';
import { goodTime, openssl, opensslAuthority } from '../fakes/openssl-authority.ts';

const alternativeNames: GeneralName[] = [
  { kind: 'dns', value: 'bmc.example.com' },
  { kind: 'dns', value: 'bmc' },
  { kind: 'ip', value: '192.0.2.7' },
  { kind: 'ip', value: '2001:db8::7' },
];
const content: SelfSignedContent = {
  commonName: 'bmc.example.com',
  organization: 'Test, Inc.',
  alternativeNames,
  notBefore: new Date('2026-05-01T00:00:00Z'),
  notAfter: new Date('2027-05-01T00:00:00Z'),
  serialNumber: Buffer.from('7f00000000000000000000000000000a', 'hex'),
  comment: 'made for a test',
};
const kinds = [
  ...(Object.keys(curveNames) as Curve[]).map((curve) => ({ kind: 'EC', curve }) as const),
  { kind: 'RSA', bits: 2048 } as const,
];

describe('a self-signed certificate', () => {
  const directory = opensslAuthority();
  after(() => directory.remove());
  const attime = String(goodTime.getTime() / 1000);

  for (const kind of kinds) {
    it(`for a key of ${kind.kind === 'EC' ? kind.curve : 'RSA'} is good for a TLS server`, () => {
      const key = generateKey(kind);
      const { pem, publicKey } = readCertificate(makeSelfSigned(content, key));
      const path = directory.write('self-signed.pem', pem);
      openssl([
        ...['verify', '-x509_strict', '-check_ss_sig', '-purpose', 'sslserver'],
        ...['-attime', attime, '-verify_hostname', 'bmc', '-CAfile', path, path],
      ]);
      assert.ok(publicKey.equals(createPublicKey(key)));
    });
  }

  const key = generateKey({ kind: 'EC', curve: 'prime256v1' });
  const certificate = readCertificate(makeSelfSigned(content, key));
  const ask = (...option: string[]) => openssl(['x509', '-noout', ...option], certificate.pem);

  for (const [option, name, matches] of [
    ['-checkhost', 'bmc.example.com', true],
    ['-checkhost', 'bmc', true],
    ['-checkhost', 'other.example.com', false],
    ['-checkip', '192.0.2.7', true],
    ['-checkip', '2001:db8:0::7', true],
    ['-checkip', '192.0.2.8', false],
  ] as const) {
    it(`${matches ? 'is' : 'is not'} for ${name}`, () => {
      assert.equal(ask(option, name).includes('does match'), matches);
    });
  }

  it('says who made it and how long it is good', () => {
    assert.equal(formatName(certificate.subject), 'O=Test, Inc.,CN=bmc.example.com');
    assert.deepEqual(certificate.issuer, certificate.subject);
    assert.equal(certificate.serialNumber, '7F00000000000000000000000000000A');
    assert.equal(certificate.comment, 'made for a test');
    assert.equal(ask('-startdate').trim(), 'notBefore=May  1 00:00:00 2026 GMT');
    assert.equal(ask('-enddate').trim(), 'notAfter=May  1 00:00:00 2027 GMT');
  });

  it('is no CA, and for TLS servers only', () => {
    assert.equal(certificate.isCa, false);
    assert.deepEqual(certificate.unknownCritical, []);
    assert.deepEqual(certificate.keyUsage, ['DigitalSignature', 'ServerAuthentication']);
    assert.match(ask('-ext', 'basicConstraints'), /critical\s*CA:FALSE/);
    const rsa = makeSelfSigned(content, generateKey({ kind: 'RSA', bits: 2048 }));
    assert.ok(readCertificate(rsa).keyUsage.includes('KeyEncipherment'));
  });

  it('has the same identifier for its key and its issuer', () => {
    const text = ask('-ext', 'subjectKeyIdentifier,authorityKeyIdentifier');
    const [subject, issuer] = text.match(/([0-9A-F]{2}:){19}[0-9A-F]{2}/g) ?? [];
    assert.ok(subject);
    assert.equal(issuer, subject);
  });

  it('has no alternative names when there are none', () => {
    const bare = readCertificate(makeSelfSigned({ ...content, alternativeNames: [] }, key));
    assert.deepEqual(bare.alternativeNames, []);
  });
});
