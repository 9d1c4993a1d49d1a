import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { CertError } from '../../src/core/cert-error.ts';
import { readCertificate } from '../../src/x509/certificate.ts';
import { contentFormats, openAnyContent, openContent } from '../../src/x509/containers.ts';
import { netscapeComment } from '../../src/x509/extensions.ts';
import { formatPem } from '../../src/x509/pem.ts';
import { forgeCertificate } from '../fakes/forged-certificate.ts';
import { keyKinds, openssl, opensslAuthority } from '../fakes/openssl-authority.ts';

const tools = opensslAuthority();
after(() => tools.remove());

const ec = tools.issue({ subject: '/CN=ec' });
const rsa = tools.issue({ subject: '/CN=rsa', key: keyKinds.rsa(2048) });
const ed = tools.issue({ subject: '/CN=ed', key: keyKinds.ed25519 });
const password = 'correct horse';
const pass = `pass:${password}`;
const certificate = tools.write('certificate.pem', ec.pem);
const key = (one: { key: string }) => tools.write('key.pem', one.key);
const der = (...command: string[]) => {
  const out = join(tools.directory, 'made');
  openssl([...command, '-out', out]);
  return readFileSync(out);
};
const request = ['req', '-new', '-subj', '/CN=ec', '-key', key(ec), '-outform', 'DER'];

const rows: readonly { what: string; bytes: () => Buffer; labels: readonly string[] }[] = [
  { what: 'PEM', bytes: () => Buffer.from(ec.pem), labels: ['CERTIFICATE'] },
  {
    what: 'a certificate in DER',
    bytes: () => der('x509', '-outform', 'DER', '-in', certificate),
    labels: ['CERTIFICATE'],
  },
  {
    what: 'a certificate of version 1 in DER',
    bytes: () => {
      const csr = tools.write('v1.csr', openssl(['req', '-new', '-subj', '/', '-key', key(ec)]));
      return der('x509', '-req', '-in', csr, '-signkey', key(ec), '-outform', 'DER');
    },
    labels: ['CERTIFICATE'],
  },
  { what: 'a request in DER', bytes: () => der(...request), labels: ['CERTIFICATE REQUEST'] },
  {
    what: 'a request without a subject in DER',
    bytes: () => der('req', '-new', '-subj', '/', '-key', key(ec), '-outform', 'DER'),
    labels: ['CERTIFICATE REQUEST'],
  },
  {
    what: 'PKCS #7 in DER',
    bytes: () => der('crl2pkcs7', '-nocrl', '-certfile', certificate, '-outform', 'DER'),
    labels: ['CERTIFICATE'],
  },
  {
    what: 'PKCS #12',
    bytes: () => der('pkcs12', '-export', '-in', certificate, '-inkey', key(ec), '-passout', pass),
    labels: ['PRIVATE KEY', 'CERTIFICATE'],
  },
  {
    what: 'a PKCS #8 key in DER',
    bytes: () => der('pkcs8', '-topk8', '-nocrypt', '-outform', 'DER', '-in', key(ed)),
    labels: ['PRIVATE KEY'],
  },
  {
    what: 'a PKCS #1 key in DER',
    bytes: () => der('rsa', '-traditional', '-outform', 'DER', '-in', key(rsa)),
    labels: ['RSA PRIVATE KEY'],
  },
  {
    what: 'a SEC 1 key in DER',
    bytes: () => der('ec', '-outform', 'DER', '-in', key(ec)),
    labels: ['EC PRIVATE KEY'],
  },
  {
    what: 'an encrypted key in DER',
    bytes: () => der('pkcs8', '-topk8', '-passout', pass, '-outform', 'DER', '-in', key(rsa)),
    labels: ['PRIVATE KEY'],
  },
  {
    what: 'a certificate in base64 without PEM lines',
    bytes: () => Buffer.from(ec.pem.replace(/-----.*\n/g, '')),
    labels: ['CERTIFICATE'],
  },
];

const p7 = (label: string) =>
  openssl(['crl2pkcs7', '-nocrl', '-certfile', certificate]).replaceAll('PKCS7', label);
