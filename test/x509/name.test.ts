import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { readCertificate } from '../../src/x509/certificate.ts';
import { decode, encode, tags, utf8String } from '../../src/x509/der.ts';
import {
  type AttributeType,
  formatName,
  readName,
  sameName,
  subjectHash,
  valuesOf,
  writeName,
} from '../../src/x509/name.ts';
import { attributeTypes } from '../../src/x509/oids.ts';
import { formatPem } from '../../src/x509/pem.ts';
import { forgeCertificate, nameOf, rawString } from '../fakes/forged-certificate.ts';
import { openssl, opensslAuthority } from '../fakes/openssl-authority.ts';
import { processorTime } from '../fakes/processor-time.ts';

/** The subject as openssl prints it in the form that is ours. */
const printedByOpenssl = (pem: string) =>
  openssl(['x509', '-noout', '-subject', '-nameopt', 'sep_comma_plus,utf8'], pem)
    .replace(/^subject=/, '')
    .replace(/\n$/, '');

describe('a subject name', () => {
  const authority = opensslAuthority();
  after(() => authority.remove());

  const subjects: [string, string, string][] = [
    ['in the order of the certificate', '/C=CH/O=Acme/CN=bmc', 'C=CH,O=Acme,CN=bmc'],
    ['with commas as they are', '/O=Acme, Inc./CN=x', 'O=Acme, Inc.,CN=x'],
    ['with plus and equals signs', '/O=a\\+b/CN=x\\=y', 'O=a+b,CN=x=y'],
    ['with quotes and hashes', '/CN=#"x"', 'CN=#"x"'],
    ['in UTF-8', '/O=Zürich/CN=試験 😀', 'O=Zürich,CN=試験 😀'],
    ['with RDNs of several values', '/O=Acme+OU=Lab+L=Bern/CN=x', 'OU=Lab+L=Bern+O=Acme,CN=x'],
    ['with every name of one type', '/OU=one/OU=two/CN=x', 'OU=one,OU=two,CN=x'],
    ['with domain components', '/DC=com/DC=example/CN=x', 'DC=com,DC=example,CN=x'],
    ['with a person', '/GN=A/SN=B/initials=C/name=D', 'GN=A,SN=B,initials=C,name=D'],
    ['with addresses', '/emailAddress=a@b.c/UID=7', 'emailAddress=a@b.c,UID=7'],
  ];
  for (const [what, subject, expected] of subjects) {
    it(`is written ${what}`, () => {
      const { pem, certificate } = authority.issue({ subject });
      assert.equal(formatName(certificate.subject), expected);
      assert.equal(printedByOpenssl(pem), expected);
    });
  }

  it('may be empty', () => assert.equal(formatName(readName(decode(Buffer.of(0x30, 0)))), ''));

  it('has types that we do not know in dotted form', () => {
    const name = nameOf(['1.2.3.4', utf8String('x')]);
    assert.equal(formatName(readName(name)), '1.2.3.4=x');
  });

  const jurisdiction = {
    '1.3.6.1.4.1.311.60.2.1.1': 'jurisdictionL',
    '1.3.6.1.4.1.311.60.2.1.2': 'jurisdictionST',
    '1.3.6.1.4.1.311.60.2.1.3': 'jurisdictionC',
    '2.5.4.16': 'postalAddress',
    '2.5.4.72': 'role',
  };
  for (const [dotted, type] of Object.entries({ ...attributeTypes, ...jurisdiction })) {
    it(`has ${dotted} as ${type}, as openssl does`, () => {
      const subject = nameOf([dotted, utf8String('x')]);
      const der = forgeCertificate({ subject });
      assert.equal(printedByOpenssl(formatPem('CERTIFICATE', der)), `${type}=x`);
      assert.equal(formatName(readCertificate(der).subject), `${type}=x`);
    });
  }
});

