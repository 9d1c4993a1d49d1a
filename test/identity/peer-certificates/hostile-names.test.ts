import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isUserName, type MapType } from '../../../src/identity/peer-certificates/map-types.ts';
import { type Certificate, readCertificate } from '../../../src/x509/certificate.ts';
import {
  ia5String,
  octetString,
  oid,
  printableString,
  sequence,
  setOf,
  tags,
  utf8String,
} from '../../../src/x509/der.ts';
import { forgeCertificate, nameOf, rawString } from '../../fakes/forged-certificate.ts';
import {
  alternativeNames,
  commonNameId,
  commonNames,
  directory,
  dns,
  ip,
  mail,
  mappedName,
  uri,
  withNames,
  withSubject,
} from '../../fakes/forged-names.ts';

describe('a forged certificate', () => {
  const hostile: readonly [string, MapType, Certificate, string][] = [
    [
      'two common names',
      'common-name',
      withSubject(utf8String('a'), utf8String('b')),
      'ambiguous-name',
    ],
    [
      'the same common name twice',
      'common-name',
      withSubject(utf8String('a'), utf8String('a')),
      'ambiguous-name',
    ],
    [
      'two common names in one RDN',
      'common-name',
      readCertificate(
        forgeCertificate({
          subject: sequence(
            setOf(
              sequence(oid(commonNameId), utf8String('a')),
              sequence(oid(commonNameId), utf8String('b')),
            ),
          ),
        }),
      ),
      'ambiguous-name',
    ],
    ['no common name', 'common-name', withSubject(), 'no-user-name'],
    ['an empty common name', 'common-name', withSubject(utf8String('')), 'not-a-user-name'],
    ['a NUL', 'common-name', withSubject(utf8String('root\0.evil')), 'not-a-user-name'],
    [
      'a NUL in a PrintableString',
      'common-name',
      withSubject(printableString('root\0')),
      'not-a-user-name',
    ],
    ['a line feed', 'common-name', withSubject(utf8String('root\n')), 'not-a-user-name'],
    ['a space behind', 'common-name', withSubject(utf8String('root ')), 'not-a-user-name'],
    ['a path', 'common-name', withSubject(utf8String('../root')), 'not-a-user-name'],
    ['CN= in the value', 'common-name', withSubject(utf8String('x/CN=root')), 'not-a-user-name'],
    [
      'CN= in another attribute',
      'common-name',
      readCertificate(
        forgeCertificate({
          subject: nameOf(
            ['2.5.4.10', utf8String('x,CN=root')],
            [commonNameId, utf8String('alice')],
          ),
        }),
      ),
      'name alice',
    ],
    [
      'Cyrillic letters',
      'common-name',
      withSubject(utf8String('r\u043e\u043et')),
      'not-a-user-name',
    ],
    ['full-width letters', 'common-name', withSubject(utf8String('\uff52oot')), 'not-a-user-name'],
    ['a zero-width space', 'common-name', withSubject(utf8String('ro\u200bot')), 'not-a-user-name'],
    [
      'a broken UTF-8',
      'san-dirname-cn',
      withNames(directory(commonNames(rawString(tags.UTF8_STRING, Buffer.of(0x72, 0xff))))),
      'not-a-user-name',
    ],
    [
      'an overlong UTF-8',
      'san-dirname-cn',
      withNames(directory(commonNames(rawString(tags.UTF8_STRING, Buffer.of(0x72, 0xc1, 0xaf))))),
      'not-a-user-name',
    ],
    [
      'a BMPString',
      'common-name',
      withSubject(rawString(tags.BMP_STRING, Buffer.from('\0r\0o'))),
      'name ro',
    ],
    [
      'ASCII in the octets of a BMPString',
      'common-name',
      withSubject(rawString(tags.BMP_STRING, Buffer.from('root'))),
      'not-a-user-name',
    ],
    [
      'a UniversalString',
      'common-name',
      withSubject(rawString(tags.UNIVERSAL_STRING, Buffer.from('\0\0\0r'))),
      'not-a-user-name',
    ],
    [
      'a TeletexString',
      'common-name',
      withSubject(rawString(tags.T61_STRING, Buffer.from('root'))),
      'not-a-user-name',
    ],
    [
      'an OCTET STRING',
      'san-dirname-cn',
      withNames(directory(commonNames(octetString(Buffer.from('root'))))),
      'not-a-user-name',
    ],
    [
      'a name of 256 bytes',
      'common-name',
      withSubject(utf8String('a'.repeat(256))),
      'not-a-user-name',
    ],
    [
      'a mail address with two @',
      'san-rfc822-name',
      withNames(mail('root@x@y')),
      'not-a-user-name',
    ],
    [
      'a mail address without a host',
      'san-rfc822-name',
      withNames(mail('root@')),
      'not-a-user-name',
    ],
    [
      'a mail address without a user',
      'san-rfc822-name',
      withNames(mail('@host')),
      'not-a-user-name',
    ],
    ['a mail address without @', 'san-rfc822-name', withNames(mail('root')), 'not-a-user-name'],
    ['a NUL in a mail address', 'san-rfc822-name', withNames(mail('root\0@x')), 'not-a-user-name'],
    ['a NUL in a DNS name', 'san-dns-name', withNames(dns('root\0.evil')), 'not-a-user-name'],
    [
      'a DNS name with a byte that is not ASCII',
      'san-dns-name',
      withNames(dns('r\xf3ot')),
      'not-a-user-name',
    ],
    [
      'a Kelvin sign in UTF-8, which lower case would turn into k',
      'san-dns-name',
      withNames(dns('\xe2\x84\xaa')),
      'not-a-user-name',
    ],
    ['an empty DNS name', 'san-dns-name', withNames(dns('')), 'not-a-user-name'],
    ['a wildcard', 'san-dns-name', withNames(dns('*.example')), 'not-a-user-name'],
    [
      'an address with its mask',
      'san-ip-address',
      withNames(ip(192, 0, 2, 1, 255, 255, 255, 0)),
      'not-a-user-name',
    ],
    [
      'a bad name before a good one',
      'san-any',
      withNames(dns('x\0'), dns('root')),
      'not-a-user-name',
    ],
    ['a mail address as a DNS name', 'san-any', withNames(dns('root@x')), 'not-a-user-name'],
    ['an IPv4 address as a DNS name', 'san-any', withNames(dns('192.0.2.1')), 'not-a-user-name'],
    [
      'a mapped IPv6 address as a DNS name',
      'san-any',
      withNames(dns('20010DB800000000000000000000000a')),
      'not-a-user-name',
    ],
    [
      'a name of another kind before',
      'san-any',
      withNames(uri('root'), dns('alice')),
      'name alice',
    ],
    [
      'two directory names',
      'san-dirname-cn',
      withNames(directory(commonNames(utf8String('a'))), directory(commonNames(utf8String('b')))),
      'ambiguous-name',
    ],
    [
      'an empty directory name before another',
      'san-dirname-cn',
      withNames(directory(sequence()), directory(commonNames(utf8String('b')))),
      'ambiguous-name',
    ],
    [
      'a directory name without a common name',
      'san-dirname-cn',
      withNames(directory(nameOf(['2.5.4.10', utf8String('CN=root')]))),
      'no-user-name',
    ],
    [
      'a directory name that is another string',
      'san-dirname-cn',
      withNames(directory(ia5String('CN=root'))),
      'no-user-name',
    ],
    [
      'a directory name of two names',
      'san-dirname-cn',
      withNames(directory(commonNames(utf8String('a')), commonNames(utf8String('b')))),
      'no-user-name',
    ],
    [
      'a directory name in a mail address',
      'san-dirname-cn',
      withNames(mail('DirName:CN=root')),
      'no-user-name',
    ],
    [
      'a common name only in the subject',
      'san-dirname-cn',
      withSubject(utf8String('root')),
      'no-user-name',
    ],
    [
      'alternative names twice',
      'san-dns-name',
      readCertificate(
        forgeCertificate({
          extensions: [alternativeNames(dns('alice')), alternativeNames(dns('root'))],
        }),
      ),
      'unreadable',
    ],
  ];
  for (const [what, mapType, certificate, expected] of hostile) {
    it(`with ${what} comes to "${expected}" by ${mapType}`, () => {
      assert.equal(mappedName(mapType, certificate), expected);
    });
  }
});