const p12 = () => der('pkcs12', '-export', '-in', certificate, '-inkey', key(ec), '-passout', pass);
const p7der = () => der('crl2pkcs7', '-nocrl', '-certfile', certificate, '-outform', 'DER');
const base64 = (bytes: Buffer, line = /$^/g) =>
  Buffer.from(bytes.toString('base64').replace(line, '$&\r\n'));
/** Each constructed element with an indefinite length, as far as the certificates. */
const indefinite = (bytes: Buffer) => {
  const content = bytes.subarray(bytes.indexOf(Buffer.from('06092a864886f70d010702', 'hex')));
  return Buffer.concat([Buffer.of(0x30, 0x80), content, Buffer.alloc(2)]);
};
const inPkcs7 = (label: string) => ({
  what: `PKCS #7 in a block called ${label}`,
  bytes: () => Buffer.from(p7(label)),
  labels: ['CERTIFICATE'],
});
const both = ['PRIVATE KEY', 'CERTIFICATE'];
const more: typeof rows = [
  ...['CERTIFICATE', 'PKCS7', 'CMS', 'PKCS #7 SIGNED DATA'].map(inPkcs7),
  ...['CERTIFICATE CHAIN', 'X509 CERTIFICATE', 'PKCS #7'].map(inPkcs7),
  { what: 'PKCS #7 in base64', bytes: () => base64(p7der()), labels: ['CERTIFICATE'] },
  { what: 'PKCS #7 in BER', bytes: () => indefinite(p7der()), labels: ['CERTIFICATE'] },
  {
    what: 'PKCS #7 in BER and base64, with line ends of DOS',
    bytes: () => base64(indefinite(p7der()), /.{64}/g),
    labels: ['CERTIFICATE'],
  },
  { what: 'PKCS #12 in base64', bytes: () => base64(p12()), labels: both },
  {
    what: 'PKCS #12 in a PEM block, as GnuTLS writes it',
    bytes: () => Buffer.from(formatPem('PKCS12', p12())),
    labels: both,
  },
  {
    what: 'a PEM file in base64',
    bytes: () => base64(Buffer.from(ec.pem)),
    labels: ['CERTIFICATE'],
  },
  {
    what: 'a short key in base64',
    bytes: () => base64(der('pkcs8', '-topk8', '-nocrypt', '-outform', 'DER', '-in', key(ed))),
    labels: ['PRIVATE KEY'],
  },
  {
    what: 'PEM behind a text that begins as a SEQUENCE',
    bytes: () => Buffer.from(`0 s:CN = bmc\r\n${ec.pem}`),
    labels: ['CERTIFICATE'],
  },
  {
    what: 'a certificate in DER with the lines of PEM in it',
    bytes: () =>
      forgeCertificate({ extensions: [netscapeComment('-----BEGIN CERTIFICATE-----\n')] }),
    labels: ['CERTIFICATE'],
  },
  {
    what: 'a trusted certificate of OpenSSL',
    bytes: () => Buffer.from(openssl(['x509', '-trustout', '-addtrust', 'serverAuth'], ec.pem)),
    labels: ['CERTIFICATE'],
  },
];

describe('the form of a file', () => {
  for (const { what, bytes, labels } of more) {
    for (const format of contentFormats) {
      it(`is found for ${what}, which is said to be ${format}`, () => {
        const blocks = openContent({ bytes: bytes(), format, password });
        assert.deepEqual(
          blocks.map(({ label }) => label),
          labels,
        );
        for (const { label, der } of blocks) if (label === 'CERTIFICATE') readCertificate(der);
      });
    }
  }

  for (const { what, bytes, labels } of rows) {
    it(`is found for ${what}`, () => {
      const blocks = openAnyContent(bytes(), password);
      assert.deepEqual(
        blocks.map(({ label }) => label),
        labels,
      );
      for (const { label, text } of blocks) if (label.endsWith('KEY')) createPrivateKey(text);
    });
  }

  it('of anything else is refused as a CertError, if not left as it is', () => {
    const bytes = fc.uint8Array({ maxLength: 200 });
    const near = bytes.map((rest) => Buffer.concat([Buffer.from([0x30, 0x82]), rest]));
    fc.assert(
      fc.property(fc.oneof(bytes, near), (some) => {
        try {
          openAnyContent(Buffer.from(some), '');
        } catch (error) {
          assert.ok(error instanceof CertError, String(error));
        }
      }),
    );
  });
});
