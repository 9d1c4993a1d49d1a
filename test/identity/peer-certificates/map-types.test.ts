import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, describe, it } from 'node:test';
import {
  isRedfishMapType,
  type MapType,
  mapTypes,
} from '../../../src/identity/peer-certificates/map-types.ts';
import { type Asn1, tags, utf8String } from '../../../src/x509/der.ts';
import { rawString } from '../../fakes/forged-certificate.ts';
import { mappedName, withSubject } from '../../fakes/forged-names.ts';
import { opensslAuthority } from '../../fakes/openssl-authority.ts';

describe('the map types', () => {
  it('are those of the schema of the configuration', () => {
    const schema = JSON.parse(
      readFileSync(new URL('../../../schemas/configuration.json', import.meta.url), 'utf8'),
    );
    const { certToName, defaultIdentity } = schema.properties.clientIdentities.properties;
    const names = Object.keys(mapTypes);
    assert.deepEqual(certToName.items.properties.mapType.enum, names);
    assert.deepEqual(defaultIdentity.properties.mapType.enum, names);
  });

  it('of Redfish are the three that AccountService knows', () => {
    const known = Object.keys(mapTypes).filter(isRedfishMapType);
    assert.deepEqual(known, ['CommonName', 'UserPrincipalName', 'Whole']);
    assert.equal(isRedfishMapType('toString'), false);
  });
});

describe('the name in a certificate of openssl', () => {
  const authority = opensslAuthority();
  after(() => authority.remove());
  const directoryLines = (...lines: readonly string[]) => ['[dir]', ...lines];
  const issue = (...lines: readonly string[]) =>
    authority.issue({
      subject: '/O=Test/CN=subject',
      extensions: ['basicConstraints=CA:FALSE', ...lines],
    }).certificate;

  const found: readonly [MapType, readonly string[], string][] = [
    ['san-rfc822-name', ['subjectAltName=email:FooBar@Example.COM'], 'name FooBar@example.com'],
    ['san-rfc822-name', ['subjectAltName=DNS:a.example,email:a@b'], 'name a@b'],
    ['san-rfc822-name', ['subjectAltName=email:a@b,email:c@d'], 'ambiguous-name'],
    ['san-rfc822-name', ['subjectAltName=DNS:a.example'], 'no-user-name'],
    ['san-dns-name', ['subjectAltName=DNS:Admin.Example'], 'name admin.example'],
    ['san-dns-name', ['subjectAltName=DNS:a,DNS:b'], 'ambiguous-name'],
    ['san-dns-name', [], 'no-user-name'],
    ['san-ip-address', ['subjectAltName=IP:192.0.2.1'], 'name 192.0.2.1'],
    ['san-ip-address', ['subjectAltName=IP:2001:DB8::A'], 'name 20010db800000000000000000000000a'],
    ['san-ip-address', ['subjectAltName=IP:192.0.2.1,IP:2001:db8::a'], 'ambiguous-name'],
    ['san-any', ['subjectAltName=URI:urn:x,DNS:B,email:a@b'], 'name b'],
    ['san-any', ['subjectAltName=IP:192.0.2.1,DNS:b'], 'name 192.0.2.1'],
    ['san-any', ['subjectAltName=URI:urn:x'], 'no-user-name'],
    ['common-name', [], 'name subject'],
    [
      'san-dirname-cn',
      ['subjectAltName=dirName:dir', ...directoryLines('O=Org', 'CN=alice')],
      'name alice',
    ],
    [
      'san-dirname-cn',
      ['subjectAltName=dirName:dir', ...directoryLines('O=x/CN=root', 'CN=alice')],
      'name alice',
    ],
    [
      'san-dirname-cn',
      ['subjectAltName=dirName:dir', ...directoryLines('O=evil, DirName:CN=root')],
      'no-user-name',
    ],
    [
      'san-dirname-cn',
      ['subjectAltName=dirName:dir', ...directoryLines('1.CN=alice', '2.CN=bob')],
      'ambiguous-name',
    ],
    [
      'san-dirname-cn',
      ['subjectAltName=dirName:dir,dirName:dir2', ...directoryLines('CN=alice'), '[dir2]', 'O=Org'],
      'ambiguous-name',
    ],
    ['san-dirname-cn', [], 'no-user-name'],
    ['CommonName', [], 'name subject'],
    [
      'UserPrincipalName',
      ['subjectAltName=otherName:1.3.6.1.4.1.311.20.2.3;UTF8:alice@example.com'],
      'name alice',
    ],
    ['Whole', [], 'not-listed'],
  ];
  for (const [mapType, lines, expected] of found) {
    it(`by ${mapType} is "${expected}" with ${lines.join(' ') || 'no extension'}`, () => {
      assert.equal(mappedName(mapType, issue(...lines)), expected);
    });
  }

  it('by common-name is found in a certificate of version 1', () => {
    const { certificate } = authority.issue({ subject: '/CN=old', extensions: [] });
    assert.equal(mappedName('common-name', certificate), 'name old');
    assert.equal(mappedName('san-any', certificate), 'no-user-name');
  });

  it('by specified is that of the entry, whatever the certificate says', () => {
    assert.equal(mappedName('specified', issue(), 'carol'), 'name carol');
    assert.equal(mappedName('specified', issue()), 'no-user-name');
    assert.equal(mappedName('specified', issue(), '../carol'), 'not-a-user-name');
  });
});

describe('the common name as Redfish takes it', () => {
  const names: readonly [string, readonly Asn1[], string][] = [
    ['a plain name', [utf8String('admin')], 'name admin'],
    ['the first of two', [utf8String('a'), utf8String('b')], 'name a'],
    ['another string type', [rawString(tags.BMP_STRING, Buffer.from('\0a\0b'))], 'name ab'],
    ['an empty name', [utf8String('')], 'no-user-name'],
    ['a NUL in the name', [utf8String('admin\0.evil')], 'no-user-name'],
    ['a line feed in the name', [utf8String('admin\n')], 'no-user-name'],
    ['no name', [], 'no-user-name'],
    ['255 bytes', [utf8String(`${'é'.repeat(127)}e`)], `name ${'é'.repeat(127)}e`],
    ['256 bytes', [utf8String('é'.repeat(128))], 'no-user-name'],
  ];
  for (const [what, values, expected] of names) {
    it(`with ${what} comes to "${expected.slice(0, 20)}"`, () => {
      assert.equal(mappedName('CommonName', withSubject(...values)), expected);
    });
  }
});

describe('the user principal name', () => {
  it('counts only with a domain of the device', () => {
    const found = (name: string) =>
      mappedName('UserPrincipalName', {
        ...withSubject(),
        principalNames: [name, 'b@example.com'],
      });
    assert.equal(found('a@example.com'), 'name a');
    assert.equal(found('a@b@example.com'), 'no-user-name');
    assert.equal(found('a@.com'), 'no-user-name');
    assert.equal(found('a@other.com'), 'no-user-name');
  });
});