describe('any certificate', () => {
  const text = fc.oneof(
    fc.constantFrom('root', 'Root', 'x/CN=root', 'CN=root', 'a@B.example', 'root\0', '', 'rооt'),
    fc.string({ maxLength: 12, unit: 'grapheme' }),
  );
  const attribute = fc.tuple(fc.constantFrom(commonNameId, '2.5.4.10', '2.5.4.11'), text);
  const name = fc.array(attribute, { maxLength: 3 });
  const alternative = fc.oneof(
    fc.record({ kind: fc.constant('mail' as const), text }),
    fc.record({ kind: fc.constant('dns' as const), text }),
    fc.record({ kind: fc.constant('uri' as const), text }),
    fc.record({ kind: fc.constant('directory' as const), name }),
  );
  const makeName = (attributes: readonly [string, string][]) =>
    nameOf(...attributes.map(([type, value]) => [type, utf8String(value)] as const));
  const commonNamesOf = (attributes: readonly [string, string][]) =>
    attributes.filter(([type]) => type === commonNameId).map(([, value]) => value);

  it('maps to no name that is not in the place where its map type looks, nor to one of two', () => {
    const makers = { mail, dns, uri };
    fc.assert(
      fc.property(name, fc.array(alternative, { maxLength: 3 }), (subject, names) => {
        const nodes = names.map((one) =>
          one.kind === 'directory'
            ? directory(makeName(one.name))
            : makers[one.kind](Buffer.from(one.text).toString('latin1')),
        );
        const certificate = readCertificate(
          forgeCertificate({
            subject: makeName(subject),
            ...(nodes.length > 0 && { extensions: [alternativeNames(...nodes)] }),
          }),
        );
        const texts = (kind: string) =>
          names.flatMap((one) => (one.kind === kind && 'text' in one ? [one.text] : []));
        const directories = names.flatMap((one) => ('name' in one ? [one.name] : []));
        const lower = (value: string) => value.toLowerCase();
        const lowerHost = (value: string) => value.replace(/@.*$/s, lower);
        const unchanged = (value: string) => value;
        const places: readonly [MapType, readonly string[], (value: string) => string][] = [
          ['common-name', commonNamesOf(subject), unchanged],
          ['san-dirname-cn', directories.flatMap(commonNamesOf), unchanged],
          ['san-dns-name', texts('dns'), lower],
          ['san-rfc822-name', texts('mail'), lowerHost],
        ];
        for (const [mapType, values, map] of places) {
          const found = mappedName(mapType, certificate);
          if (!found.startsWith('name ')) continue;
          assert.deepEqual(
            [found],
            values.map((value) => `name ${map(value)}`),
          );
          assert.ok(isUserName(found.slice(5)));
        }
        const any = names.find(({ kind }) => kind === 'mail' || kind === 'dns');
        const found = mappedName('san-any', certificate);
        if (found.startsWith('name ')) {
          assert.ok(any && 'text' in any && lower(any.text) === lower(found.slice(5)));
        }
      }),
      { numRuns: 300 },
    );
  });
});
