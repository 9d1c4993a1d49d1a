import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { decode, encode } from '../../src/x509/der.ts';
import {
  readExtensions,
  readUsages,
  usageExtensions,
  usageNames,
  writeExtensions,
} from '../../src/x509/extensions.ts';
import { isKnownUsage, type KeyUsage, keyPurposes, keyUsageBits } from '../../src/x509/oids.ts';
import { forgePem } from '../fakes/forged-certificate.ts';
import { openssl, opensslAuthority } from '../fakes/openssl-authority.ts';

const purposes = Object.keys(keyPurposes) as (keyof typeof keyPurposes)[];
const all: readonly KeyUsage[] = [...keyUsageBits, ...purposes];

/** How openssl.cnf and openssl's output call each usage. */
const inOpenssl: Record<KeyUsage, readonly [string, string]> = {
  DigitalSignature: ['digitalSignature', 'Digital Signature'],
  NonRepudiation: ['nonRepudiation', 'Non Repudiation'],
  KeyEncipherment: ['keyEncipherment', 'Key Encipherment'],
  DataEncipherment: ['dataEncipherment', 'Data Encipherment'],
  KeyAgreement: ['keyAgreement', 'Key Agreement'],
  KeyCertSign: ['keyCertSign', 'Certificate Sign'],
  CRLSigning: ['cRLSign', 'CRL Sign'],
  EncipherOnly: ['encipherOnly', 'Encipher Only'],
  DecipherOnly: ['decipherOnly', 'Decipher Only'],
  ServerAuthentication: ['serverAuth', 'TLS Web Server Authentication'],
  ClientAuthentication: ['clientAuth', 'TLS Web Client Authentication'],
  CodeSigning: ['codeSigning', 'Code Signing'],
  EmailProtection: ['emailProtection', 'E-mail Protection'],
  Timestamping: ['timeStamping', 'Time Stamping'],
  OCSPSigning: ['OCSPSigning', 'OCSP Signing'],
};

/** The lines of openssl.cnf for a list of usages. */
function configuration(usages: readonly KeyUsage[]): string[] {
  const named = (list: readonly KeyUsage[]) => list.map((usage) => inOpenssl[usage][0]).join(',');
  const bits = usages.filter((usage) => !(usage in keyPurposes));
  const extended = usages.filter((usage) => usage in keyPurposes);
  return [
    ...(bits.length > 0 ? [`keyUsage=${named(bits)}`] : []),
    ...(extended.length > 0 ? [`extendedKeyUsage=${named(extended)}`] : []),
  ];
}

describe('the usages of a certificate', () => {
  const authority = opensslAuthority();
  after(() => authority.remove());

  const combinations: [string, readonly KeyUsage[]][] = [
    ['none', []],
    ['every one', all],
    ['those of an RSA server', ['DigitalSignature', 'KeyEncipherment', 'ServerAuthentication']],
    ['those of a CA', ['KeyCertSign', 'CRLSigning']],
    ['decipherOnly in the second octet', ['KeyAgreement', 'DecipherOnly']],
    ...all.map((usage): [string, readonly KeyUsage[]] => [`${usage} alone`, [usage]]),
  ];
  for (const [what, usages] of combinations) {
    it(`are read completely: ${what}`, () => {
      const { certificate } = authority.issue({ extensions: configuration(usages) });
      assert.deepEqual(certificate.keyUsage, usages);
    });

    it(`are written so that openssl reads ${what}`, () => {
      const pem = forgePem({ extensions: usageExtensions(usages) });
      const text = openssl(['x509', '-noout', '-ext', 'keyUsage,extendedKeyUsage'], pem);
      const printed = text
        .split('\n')
        .filter((line) => line.startsWith('    '))
        .flatMap((line) => line.trim().split(', '));
      const expected = usages.map((usage) => inOpenssl[usage][1]);
      assert.deepEqual(printed.sort(), expected.sort());
    });
  }

  it('leave out purposes that Redfish has no name for', () => {
    const extensions = ['extendedKeyUsage=serverAuth,1.2.3.4,msSGC'];
    const { certificate } = authority.issue({ extensions });
    assert.deepEqual(certificate.keyUsage, ['ServerAuthentication']);
  });

  it('are written once each, bits critical and purposes not', () => {
    const extensions = usageExtensions([
      ...['KeyCertSign', 'KeyCertSign', 'CodeSigning', 'CodeSigning'].filter(isKnownUsage),
    ]);
    assert.deepEqual(
      extensions.map(({ critical, value }) => [critical, value.toString('hex')]),
      [
        [true, '03020204'],
        [false, '300a06082b06010505070303'],
      ],
    );
  });

  it('are read as they were written, in any order', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...all]), (usages) => {
        const node = decode(encode(writeExtensions(usageExtensions(usages))));
        assert.deepEqual(
          usageNames(readUsages(readExtensions(node, 100))),
          all.filter((usage) => usages.includes(usage)),
        );
      }),
    );
  });
});

describe('a list of extensions', () => {
  it('is read as it was written', () => {
    const id = fc.constantFrom('2.5.29.14', '2.5.29.15', '1.2.3.4.5');
    const value = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));
    const extensions = fc.array(fc.record({ id, critical: fc.boolean(), value }));
    fc.assert(
      fc.property(extensions, (list) => {
        const read = readExtensions(decode(encode(writeExtensions(list))), 100);
        assert.deepEqual(
          read,
          list.map((extension) => ({ ...extension })),
        );
      }),
    );
  });

  it('takes critical FALSE, which DER would leave out, for what it says', () => {
    const node = decode(Buffer.from('300f300d0603551d0e010100040304017f', 'hex'));
    assert.deepEqual(
      readExtensions(node, 100).map(({ critical }) => critical),
      [false],
    );
  });
});

describe('a name of a usage', () => {
  it('is one of Redfish', () => {
    for (const usage of all) assert.ok(isKnownUsage(usage));
    for (const text of ['', 'digitalSignature', 'toString', 'constructor', 'AnyUsage']) {
      assert.ok(!isKnownUsage(text), text);
    }
  });
});
