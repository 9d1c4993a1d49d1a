import { encode, oid, sequence, unsignedInteger, utf8String } from '../../../src/x509/der.ts';
import {
  commonName,
  element,
  extension,
  forge,
  isCa,
  nameOf,
  pem,
  plainName,
} from './forged-anything.ts';
import type { Nasty } from './nasty-row.ts';

export function encodedText(text: string): Buffer {
  return encode(utf8String(text));
}

const text = (tag: number, value: string | Buffer) => element(tag, Buffer.from(value));
const dates = (from: [number, string], until: [number, string]) =>
  element(0x30, text(...from), text(...until));
const [utc, generalized] = [0x17, 0x18];
const good: [number, string] = [utc, '260101000000Z'];
const file = (fields: Parameters<typeof forge>[0]) => () => Buffer.from(pem(forge(fields)));
const named = (...values: readonly (readonly [string, Uint8Array])[]) =>
  file({ subject: nameOf(...values) });
const dns = (name: string) => element(0x82, Buffer.from(name));
const alternative = '2.5.29.17';
const names = (count: number) =>
  element(0x30, ...Array.from({ length: count }, (_, n) => dns(`host-${n}.example.com`)));

const many = (count: number, make: (n: number) => Buffer) =>
  Array.from({ length: count }, (_, n) => make(n));
const nothing = Buffer.alloc(0);

type Verdict = Nasty['verdict'];
const row = (what: string, content: () => Buffer, verdict: Verdict, because: string): Nasty => ({
  ...{ what, to: 'authority', content, verdict, because },
});

const served = 'OpenSSL and GnuTLS read it';
const malformed = 'certificate-malformed';

