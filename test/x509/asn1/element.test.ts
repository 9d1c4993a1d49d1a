import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Asn1Error, readDer, wrap } from '../../../src/x509/asn1/element.ts';
import {
  bitString,
  integer,
  namedBits,
  octetString,
  wholeBytes,
} from '../../../src/x509/asn1/primitives.ts';
import { implicit, optional, sequence } from '../../../src/x509/asn1/structure.ts';

describe('DER of CMP', () => {
  const refused: [string, string][] = [
    ['nothing', ''],
    ['a tag alone', '30'],
    ['an indefinite length', '30800000'],
    ['a length with more bytes than it needs', '04810161'],
    ['a length with a zero before it', '0482008061'],
    ['a length of five bytes', '04850000000001'],
    ['an element that ends too early', '040261'],
    ['an element behind another', '05000500'],
    ['a tag above 30', '1f2000'],
    ['a BOOLEAN that is 1', '010101'],
    ['an INTEGER with a zero before it', '02020001'],
    ['a negative INTEGER with ones before it', '0202ff80'],
    ['an empty INTEGER', '0200'],
    ['an OCTET STRING in pieces', '2403040161'],
    ['a primitive SEQUENCE', '1000'],
    ['a BIT STRING whose unused bits are set', '03020101'],
    ['a BIT STRING of no bytes with unused bits', '030101'],
    ['a NULL with content', '050100'],
    ['an OBJECT IDENTIFIER that ends within an arc', '060188'],
    ['text that is no UTF-8', '0c01ff'],
    ['a fault deep inside', '3006a00430020200'],
  ];
  for (const [what, hex] of refused) {
    it(`refuses ${what}`, () => {
      assert.throws(() => readDer(Buffer.from(hex, 'hex')), Asn1Error);
    });
  }

  it('refuses elements that are nested for thousands of levels, and takes no stack for them', () => {
    let bytes: Buffer = Buffer.alloc(0);
    for (let level = 0; level < 5000; level += 1) bytes = wrap(0x30, bytes);
    assert.throws(() => readDer(bytes), Asn1Error);
  });

  it('looks at the content of what is tagged implicitly too', () => {
    const type = implicit(1, integer);
    assert.throws(() => type.read(readDer(Buffer.from('81020001', 'hex'))), Asn1Error);
    assert.equal(type.read(readDer(Buffer.from('8101ff', 'hex'))), -1);
  });

  it('refuses a SEQUENCE with more members than its type has', () => {
    const type = sequence({ first: integer, second: optional(octetString) });
    assert.deepEqual(type.read(readDer(Buffer.from('3003020105', 'hex'))), { first: 5 });
    assert.throws(() => type.read(readDer(Buffer.from('30050201050500', 'hex'))));
    assert.throws(() => type.read(readDer(Buffer.from('30020500', 'hex'))), /first is missing/);
  });

  it('writes the numbers that it reads', () => {
    for (const value of [0, -1, 127, 128, -128, -129, 255, 256, 2 ** 31, 2 ** 40, -(2 ** 40)])
      assert.equal(integer.read(readDer(integer.write(value))), value);
  });

  it('names the bits that are set', () => {
    const bits = bitString.read(readDer(Buffer.from('0303060240', 'hex')));
    assert.deepEqual(namedBits(bits), [6, 9]);
    assert.deepEqual(namedBits(wholeBytes(Buffer.of())), []);
  });
});
