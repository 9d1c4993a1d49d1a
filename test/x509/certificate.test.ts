import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { isIssuedBy, isSelfIssued, readCertificate } from '../../src/x509/certificate.ts';
import {
  type Asn1,
  contextPrimitive,
  decode,
  encode,
  sequence,
  time,
  utf8String,
} from '../../src/x509/der.ts';
import { netscapeComment, subjectAltName } from '../../src/x509/extensions.ts';
import { formatName } from '../../src/x509/name.ts';
import { signatureAlgorithms } from '../../src/x509/oids.ts';
import { forgeCertificate, nameOf, rawString } from '../fakes/forged-certificate.ts';
import {
  type CertificateShape,
  caExtensions,
  certificateOf,
  keyKinds,
  openssl,
  opensslAuthority,
} from '../fakes/openssl-authority.ts';
import { refusal } from '../fakes/refusal.ts';

/** One line of `openssl x509 -noout OPTION`, without its label. */
const ask = (pem: string, ...option: string[]) =>
  openssl(['x509', '-noout', ...option], pem)
    .trim()
    .replace(/^[^=\n]*=/, '');

describe('a certificate', () => {
  const authority = opensslAuthority();
  after(() => authority.remove());
  const root = authority.issueCa();

  const shapes: [string, CertificateShape][] = [
    ['a leaf', { issuer: root }],
    ['a CA', { extensions: caExtensions, subject: '/C=CH/O=Zürich, Inc./CN=試験' }],
    ['version 1', { extensions: [] }],
    ['RSA with SHA-512', { key: keyKinds.rsa(2048), digest: 'sha512' }],
    ['Ed25519', { key: keyKinds.ed25519 }],
    ['P-521 with SHA-512', { key: keyKinds.ec('P-521'), digest: 'sha512' }],
    ['RSA-PSS', { key: keyKinds.rsa(2048), more: ['-sigopt', 'rsa_padding_mode:pss'] }],
    ['dates before 1950', { from: '19400101000000Z', until: '19490630120000Z' }],
    ['dates after 2049', { from: '20500101000000Z', until: '99991231235959Z' }],
  ];
  for (const [what, shape] of shapes) {
    it(`of ${what} is described as openssl does`, () => {
      const { pem, certificate } = authority.issue(shape);
      assert.equal(certificate.pem, pem);
      assert.equal(
        formatName(certificate.subject),
        ask(pem, '-subject', '-nameopt', 'sep_comma_plus,utf8'),
      );
      assert.equal(
        formatName(certificate.issuer),
        ask(pem, '-issuer', '-nameopt', 'sep_comma_plus,utf8'),
      );
      assert.equal(certificate.serialNumber, ask(pem, '-serial'));
      assert.equal(
        certificate.fingerprint,
        ask(pem, '-fingerprint', '-sha256').replaceAll(':', ''),
      );
      assert.equal(certificate.notBefore, Date.parse(ask(pem, '-startdate')) / 1000);
      assert.equal(certificate.notAfter, Date.parse(ask(pem, '-enddate')) / 1000);
      assert.equal(
        certificate.publicKey.export({ type: 'spki', format: 'pem' }),
        openssl(['x509', '-noout', '-pubkey'], pem),
      );
      // A self-signed certificate of version 1 has no extension to say so
      const isRoot = shape.extensions === caExtensions || shape.extensions?.length === 0;
      assert.equal(certificate.isCa, isRoot);
    });
  }

  it('has a negative time before 1970', () => {
    const { certificate } = authority.issue({ from: '19691231235959Z' });
    assert.equal(certificate.notBefore, -1);
  });

  it('counts years below 50 of a UTCTime to this century', () => {
    const der = forgeCertificate({ notAfter: time(new Date('2049-12-31T23:59:59Z')) });
    assert.equal(readCertificate(der).notAfter, Date.UTC(2049, 11, 31, 23, 59, 59) / 1000);
  });

  it('has the comment and the alternative names that its extensions say', () => {
    const extensions = ['nsComment=made by hand', 'subjectAltName=DNS:a,IP:192.0.2.1'];
    const { certificate } = authority.issue({ extensions });
    assert.equal(certificate.comment, 'made by hand');
    assert.deepEqual(certificate.alternativeNames, [
      { kind: 'dns', value: 'a' },
      { kind: 'ip', value: '192.0.2.1' },
    ]);
    assert.equal(root.certificate.comment, undefined);
  });

  for (const [what, value] of [
    ['no DER', Buffer.from('made by a script')],
    ['no string', Buffer.from('3000', 'hex')],
  ] as const) {
    it(`has no comment where it is ${what}, which nobody needs to read`, () => {
      const extensions = [{ ...netscapeComment(''), value }];
      assert.equal(readCertificate(forgeCertificate({ extensions })).comment, undefined);
    });
  }

  it('has a negative serial number as openssl shows it', () => {
    for (const [bytes, expected] of [
      ['ff', '-01'],
      ['80', '-80'],
      ['ff01', '-FF'],
    ] as const) {
      const { serialNumber } = readCertificate(
        forgeCertificate({ serial: Buffer.from(bytes, 'hex') }),
      );
      assert.equal(serialNumber, expected);
    }
  });

  it('has an alternative name in UTF-8, or else in Latin-1, as it is written', () => {
    const named = (name: Uint8Array) => {
      const value = encode(sequence(contextPrimitive(2, name)));
      const extensions = [{ ...subjectAltName([]), value }];
      return readCertificate(forgeCertificate({ extensions })).alternativeNames;
    };
    const expected = [{ kind: 'dns', value: 'bücher.example' }];
    assert.deepEqual(named(Buffer.from('bücher.example')), expected);
    assert.deepEqual(named(Buffer.from('bücher.example', 'latin1')), expected);
  });

  for (const [what, shape, name] of [
    ['RSA and SHA-384', { key: keyKinds.rsa(2048), digest: 'sha384' }, 'sha384WithRSAEncryption'],
    ['ECDSA and SHA-224', { digest: 'sha224' }, 'ecdsa-with-SHA224'],
    ['Ed25519', { key: keyKinds.ed25519 }, 'Ed25519'],
  ] as const) {
    it(`signed with ${what} says so`, () => {
      assert.equal(authority.issue(shape).certificate.signatureAlgorithm, name);
    });
  }

  it('has the OID of a signature algorithm without a name', () => {
    const der = forgeCertificate({ signatureAlgorithm: '1.2.3.4' });
    assert.equal(readCertificate(der).signatureAlgorithm, '1.2.3.4');
  });

  for (const [dotted, name] of Object.entries(signatureAlgorithms)) {
    it(`has ${name} for ${dotted}, as openssl has`, () => {
      const text = openssl(['asn1parse', '-genstr', `OID:${dotted}`]);
      const same = text
        .split(':')
        .at(-1)
        ?.trim()
        .toLowerCase()
        .replace('dsawithsha1', 'dsa-with-sha1');
      assert.equal(same, name.toLowerCase());
    });
  }
});