/** Names, serial numbers, dates and extensions. */
export const nastyFields: readonly Nasty[] = [
  row(
    '10 000 alternative names',
    file({ extensions: [isCa, extension(alternative, names(10_000))] }),
    'accepted',
    served,
  ),
  row(
    'a negative serial number',
    file({ serial: Buffer.of(2, 1, 0x80) }),
    'accepted',
    'OpenSSL reads it, and devices have such',
  ),
  row(
    'a serial number of zero',
    file({ serial: Buffer.of(2, 1, 0) }),
    'accepted',
    'OpenSSL reads it, and roots have such',
  ),
  row(
    'a serial number of a kilobyte',
    file({ serial: encode(unsignedInteger(Buffer.alloc(1024, 0x5a))) }),
    'accepted',
    served,
  ),
  row(
    'a serial number without a byte',
    file({ serial: Buffer.of(2, 0) }),
    malformed,
    'OpenSSL does not parse it',
  ),
  row(
    'a serial number with zeros before it',
    file({ serial: Buffer.of(2, 2, 0, 7) }),
    malformed,
    'X.690 §8.3.2; OpenSSL does not parse it',
  ),
  row(
    'an unknown critical extension',
    file({ extensions: [isCa, extension('1.2.3.4', Buffer.of(5, 0), true)] }),
    'critical-extension',
    'RFC 5280 §4.2: every peer must refuse it',
  ),
  row(
    'an unknown extension',
    file({ extensions: [isCa, extension('1.2.3.4', Buffer.of(5, 0))] }),
    'accepted',
    'RFC 5280 §4.2: it is ignored',
  ),
  row(
    'an extension of a UUID',
    file({
      extensions: [
        isCa,
        extension('2.25.329800735698586629295641978511506172918', Buffer.of(5, 0)),
      ],
    }),
    'accepted',
    'X.667: an arc of 128 bits is in use',
  ),
  row(
    'an extension twice',
    file({ extensions: [isCa, isCa] }),
    malformed,
    'RFC 5280 §4.2; OpenSSL marks it invalid, so that it verifies nothing',
  ),
  row(
    'alternative names twice',
    file({ extensions: [isCa, ...[1, 2].map((n) => extension(alternative, names(n)))] }),
    malformed,
    'RFC 5280 §4.2; OpenSSL takes the first one and GnuTLS refuses',
  ),
  row(
    'alternative names that are none',
    file({ extensions: [isCa, extension(alternative, Buffer.of(5, 0))] }),
    malformed,
    'OpenSSL marks it invalid',
  ),
  row(
    'alternative names that are no DER',
    file({ extensions: [isCa, extension(alternative, Buffer.of(0x30, 0x80))] }),
    malformed,
    'OpenSSL marks it invalid',
  ),
  row(
    'no alternative name in the extension',
    file({ extensions: [isCa, extension(alternative, Buffer.of(0x30, 0))] }),
    'accepted',
    served,
  ),
  row(
    'a NUL in an alternative name',
    file({ extensions: [isCa, extension(alternative, element(0x30, dns('bmc\0.evil.example')))] }),
    'accepted',
    'OpenSSL compares whole names, so it matches no host',
  ),
  row(
    'key usage that is no BIT STRING',
    file({ extensions: [isCa, extension('2.5.29.15', Buffer.of(5, 0))] }),
    'not-a-ca',
    'OpenSSL marks it invalid, and then it is no CA',
  ),
  row(
    'basic constraints that are none',
    file({ extensions: [extension('2.5.29.19', Buffer.of(2, 1, 1), true)] }),
    malformed,
    'OpenSSL marks it invalid',
  ),
  row(
    'version 1 with extensions',
    file({ version: Buffer.alloc(0) }),
    malformed,
    'RFC 5280 §4.1.2.9; OpenSSL marks it invalid',
  ),
  row(
    'version 1',
    file({ version: Buffer.alloc(0), extensions: 'none' }),
    'accepted',
    'OpenSSL takes a self-signed one for a CA',
  ),
  row('version 78', file({ version: Buffer.of(0xa0, 3, 2, 1, 77) }), malformed, 'there is none'),
  row(
    'an empty subject and issuer',
    file({ subject: Buffer.of(0x30, 0) }),
    'accepted',
    'OpenSSL reads it; RFC 5280 §4.1.2.4 wants an issuer, and nothing depends on it here',
  ),
  row(
    'a name of 40 kB',
    named([commonName, encodedText('x'.repeat(40_000))]),
    'accepted',
    'OpenSSL and GnuTLS read it',
  ),
  row(
    'a NUL in a name',
    named([commonName, encodedText('bmc\0.evil.example')]),
    'accepted',
    'OpenSSL reads it; it is shown as \\x00',
  ),
  row(
    'a name in BMPString',
    named([commonName, text(0x1e, Buffer.from('\u6d4b\u8bd5', 'utf16le').swap16())]),
    'accepted',
    served,
  ),
  row(
    'a name in BMPString of an odd length',
    named([commonName, text(0x1e, 'abc')]),
    malformed,
    'OpenSSL does not parse it',
  ),
  row(
    'a name in UniversalString',
    named([commonName, text(0x1c, Buffer.of(0, 1, 0xf6, 0))]),
    'accepted',
    served,
  ),
  row(
    'a name in TeletexString',
    named([commonName, text(0x14, Buffer.of(0xe9, 0x74))]),
    'accepted',
    served,
  ),
  row(
    'a name in UTF8String that is no UTF-8',
    named([commonName, text(0x0c, Buffer.of(0xff, 0xfe))]),
    malformed,
    'OpenSSL does not parse it',
  ),
  row(
    'a name with an INTEGER',
    named([commonName, Buffer.of(2, 1, 5)]),
    malformed,
    'OpenSSL does not parse it',
  ),
  row(
    'a name of an indefinite length',
    file({
      subject: Buffer.concat([Buffer.of(0x30, 0x80), plainName.subarray(2), Buffer.of(0, 0)]),
    }),
    malformed,
    'OpenSSL signs and serves the bytes as they are, and GnuTLS refuses them: X.690 §10.1',
  ),
  row(
    'a name with a SEQUENCE',
    named([commonName, Buffer.of(0x30, 0)]),
    malformed,
    'it is no text',
  ),
  row(
    'a name with 1000 attributes',
    named(...Array.from({ length: 1000 }, (_, n) => [commonName, encodedText(String(n))] as const)),
    'accepted',
    served,
  ),
  row(
    'a year of 1950',
    file({ validity: dates([utc, '500101000000Z'], good) }),
    'validity-start',
    'the bus has no times before 1970',
  ),
  row(
    'a year of 9999',
    file({ validity: dates(good, [generalized, '99991231235959Z']) }),
    'accepted',
    'RFC 5280 §4.1.2.5: no expiration',
  ),
  row(
    'a year of 0',
    file({ validity: dates(good, [generalized, '00000101000000Z']) }),
    'validity-start',
    'the bus has no times before 1970',
  ),
  row(
    'a 32nd of December',
    file({ validity: dates(good, [utc, '361232000000Z']) }),
    malformed,
    'there is none',
  ),
  row(
    'a 30th of February',
    file({ validity: dates(good, [utc, '360230000000Z']) }),
    malformed,
    'there is none',
  ),
  row(
    'a second 60',
    file({ validity: dates(good, [utc, '361231235960Z']) }),
    malformed,
    'OpenSSL knows no leap seconds',
  ),
  row(
    'a date with an offset',
    file({ validity: dates(good, [utc, '360101000000+0100']) }),
    malformed,
    'RFC 5280 §4.1.2.5.1',
  ),
  row(
    'a date with fractions',
    file({ validity: dates(good, [generalized, '20360101000000.5Z']) }),
    malformed,
    'RFC 5280 §4.1.2.5.2',
  ),
  row(
    'a date without seconds',
    file({ validity: dates(good, [utc, '3601010000Z']) }),
    malformed,
    'RFC 5280 §4.1.2.5.1',
  ),
  row(
    'a date of no characters',
    file({ validity: dates(good, [utc, '']) }),
    malformed,
    'RFC 5280 §4.1.2.5.1',
  ),
  row(
    'GeneralizedTime for 2036',
    file({ validity: dates(good, [generalized, '20360101000000Z']) }),
    'accepted',
    'OpenSSL reads it; RFC 5280 §4.1.2.5 wants UTCTime',
  ),
  row(
    'an end before the beginning',
    file({ validity: dates([utc, '300101000000Z'], good) }),
    'accepted',
    'it is never valid, which is what the operator is told',
  ),
  row(
    'another algorithm inside than outside',
    file({ innerAlgorithm: encode(sequence(oid('1.2.840.10045.4.3.3'))) }),
    malformed,
    'RFC 5280 §4.1.1.2; OpenSSL and GnuTLS verify nothing with it',
  ),
  row(
    'a signature algorithm that nobody knows',
    file({
      innerAlgorithm: encode(sequence(oid('1.2.3.4'))),
      outerAlgorithm: encode(sequence(oid('1.2.3.4'))),
    }),
    'chain-signature',
    'nobody can verify it, its own signature included',
  ),
  row(
    'a name with 95 000 blanks inside',
    named([commonName, encodedText(`a${' '.repeat(95_000)}b`)]),
    'accepted',
    'OpenSSL reads it, and takes them for one when it compares',
  ),
  row(
    '60 000 extensions',
    file({
      extensions: [isCa, ...many(60_000, (n) => extension(`1.2.${n % 128}.${n >> 7}`, nothing))],
    }),
    malformed,
    'the limit is in the configuration; OpenSSL would take seconds',
  ),
  row(
    '101 extensions',
    file({ extensions: [isCa, ...many(100, (n) => extension(`1.2.3.${n}`, nothing))] }),
    malformed,
    'the limit is in the configuration',
  ),
  row(
    '40 000 attributes in one part of a name',
    file({
      subject: element(
        0x30,
        element(
          0x31,
          ...many(40_000, (n) => element(0x30, encode(oid(commonName)), encodedText(`${n}`))),
        ),
      ),
    }),
    malformed,
    'the limit is in the configuration',
  ),
  row(
    '80 000 alternative names',
    file({ extensions: [isCa, extension(alternative, names(80_000))] }),
    malformed,
    'the limit is in the configuration',
  ),
  row(
    'an extension of 300 kB',
    file({ extensions: [isCa, extension('1.2.3.4', Buffer.alloc(300_000))] }),
    malformed,
    'the limit is in the configuration, and TLS has no room for half of it',
  ),
];
