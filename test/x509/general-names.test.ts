import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decode, encode } from '../../src/x509/der.ts';
import { subjectAltName } from '../../src/x509/extensions.ts';
import {
  encodeGeneralNames,
  type GeneralName,
  parseGeneralName,
  readGeneralNames,
  readHostAndPort,
} from '../../src/x509/general-names.ts';
import { formatPem } from '../../src/x509/pem.ts';
import { forgeCertificate } from '../fakes/forged-certificate.ts';
import { openssl } from '../fakes/openssl-authority.ts';
import { processorTime } from '../fakes/processor-time.ts';

const roundTrip = (names: readonly GeneralName[]) =>
  readGeneralNames(decode(encode(encodeGeneralNames(names))));

const accepted: [string, GeneralName['kind'], string][] = [
  ['bmc', 'dns', 'bmc'],
  ['bmc.example.com', 'dns', 'bmc.example.com'],
  ['  bmc.example.com ', 'dns', 'bmc.example.com'],
  ['*.example.com', 'dns', '*.example.com'],
  ['xn--zrich-kva.example', 'dns', 'xn--zrich-kva.example'],
  ['zürich.example', 'dns', 'xn--zrich-kva.example'],
  ['under_score.example', 'dns', 'under_score.example'],
  ['DNS:bmc', 'dns', 'bmc'],
  ['DNS: bmc', 'dns', 'bmc'],
  ['dns:bmc', 'dns', 'bmc'],
  ['DNS=bmc', 'dns', 'bmc'],
  ['DNS Name: bmc', 'dns', 'bmc'],
  ['DNSName=bmc', 'dns', 'bmc'],
  [`${'a'.repeat(63)}.example`, 'dns', `${'a'.repeat(63)}.example`],
  ['192.0.2.1', 'ip', '192.0.2.1'],
  ['IP:192.0.2.1', 'ip', '192.0.2.1'],
  ['IP: 192.0.2.1', 'ip', '192.0.2.1'],
  ['IP Address:192.0.2.1', 'ip', '192.0.2.1'],
  ['IPAddress=192.0.2.1', 'ip', '192.0.2.1'],
  ['2001:db8::1', 'ip', '2001:db8::1'],
  ['IP:2001:db8::1', 'ip', '2001:db8::1'],
  ['::', 'ip', '::'],
  ['admin@example.com', 'email', 'admin@example.com'],
  ['email:admin@example.com', 'email', 'admin@example.com'],
  ['E-Mail: admin@example.com', 'email', 'admin@example.com'],
  ['RFC822 Name=admin@example.com', 'email', 'admin@example.com'],
  ['https://bmc.example.com/', 'uri', 'https://bmc.example.com/'],
  ['URI:https://bmc.example.com/', 'uri', 'https://bmc.example.com/'],
  ['URI: spiffe://example.com/bmc', 'uri', 'spiffe://example.com/bmc'],
  [`URI:a://${'b'.repeat(2044)}`, 'uri', `a://${'b'.repeat(2044)}`],
  [`${'a'.repeat(64)}@${'b'.repeat(255)}`, 'email', `${'a'.repeat(64)}@${'b'.repeat(255)}`],
  [
    'URI:urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6',
    'uri',
    'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6',
  ],
];

const refused: [string, string][] = [
  ['', 'nothing'],
  ['   ', 'blanks'],
  ['DNS:', 'a prefix alone'],
  ['*', 'a star alone'],
  ['bmc.*.example', 'a star that is not the first label'],
  ['b*.example', 'a star in a label'],
  ['a..b', 'an empty label'],
  ['.example', 'an empty first label'],
  ['-bmc', 'a hyphen at the start'],
  ['bmc-', 'a hyphen at the end'],
  ['two words', 'a blank inside'],
  ['bmc,DNS:evil', 'a comma'],
  ['bmc\nDNS:evil', 'a line break'],
  ['bmc\0.example', 'a NUL'],
  ['a'.repeat(64), 'a label of 64 characters'],
  [`${'a.'.repeat(126)}aa`, 'a host name of 254 characters'],
  ['IP:192.0.2', 'three bytes of an address'],
  ['IP:192.0.2.256', 'a byte above 255'],
  ['IP:192.0.2.1/24', 'a network'],
  ['IP:bmc', 'a host name as address'],
  ['2001:db8::1::2', 'two gaps in an address'],
  ['2001:db8:1', 'too few groups'],
  ['fe80::1%eth0', 'an address with a zone'],
  ['IP:fe80::1%eth0', 'a prefixed address with a zone'],
  ['email:admin', 'an e-mail address without a host'],
  ['email:ädmin@example.com', 'an e-mail address outside of ASCII'],
  ['email:a@b@example.com', 'an e-mail address with two @'],
  ['@@', 'an e-mail address of @ alone'],
  [`${'a'.repeat(65)}@example.com`, 'an e-mail address with 65 characters before its @'],
  [`a@${'b'.repeat(256)}`, 'an e-mail address with 256 characters behind its @'],
  [`URI:a://${'b'.repeat(2045)}`, 'a URI of 2049 characters'],
  ['email:ad min@example.com', 'an e-mail address with a blank'],
  ['URI:bmc', 'a URI without a scheme'],
  ['URI:https://exa mple/', 'a URI with a blank'],
  ['URI:https://zürich.example/', 'a URI outside of ASCII'],
  ['dirName:/CN=x', 'a kind that a device does not use'],
];

