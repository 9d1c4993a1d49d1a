import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { parseUpload } from '../../src/manager/upload.ts';
import { openAnyContent } from '../../src/x509/containers.ts';
import { openssl, opensslAuthority } from '../fakes/openssl-authority.ts';
import { refusal } from '../fakes/refusal.ts';

const tools = opensslAuthority();
after(() => tools.remove());

const ec = tools.issue({ subject: '/CN=bmc' });
const path = tools.write('certificate.pem', ec.pem);
const keyPath = tools.write('key.pem', ec.key);
const { der } = ec.certificate;
const run = (...command: string[]): Buffer => {
  const out = join(tools.directory, 'made');
  openssl([...command, '-out', out]);
  return readFileSync(out);
};
const database = join(tools.directory, 'index.txt');
const settings = `[ca]\ndefault_ca=one\n[one]\ndatabase=${database}\ndefault_md=sha256\n`;
const crl = () => {
  tools.write('index.txt', '');
  const signer = ['-keyfile', keyPath, '-cert', path, '-crldays', '1'];
  return run('ca', '-gencrl', '-config', tools.write('ca.cnf', settings), ...signer);
};
const crlDer = () => run('crl', '-in', tools.write('crl.pem', String(crl())), '-outform', 'DER');
const csr = ['req', '-new', '-subj', '/CN=bmc', '-key', keyPath];
const publicKey = ['pkey', '-in', keyPath, '-pubout'];
const key = ['pkey', '-in', keyPath];
const utf16 = Buffer.from(`\ufeff${ec.pem}`, 'utf16le');

const rows: readonly (readonly [what: string, content: () => Buffer | string, reason: RegExp])[] = [
  ['a key', () => run(...key), /holds a private key$/],
  ['a key in DER', () => run(...key, '-outform', 'DER'), /holds a private key$/],
  ['a key that SSH takes', () => `ssh-ed25519 ${'A'.repeat(68)} me@host\n`, /is an SSH key/],
  ['a public key', () => run(...publicKey), /holds a public key/],
  ['a public key in DER', () => run(...publicKey, '-outform', 'DER'), /holds a public key/],
  ['a CSR', () => run(...csr), /holds a certificate request \(CSR\)/],
  ['a CSR in DER', () => run(...csr, '-outform', 'DER'), /holds a certificate request/],
  [
    'a key and a CSR',
    () => run(...key) + run(...csr).toString(),
    /private key and a certificate r/,
  ],
  ['a CRL', () => crl(), /holds a list of revoked certificates/],
  ['a CRL in DER', () => crlDer(), /holds a list of revoked certificates/],
  ['parameters of EC', () => run('ecparam', '-name', 'prime256v1'), /holds parameters of keys/],
  ['an HTML page', () => '\n<!DOCTYPE html>\n<html></html>', /is an HTML page/],
  ['XML', () => `<?xml version="1.0"?><a>${der.toString('base64')}</a>`, /is XML/],
  ['JSON', () => JSON.stringify({ pem: ec.pem }), /is JSON/],
  ['UTF-16', () => utf16, /is UTF-16/],
  ['UTF-16 of the other order', () => Buffer.from(utf16).swap16(), /is UTF-16/],
  ['a gzip archive', () => Buffer.from('1f8b0800000000000003', 'hex'), /is binary/],
  ['a Java keystore', () => Buffer.from('feedfeed0000000200000000', 'hex'), /Java keystore/],
  ['what a form made of PEM', () => encodeURIComponent(ec.pem), /form of a web page/],
  ['PEM in quotes', () => JSON.stringify(ec.pem), /BEGIN line is not exactly/],
  ['PEM with four hyphens', () => ec.pem.replaceAll('-----', '----'), /BEGIN line is not exactly/],
  ['PEM of a word processor', () => ec.pem.replaceAll('-----', '—–'), /BEGIN line is not exactly/],
  ['what openssl prints', () => run('x509', '-in', path, '-noout', '-text'), /openssl x509 -text/],
  ['the name of a file', () => '/tmp/bmc.crt\n', /is the name of a file/],
  ['hexadecimal', () => der.toString('hex'), /is hexadecimal/],
  ['hexadecimal with colons', () => der.toString('hex').replace(/..(?=.)/g, '$&:'), /hexadecimal/],
  [
    'base64 of a text',
    () => Buffer.from('x'.repeat(90)).toString('base64'),
    /base64 without BEGIN/,
  ],
  ['base64 with another character', () => `*${der.toString('base64')}`, /is not base64/],
  ['nothing but blanks', () => ' \r\n', /is empty/],
];

describe('what is no certificate', () => {
  for (const [what, content, reason] of rows) {
    it(`is refused in the words of what it is: ${what}`, () => {
      const open = () => parseUpload(openAnyContent(Buffer.from(content()), ''), 10);
      assert.throws(open, refusal('no-certificate', reason));
    });
  }

  it('says nothing of what it holds', () => {
    const open = () => openAnyContent(Buffer.from('tops3cret'), '');
    assert.throws(open, (error: Error) => !error.message.includes('tops3cret'));
  });
});

const broken: readonly (readonly [what: string, content: () => string, reason: RegExp])[] = [
  ['is cut off', () => der.subarray(0, 200).toString('base64'), /it is cut off$/],
  [
    'is a CSR under the label of a certificate',
    () => String(run(...csr)).replaceAll(' REQUEST', ''),
    /it is a certificate request/,
  ],
];

describe('a certificate that cannot be read', () => {
  for (const [what, content, reason] of broken) {
    it(what, () => {
      const open = () => parseUpload(openAnyContent(Buffer.from(content()), ''), 10);
      assert.throws(open, refusal('certificate-malformed', reason));
    });
  }
});

describe('PEM', () => {
  for (const [what, content, reason] of [
    ['without its line ends', ec.pem.replaceAll('\n', ''), /line ends are gone; use --data-binary/],
    ['with blanks as line ends', ec.pem.replaceAll('\n', ' '), /line ends are gone/],
    ['with escaped line ends', ec.pem.replaceAll('\n', '\\n'), /are the characters \\n/],
    ['with escaped line ends of DOS', ec.pem.replaceAll('\n', '\\r\\n'), /are the characters \\n/],
    ['whose end is cut off', ec.pem.slice(0, -9), /BEGIN or END line is not whole/],
    ['with a blank for a plus', ec.pem.replace(/^(.{70}.)./s, '$1 '), /not base64: line 1 /],
  ] as const) {
    it(`is refused with the reason: ${what}`, () => {
      assert.throws(
        () => openAnyContent(Buffer.from(content), ''),
        refusal('pem-malformed', reason),
      );
    });
  }
});