describe('a value of a name', () => {
  const strings: [string, number, Buffer, string][] = [
    ['UTF8String', tags.UTF8_STRING, Buffer.from('ü€😀'), 'ü€😀'],
    ['PrintableString', tags.PRINTABLE_STRING, Buffer.from('Acme'), 'Acme'],
    ['IA5String', tags.IA5_STRING, Buffer.from('a@b'), 'a@b'],
    ['NumericString', 18, Buffer.from('12 34'), '12 34'],
    [
      'T61String, which is read as Latin-1',
      tags.T61_STRING,
      Buffer.from('Zürich', 'latin1'),
      'Zürich',
    ],
    ['BMPString', tags.BMP_STRING, Buffer.from('ü€', 'utf16le').swap16(), 'ü€'],
    ['UniversalString', tags.UNIVERSAL_STRING, Buffer.from('000000fc0001f600', 'hex'), 'ü😀'],
  ];
  for (const [what, tag, bytes, text] of strings) {
    it(`may be a ${what}`, () => {
      const der = forgeCertificate({ subject: nameOf(['2.5.4.3', rawString(tag, bytes)]) });
      assert.equal(formatName(readCertificate(der).subject), `CN=${text}`);
      assert.equal(printedByOpenssl(formatPem('CERTIFICATE', der)), `CN=${text}`);
    });
  }

  it('shows a replacement for code points that are none', () => {
    const name = nameOf([
      '2.5.4.3',
      rawString(tags.UNIVERSAL_STRING, Buffer.from('7fffffff', 'hex')),
    ]);
    assert.equal(formatName(readName(name)), 'CN=�');
  });

  it('never brings a NUL to the bus, which cannot carry one', () => {
    const value = rawString(tags.UTF8_STRING, Buffer.from('bank.example\0.evil.example'));
    assert.doesNotMatch(formatName(readName(nameOf(['2.5.4.3', value]))), /\0/);
  });
});

describe('a name that we write', () => {
  const types = fc.constantFrom<AttributeType>('CN', 'O', 'OU', 'L', 'ST', 'GN', 'SN', 'name');
  const values = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });

  it('is read as it was written', () => {
    const attributes = fc.array(fc.record({ type: types, value: values }), { maxLength: 6 });
    fc.assert(
      fc.property(attributes, (list) => {
        const name = readName(decode(encode(writeName(list))));
        assert.deepEqual(
          name,
          list.map((attribute) => [{ ...attribute }]),
        );
      }),
    );
  });

  const stringTypes: [AttributeType, string, number][] = [
    ['C', 'CH', tags.PRINTABLE_STRING],
    ['serialNumber', '7', tags.PRINTABLE_STRING],
    ['emailAddress', 'a@b', tags.IA5_STRING],
    ['DC', 'example', tags.IA5_STRING],
    ['CN', 'bmc', tags.UTF8_STRING],
    ['O', 'Zürich', tags.UTF8_STRING],
  ];
  for (const [type, value, tag] of stringTypes) {
    it(`has ${type} as the string type of the standards`, () => {
      const der = encode(writeName([{ type, value }]));
      const bytes = Buffer.from(value);
      assert.deepEqual(der.subarray(-bytes.length - 2), Buffer.from([tag, bytes.length, ...bytes]));
    });
  }
});

describe('two names', () => {
  const named = (value: string) => readName(nameOf(['2.5.4.3', utf8String(value)]));

  it('are one when they differ in ASCII case and white space only', () => {
    assert.ok(sameName(named('Test  CA'), named(' test ca ')));
    assert.ok(!sameName(named('Test CA'), named('TestCA')));
    assert.ok(!sameName(named('Ü'), named('ü')));
  });

  it('are two when their structure differs', () => {
    const ab = readName(nameOf(['2.5.4.3', utf8String('a')], ['2.5.4.3', utf8String('b')]));
    const ba = readName(nameOf(['2.5.4.3', utf8String('b')], ['2.5.4.3', utf8String('a')]));
    assert.ok(!sameName(ab, ba));
    assert.ok(!sameName(named('a,CN=b'), ab));
    assert.ok(!sameName([], ab));
  });

  it('are compared in no time, however much white space is in them', () => {
    for (const space of [' ', '\t', '\r\n']) {
      const long = nameOf(['2.5.4.3', utf8String(`a${space.repeat(100_000)}b`)]);
      const taken = processorTime(() => {
        assert.ok(sameName(readName(long), named('A b')));
        subjectHash(long);
      });
      assert.ok(taken < 500, `it took ${taken} ms`);
    }
  });

  it('give the values of one type in their order', () => {
    const name = readName(nameOf(['2.5.4.11', utf8String('x')], ['2.5.4.11', utf8String('y')]));
    assert.deepEqual(valuesOf(name, 'OU'), ['x', 'y']);
    assert.deepEqual(valuesOf(name, 'CN'), []);
  });
});
