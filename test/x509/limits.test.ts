import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseUpload } from '../../src/manager/upload.ts';
import { readCertificate } from '../../src/x509/certificate.ts';
import { openContent } from '../../src/x509/containers.ts';
import {
  contextConstructed,
  contextPrimitive,
  decode,
  encode,
  oid,
  sequence,
  setOf,
  utf8String,
} from '../../src/x509/der.ts';
import { usualLimits } from '../../src/x509/limits.ts';
import { formatPem, parsePem } from '../../src/x509/pem.ts';
import { forgeCertificate } from '../fakes/forged-certificate.ts';
import { toPem } from '../fakes/opened-content.ts';
import { processorTime } from '../fakes/processor-time.ts';
import { refusal } from '../fakes/refusal.ts';

const many = <T>(count: number, make: (n: number) => T) =>
  Array.from({ length: count }, (_, n) => make(n));
const own = forgeCertificate({});
const extensionsOf = (count: number) =>
  forgeCertificate({
    extensions: many(count, (n) => ({ id: `1.2.3.${n}`, critical: false, value: Buffer.alloc(0) })),
  });
const attribute = (n: number) => sequence(oid('2.5.4.3'), utf8String(`${n}`));
const namedWith = (count: number) =>
  forgeCertificate({ subject: sequence(...many(count, (n) => setOf(attribute(n)))) });
const crowded = (count: number) =>
  forgeCertificate({ subject: sequence(setOf(...many(count, attribute))) });
const hosts = (count: number) =>
  forgeCertificate({
    extensions: [
      {
        id: '2.5.29.17',
        critical: false,
        value: encode(sequence(...many(count, (n) => contextPrimitive(2, Buffer.from(`${n}`))))),
      },
    ],
  });
const signedData = (...certificates: Parameters<typeof contextConstructed>[1][]) =>
  encode(
    sequence(
      oid('1.2.840.113549.1.7.2'),
      contextConstructed(
        0,
        sequence(
          decode(Buffer.of(2, 1, 1)),
          setOf(),
          sequence(oid('1.2.840.113549.1.7.1')),
          contextConstructed(0, ...certificates),
          setOf(),
        ),
      ),
    ),
  );
const pkcs7 = (count: number) => ({
  bytes: signedData(...many(count, () => decode(own))),
  format: 'PKCS7' as const,
  password: '',
});
const keys = (count: number) =>
  formatPem('PRIVATE KEY', own).repeat(count) + formatPem('CERTIFICATE', own);

const certificates: [string, (count: number) => Buffer, number, RegExp][] = [
  ['extensions', extensionsOf, 100, /more than 100 extensions/],
  ['attributes of a name, each by itself', namedWith, 1000, /more than 1000 attributes/],
  ['attributes of a name, all in one part', crowded, 1000, /more than 1000 attributes/],
  ['alternative names', hosts, 10_000, /more than 10000 alternative names/],
];

describe('a certificate', () => {
  for (const [what, make, max, words] of certificates) {
    it(`may have ${max} ${what}, and no more`, () => {
      assert.doesNotThrow(() => readCertificate(make(max)));
      assert.throws(() => readCertificate(make(max + 1)), refusal('certificate-malformed', words));
    });

    it(`with a hundred thousand ${what} is refused in no time`, () => {
      const der = make(100_000);
      const taken = processorTime(() =>
        assert.throws(() => readCertificate(der), refusal('certificate-malformed', /more|larger/)),
      );
      assert.ok(taken < 300, `it took ${taken} ms`);
    });
  }

  it('may be as large as the limit, and no larger', () => {
    const ofBytes = (length: number) =>
      forgeCertificate({
        extensions: [{ id: '1.2.3', critical: false, value: Buffer.alloc(length) }],
      });
    assert.doesNotThrow(() => readCertificate(ofBytes(261_000)));
    const words = /larger than 262144 bytes/;
    assert.throws(() => readCertificate(ofBytes(262_144)), refusal('certificate-malformed', words));
  });

  it('may have what the configuration says', () => {
    const limits = { ...usualLimits, extensions: 200, nameAttributes: 16 };
    assert.doesNotThrow(() => readCertificate(extensionsOf(200), limits));
    const words = /more than 16 attributes/;
    assert.throws(
      () => readCertificate(namedWith(17), limits),
      refusal('certificate-malformed', words),
    );
  });

  it('is not read for its many elements where nobody looks', () => {
    const nulls = sequence(
      oid('2.5.4.3'),
      sequence(...many(20_000, () => decode(Buffer.of(5, 0)))),
    );
    const der = forgeCertificate({ issuer: sequence(setOf(nulls)) });
    assert.throws(() => readCertificate(der), refusal('certificate-malformed'));
  });
});

describe('a file', () => {
  it('may have a thousand PEM blocks, and no more', () => {
    const block = formatPem('X', Buffer.of(5, 0));
    assert.equal(parsePem(block.repeat(1000)).length, 1000);
    assert.throws(
      () => parsePem(block.repeat(1001)),
      refusal('too-many-certificates', /more than 1000 PEM blocks/),
    );
  });

  it('in PKCS #7 may have a thousand certificates, and no more', () => {
    assert.equal(parsePem(toPem(pkcs7(1000))).length, 1000);
    const words = /1001 certificates and the limit is 1000/;
    assert.throws(() => toPem(pkcs7(1001)), refusal('too-many-certificates', words));
  });

  it('in PKCS #7 with hundreds of thousands of elements is refused in no time', () => {
    const nulls = signedData(
      ...many(100, () => sequence(...many(3800, () => decode(Buffer.of(5, 0))))),
    );
    const taken = processorTime(() =>
      assert.throws(
        () => toPem({ bytes: nulls, format: 'PKCS7', password: '' }),
        refusal('container-malformed', /more than 65000 elements/),
      ),
    );
    assert.ok(taken < 300, `it took ${taken} ms`);
  });

  it('may have sixteen private keys, and no more', () => {
    assert.equal(parseUpload(keys(16), 1).keyBlocks.length, 16);
    const words = /17 private keys and the limit is 16/;
    assert.throws(() => parseUpload(keys(17), 1), refusal('too-many-certificates', words));
  });

  it('may have what the configuration says', () => {
    const limits = { ...usualLimits, blocks: 20, keys: 17 };
    assert.equal(parseUpload(keys(17), 1, limits).keyBlocks.length, 17);
    assert.throws(
      () => openContent(pkcs7(21), limits),
      refusal('too-many-certificates', /limit is 20/),
    );
  });

  it('of empty lines is read in no time', () => {
    const texts = ['\n', '\r', '\r\n', ' \n', '-----\n', '-----BEGIN ', ' '];
    const taken = processorTime(() => {
      for (const text of texts) parsePem(text.repeat(1_000_000 / text.length));
    });
    assert.ok(taken < 1500, `it took ${taken} ms`);
  });
});
