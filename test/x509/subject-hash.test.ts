import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { readCertificate } from '../../src/x509/certificate.ts';
import { type Asn1, tags, utf8String } from '../../src/x509/der.ts';
import { formatPem } from '../../src/x509/pem.ts';
import { forgeCertificate, nameOf, rawString } from '../fakes/forged-certificate.ts';
import { openssl, opensslAuthority } from '../fakes/openssl-authority.ts';

const hashByOpenssl = (pem: string) => openssl(['x509', '-noout', '-subject_hash'], pem).trim();

/** The hash of a forged subject, after openssl agreed. */
function agreedHash(subject: Asn1): string {
  const der = forgeCertificate({ subject });
  const { subjectHash } = readCertificate(der);
  assert.equal(subjectHash, hashByOpenssl(formatPem('CERTIFICATE', der)));
  return subjectHash;
}

const commonName = (value: Asn1) => nameOf(['2.5.4.3', value]);

describe('the subject hash', () => {
  const authority = opensslAuthority();
  after(() => authority.remove());

  for (const [what, subject] of [
    ['ASCII', '/CN=bmc'],
    ['upper case', '/O=ACME/CN=BMC'],
    ['spaces', '/O=  Acme   Inc.  /CN= x '],
    ['UTF-8', '/O=Zürich/CN=試験 😀'],
    ['upper case outside of ASCII', '/O=ZÜRICH'],
    ['an RDN of several values', '/OU=z+CN=b+O=a/C=CH'],
    ['an e-mail address', '/emailAddress=Admin@Example.COM'],
    ['domain components', '/DC=com/DC=Example'],
    ['a country', '/C=CH'],
    ['a value of blanks', '/O=   /CN=x'],
  ] as const) {
    it(`of ${what} is the one that openssl looks up`, () => {
      const { pem, certificate } = authority.issue({ subject });
      assert.equal(certificate.subjectHash, hashByOpenssl(pem));
    });
  }

  it('does not depend on the string type, on case or on white space', () => {
    const hashes = [
      utf8String('Test CA'),
      rawString(tags.PRINTABLE_STRING, Buffer.from('TEST CA')),
      rawString(tags.IA5_STRING, Buffer.from(' test   ca ')),
      rawString(tags.T61_STRING, Buffer.from('Test\tCA')),
      rawString(tags.BMP_STRING, Buffer.from('Test CA', 'utf16le').swap16()),
    ].map((value) => agreedHash(commonName(value)));
    assert.equal(new Set(hashes).size, 1);
  });

  it('takes values that are no text as they are', () => {
    agreedHash(nameOf(['2.5.4.45', rawString(tags.BIT_STRING, Buffer.from('0041', 'hex'))]));
    agreedHash(commonName(rawString(18, Buffer.from(' 1  2 '))));
  });

  it('is eight digits, with leading zeros', () => {
    for (let at = 0; ; at += 1) {
      const hash = agreedHash(commonName(utf8String(`ca ${at}`)));
      assert.match(hash, /^[0-9a-f]{8}$/);
      if (hash.startsWith('0')) return;
    }
  });

  it('agrees with openssl about any text', () => {
    const pieces = fc.constantFrom(
      'a',
      'B',
      ' ',
      '\t',
      '\v',
      'É',
      'ß',
      '€',
      '\u00a0',
      '\u3000',
      '-',
    );
    fc.assert(
      fc.property(fc.array(pieces, { minLength: 1, maxLength: 12 }), (parts) => {
        agreedHash(commonName(utf8String(parts.join(''))));
      }),
      { numRuns: 40 },
    );
  });
});