describe('a host with a port', () => {
  const hosts: [string, GeneralName['kind'], string][] = [
    ['DNS: bmc.example.com:443', 'dns', 'bmc.example.com'],
    ['bmc:2443', 'dns', 'bmc'],
    ['DNS: 192.0.2.7:443', 'ip', '192.0.2.7'],
    ['IP:192.0.2.7:443', 'ip', '192.0.2.7'],
    ['DNS:[2001:db8::7]:443', 'ip', '2001:db8::7'],
  ];
  for (const [text, kind, value] of hosts) {
    it(`is read of ${text} without the port`, () =>
      assert.deepEqual(readHostAndPort(text), { kind, value }));
  }

  const others = [
    'bmc',
    'DNS: bmc',
    '2001:db8::1',
    '2001:db8:1',
    'email:bmc:25',
    'IP:443',
    'bmc:https',
    ':443',
    'bmc:',
  ];
  for (const text of [...others, 'DNS:bmc:443:443', 'https://bmc:443', 'a@bmc:25', 'bmc:443444']) {
    it(`is not what ${text} says`, () => assert.equal(readHostAndPort(text), undefined));
  }
});

describe('an alternative name', () => {
  for (const [text, kind, value] of accepted) {
    it(`may be written ${JSON.stringify(text).slice(0, 70)}`, () => {
      assert.deepEqual(parseGeneralName(text), { kind, value });
    });
  }

  for (const [text, what] of refused) {
    it(`may not be ${what}`, () => assert.equal(parseGeneralName(text), undefined));
  }

  it('is refused in no time, however long it is', () => {
    const long = ['@', 'a', 'ü', 'a.', ':', ' ', '1', 'xn--'].map((part) => part.repeat(100_000));
    const texts = long.flatMap((part) =>
      ['', 'email:', 'DNS:', 'IP:', 'URI:', 'URI:a://'].map((prefix) => `${prefix}${part} b c`),
    );
    const taken = processorTime(() => {
      for (const text of texts) assert.equal(parseGeneralName(text), undefined);
    });
    assert.ok(taken < 500, `it took ${taken} ms`);
  });

  it('is read as it was written', () => {
    const names = accepted.map(([, kind, value]) => ({ kind, value }));
    assert.deepEqual(roundTrip(names), names);
  });
});

describe('an IP address', () => {
  const forms: [string, string, string][] = [
    ['::', '::', '0'.repeat(32)],
    ['::1', '::1', `${'0'.repeat(31)}1`],
    ['1::', '1::', `0001${'0'.repeat(28)}`],
    ['2001:DB8::A', '2001:db8::a', `20010db8${'0'.repeat(23)}a`],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1', '20010db8000000000001000000000001'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0', '00010002000300040005000600070000'],
    ['::ffff:192.0.2.1', '::ffff:c000:201', `${'0'.repeat(20)}ffffc0000201`],
    ['64:ff9b::192.0.2.1', '64:ff9b::c000:201', `0064ff9b${'0'.repeat(16)}c0000201`],
    ['192.0.2.1', '192.0.2.1', 'c0000201'],
  ];
  for (const [text, normal, bytes] of forms) {
    it(`${text} is ${bytes.length / 2} bytes and reads ${normal}`, () => {
      const names: GeneralName[] = [{ kind: 'ip', value: text }];
      assert.equal(encode(encodeGeneralNames(names)).subarray(4).toString('hex'), bytes);
      assert.deepEqual(roundTrip(names), [{ kind: 'ip', value: normal }]);
    });
  }

  it('keeps its bytes, whichever they are', () => {
    const addresses = fc.oneof(fc.ipV4(), fc.ipV6());
    fc.assert(
      fc.property(addresses, (value) => {
        const parsed = parseGeneralName(value);
        assert.ok(parsed);
        const [once] = roundTrip([parsed]);
        assert.ok(once);
        assert.deepEqual(roundTrip([once]), [once]);
        assert.deepEqual(
          encode(encodeGeneralNames([once])),
          encode(encodeGeneralNames([{ kind: 'ip', value }])),
        );
      }),
    );
  });
});

describe('the alternative names of a certificate', () => {
  it('are what openssl reads', () => {
    const names = accepted.map(([, kind, value]) => ({ kind, value }));
    const pem = formatPem('CERTIFICATE', forgeCertificate({ extensions: [subjectAltName(names)] }));
    const text = openssl(['x509', '-noout', '-ext', 'subjectAltName'], pem);
    const expected = names.map(({ kind, value }) => {
      if (value === '2001:db8::1') return 'IP Address:2001:DB8:0:0:0:0:0:1';
      if (value === '::') return 'IP Address:0:0:0:0:0:0:0:0';
      return `${{ dns: 'DNS', ip: 'IP Address', email: 'email', uri: 'URI' }[kind]}:${value}`;
    });
    assert.equal(text.split('\n')[1]?.trim(), expected.join(', '));
  });

  it('leave out kinds that a device does not use, and addresses of a wrong size', () => {
    const names = decode(Buffer.from('301182016188012a870301020387040a000001', 'hex'));
    assert.deepEqual(readGeneralNames(names), [
      { kind: 'dns', value: 'a' },
      { kind: 'ip', value: '10.0.0.1' },
    ]);
  });
});