describe('an issuer', () => {
  const authority = opensslAuthority();
  after(() => authority.remove());
  const root = authority.issueCa();
  const leaf = authority.issue({ issuer: root });

  it('is known by its name and its signature', () => {
    assert.ok(isIssuedBy(leaf.certificate, root.certificate));
    assert.ok(isIssuedBy(root.certificate, root.certificate));
    assert.ok(!isIssuedBy(root.certificate, leaf.certificate));
    assert.ok(isSelfIssued(root.certificate));
    assert.ok(!isSelfIssued(leaf.certificate));
  });

  it('is not one of the same name with another key', () => {
    const namesake = authority.issueCa({ extensions: ['basicConstraints=critical,CA:TRUE'] });
    assert.ok(!isIssuedBy(leaf.certificate, namesake.certificate));
  });
});

describe('a certificate is refused', () => {
  const der = forgeCertificate({});
  const cut = (at: number) => der.subarray(0, at);
  const date = (text: string, tag = 24): Asn1 => rawString(tag, Buffer.from(text));
  const subject = nameOf(['2.5.4.3', utf8String('x')]);

  const malformed: [string, () => Buffer][] = [
    ['without bytes', () => Buffer.of()],
    ['cut off in the middle', () => cut(der.length >> 1)],
    ['without its last byte', () => cut(der.length - 1)],
    ['that is text', () => Buffer.from('not a certificate')],
    ['that is another structure', () => Buffer.from('3003020101', 'hex')],
    [
      'with a date in local time',
      () => forgeCertificate({ notAfter: date('20360101000000+0100') }),
    ],
    ['with a date without seconds', () => forgeCertificate({ notAfter: date('3601010000Z', 23) })],
    ['with fractions of a second', () => forgeCertificate({ notAfter: date('20360101000000.5Z') })],
    ['with a thirteenth month', () => forgeCertificate({ notAfter: date('20361301000000Z') })],
    ['with a 32nd day', () => forgeCertificate({ notAfter: date('20360132000000Z') })],
    ['with a 25th hour', () => forgeCertificate({ notAfter: date('20360101250000Z') })],
    [
      'with an extension that is no DER',
      () =>
        forgeCertificate({
          subject,
          extensions: [{ ...subjectAltName([]), value: Buffer.from('16', 'hex') }],
        }),
    ],
  ];
  for (const [what, make] of malformed) {
    it(`when it is one ${what}`, () => {
      assert.throws(() => readCertificate(make()), refusal('certificate-malformed'));
    });
  }

  it('when any byte of its structure is another, or read as what it then is', () => {
    for (let at = 0; at < der.length; at += 1) {
      const mutated = Buffer.from(der);
      mutated.writeUInt8(mutated.readUInt8(at) ^ 0xff, at);
      try {
        decode(readCertificate(mutated).der);
      } catch (error) {
        refusal('certificate-malformed')(error);
      }
    }
  });

  it('but never for text around its PEM', () => {
    const { pem } = readCertificate(der);
    assert.equal(certificateOf(`before\n${pem}after\n`).pem, pem);
  });
});
