import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { makeRequest, type RequestContent } from '../../src/x509/certification-request.ts';
import { generateKey, type KeyAlgorithm } from '../../src/x509/keys.ts';
import type { KeyUsage } from '../../src/x509/oids.ts';
import { openssl } from '../fakes/openssl-authority.ts';

const nothing: RequestContent = { subject: [], alternativeNames: [], usages: [] };
const full: RequestContent = {
  subject: [
    { type: 'L', value: 'Zürich' },
    { type: 'CN', value: 'bmc.example.com' },
    { type: 'C', value: 'CH' },
    { type: 'emailAddress', value: 'admin@example.com' },
    { type: 'O', value: 'Acme, Inc.' },
  ],
  alternativeNames: [
    { kind: 'dns', value: 'bmc.example.com' },
    { kind: 'ip', value: '192.0.2.7' },
    { kind: 'ip', value: '2001:db8::7' },
    { kind: 'email', value: 'admin@example.com' },
    { kind: 'uri', value: 'https://bmc.example.com/' },
  ],
  usages: [
    'DigitalSignature',
    'KeyAgreement',
    'DecipherOnly',
    'ServerAuthentication',
    'CodeSigning',
  ],
  challengePassword: 'tops3cret',
  unstructuredName: 'rack 7',
};

/** What openssl says of a request whose signature it has verified. */
const verified = (pem: string) =>
  openssl(['req', '-verify', '-noout', '-text', '-nameopt', 'sep_comma_plus,utf8'], pem);
const key = generateKey({ kind: 'EC', curve: 'prime256v1' });
const hasCerttool = spawnSync('certtool', ['--version']).status === 0;

describe('a certification request', () => {
  const algorithms: [KeyAlgorithm, string, string][] = [
    [{ kind: 'RSA', bits: 2048 }, '2048 bit', 'sha256WithRSAEncryption'],
    [{ kind: 'RSA', bits: 3072 }, '3072 bit', 'sha256WithRSAEncryption'],
    [{ kind: 'EC', curve: 'secp224r1' }, 'secp224r1', 'ecdsa-with-SHA256'],
    [{ kind: 'EC', curve: 'prime256v1' }, 'prime256v1', 'ecdsa-with-SHA256'],
    [{ kind: 'EC', curve: 'secp384r1' }, 'secp384r1', 'ecdsa-with-SHA384'],
    [{ kind: 'EC', curve: 'secp521r1' }, 'secp521r1', 'ecdsa-with-SHA512'],
  ];
  for (const [algorithm, size, signature] of algorithms) {
    it(`is verified by openssl for a key of ${size}`, () => {
      const privateKey = generateKey(algorithm);
      const pem = makeRequest(full, privateKey);
      const text = verified(pem);
      assert.match(text, new RegExp(`${size}[^]*Signature Algorithm: ${signature}`));
      assert.equal(
        openssl(['req', '-noout', '-pubkey'], pem),
        createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }),
      );
      if (!hasCerttool) return;
      const { status, stdout } = spawnSync('certtool', ['--crq-info'], { input: pem });
      assert.equal(status, 0);
      assert.match(stdout.toString(), /Self signature: verified/);
    });
  }

  it('has everything where PKCS #10 puts it', () => {
    const text = verified(makeRequest(full, key));
    assert.match(
      text,
      /Subject: L=Zürich,CN=bmc\.example\.com,C=CH,emailAddress=admin@example\.com,O=Acme, Inc\.\n/,
    );
    const attributes = text.slice(text.indexOf('Attributes:'));
    assert.match(attributes, /challengePassword\s*:tops3cret/);
    assert.match(attributes, /unstructuredName\s*:rack 7/);
    const extensions = attributes.slice(attributes.indexOf('Requested Extensions:'));
    assert.match(
      extensions,
      /Alternative Name:\s*DNS:bmc\.example\.com, IP Address:192\.0\.2\.7, /,
    );
    assert.match(
      extensions,
      /IP Address:2001:DB8:0:0:0:0:0:7, email:admin@example\.com, URI:https:/,
    );
    assert.match(
      extensions,
      /Key Usage: critical\s*Digital Signature, Key Agreement, Decipher Only\n/,
    );
    assert.match(extensions, /Extended Key Usage:\s*TLS Web Server Authentication, Code Signing\n/);
  });

  it('asks for nothing that was not said', () => {
    const text = verified(makeRequest(nothing, key));
    assert.match(text, /Subject: *\n/);
    assert.match(text, /Attributes:\s*\(none\)/);
    assert.doesNotMatch(openssl(['asn1parse'], makeRequest(nothing, key)), /Extension Request/);
  });

  it('has no extension request for a password alone', () => {
    const pem = makeRequest({ ...nothing, challengePassword: 'x' }, key);
    assert.match(verified(pem), /challengePassword\s*:x/);
    assert.doesNotMatch(openssl(['asn1parse'], pem), /Extension Request/);
  });

  for (const [value, type] of [
    ["Ab1 '()+,-./:=?", 'PRINTABLESTRING'],
    ['p@ss_word!', 'UTF8STRING'],
    ['Paßwort', 'UTF8STRING'],
  ] as const) {
    it(`has a challenge password like ${value} as ${type}`, () => {
      const pem = makeRequest({ ...nothing, challengePassword: value }, key);
      verified(pem);
      assert.match(openssl(['asn1parse'], pem), new RegExp(`challengePassword[^]*?${type}`));
    });
  }

  for (const [value, type] of [
    ['p@ss_word!', 'IA5STRING'],
    ['Gestell 7 für Zürich', 'UTF8STRING'],
  ] as const) {
    it(`has an unstructured name like ${value} as ${type}`, () => {
      const pem = makeRequest({ ...nothing, unstructuredName: value }, key);
      verified(pem);
      assert.match(openssl(['asn1parse'], pem), new RegExp(`unstructuredName[^]*?${type}`));
    });
  }

  it('is verified by openssl whatever it says', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 });
    const usages = fc.subarray<KeyUsage>([...full.usages]);
    fc.assert(
      fc.property(text, text, text, usages, (name, password, unstructured, some) => {
        const content: RequestContent = {
          subject: [{ type: 'CN', value: name }],
          alternativeNames: full.alternativeNames.slice(0, some.length),
          usages: some,
          challengePassword: password,
          unstructuredName: unstructured,
        };
        openssl(['req', '-verify', '-noout'], makeRequest(content, key));
      }),
      { numRuns: 30 },
    );
  });
});
