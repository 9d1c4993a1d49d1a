import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readCertificate } from '../../src/x509/certificate.ts';
import { utf8String } from '../../src/x509/der.ts';
import { readObjectIdentifier, writeObjectIdentifier } from '../../src/x509/object-identifier.ts';
import { forgeCertificate, nameOf } from '../fakes/forged-certificate.ts';

const ofUuid = '2.25.329800735698586629295641978511506172918';

describe('an object identifier', () => {
  for (const [dotted, hex] of [
    ['2.5.4.3', '550403'],
    ['1.2.840.113549.1.1.11', '2a864886f70d01010b'],
    ['0.9.2342.19200300.100.1.25', '0992268993f22c640119'],
    ['2.999.3', '883703'],
    ['1.2.4294967296', '2a9080808000'],
    [ofUuid, '6983f09da7ebcfdee0c7a1a7b2c0948cc8f9d776'],
  ] as const) {
    it(`${dotted} is read and written`, () => {
      assert.equal(readObjectIdentifier(Buffer.from(hex, 'hex')), dotted);
      assert.equal(writeObjectIdentifier(dotted).toString('hex'), hex);
    });
  }

  for (const [what, bytes] of [
    ['is empty', Buffer.alloc(0)],
    ['ends within an arc', Buffer.of(0x2a, 0x86)],
    ['has zeros before an arc', Buffer.of(0x2a, 0x80, 0x01)],
    ['has an arc that costs time to write', Buffer.from([...Array(100).fill(0xff), 1])],
    ['is as long as none is', Buffer.alloc(300, 1)],
  ] as const) {
    it(`that ${what} is none`, () => assert.equal(readObjectIdentifier(bytes), undefined));
  }

  it('of a UUID may name an attribute of a certificate', () => {
    const type = { type: ofUuid, value: 'x' };
    const { subject } = readCertificate(
      forgeCertificate({ subject: nameOf([ofUuid, utf8String('x')]) }),
    );
    assert.deepEqual(subject, [[type]]);
  });
});
