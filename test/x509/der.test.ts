import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  type Asn1,
  bitString,
  boolean,
  bytesOf,
  childrenOf,
  contextConstructed,
  contextPrimitive,
  contextTag,
  countElements,
  DerError,
  decode,
  encode,
  ia5String,
  octetString,
  oid,
  oidOf,
  printableString,
  sequence,
  setOf,
  tags,
  time,
  universalTag,
  unsignedInteger,
  utf8String,
} from '../../src/x509/der.ts';
import { openssl } from '../fakes/openssl-authority.ts';

const hex = (node: Asn1) => encode(node).toString('hex');
const fromHex = (digits: string) => decode(Buffer.from(digits, 'hex'));

describe('DER', () => {
  const elements: [string, Asn1, string][] = [
    ['the number zero', unsignedInteger(Buffer.of(0)), '020100'],
    ['a number with its high bit set', unsignedInteger(Buffer.of(0x80)), '02020080'],
    ['a number with needless zeros', unsignedInteger(Buffer.of(0, 0, 1)), '020101'],
    ['true', boolean(true), '0101ff'],
    ['false', boolean(false), '010100'],
    ['UTF-8 text', utf8String('ü'), '0c02c3bc'],
    ['a printable string', printableString('CH'), '13024348'],
    ['an IA5 string', ia5String('a@b'), '1603614062'],
    ['an octet string', octetString(Buffer.of(0, 255)), '040200ff'],
    ['a bit string', bitString(Buffer.of(0xa0), 5), '030205a0'],
    ['an object identifier', oid('1.2.840.113549.1.1.11'), '06092a864886f70d01010b'],
    ['an object identifier of big arcs', oid('2.999.4294967295'), '060788378fffffff7f'],
    ['an empty sequence', sequence(), '3000'],
    ['a sequence in its order', sequence(boolean(true), boolean(false)), '30060101ff010100'],
    [
      'a set in the order of the bytes',
      setOf(utf8String('b'), utf8String('a')),
      '31060c01610c0162',
    ],
    ['an explicit tag', contextConstructed(3, boolean(true)), 'a3030101ff'],
    ['an implicit tag', contextPrimitive(2, Buffer.from('a')), '820161'],
    [
      'a date up to 2049',
      time(new Date('2049-12-31T23:59:59.9Z')),
      '170d3439313233313233353935395a',
    ],
    [
      'a date from 2050 on',
      time(new Date('2050-01-01T00:00:00Z')),
      '180f32303530303130313030303030305a',
    ],
    [
      'a date before 1950',
      time(new Date('1949-12-31T23:59:59Z')),
      '180f31393439313233313233353935395a',
    ],
  ];
  for (const [what, node, bytes] of elements) {
    it(`writes ${what}`, () => assert.equal(hex(node), bytes));
  }

  it('uses the long form for lengths from 128 on', () => {
    assert.equal(hex(octetString(Buffer.alloc(127))).slice(0, 4), '047f');
    assert.equal(hex(octetString(Buffer.alloc(128))).slice(0, 6), '048180');
    assert.equal(hex(octetString(Buffer.alloc(256))).slice(0, 8), '04820100');
  });

  const refused: [string, string][] = [
    ['nothing', ''],
    ['a tag alone', '30'],
    ['less content than the length says', '0c0261'],
    ['bytes after the element', '020100ff'],
    ['a child that is longer than its parent', '30030c0261'],
    ['a length without an end', '30800101ff0000'],
    ['a length in a form that is too long', '0c810161'],
    ['a number with needless zeros', '02020001'],
  ];
  for (const [what, bytes] of refused) {
    it(`refuses ${what}`, () => assert.throws(() => fromHex(bytes), DerError));
  }

  it('keeps what looks like ASN.1 inside of bit and octet strings as bytes', () => {
    for (const bytes of ['030400300100', '04023000', '0303003000']) {
      const node = fromHex(bytes);
      assert.equal(hex(node), bytes);
      assert.equal(bytesOf(node).toString('hex'), bytes.slice(4));
    }
  });

  it('encodes each element of a SET OF once to sort them', () => {
    const count = 2000;
    let encoded = 0;
    const elements = Array.from({ length: count }, (_, n) => {
      const element = utf8String(`${(n * 7919) % count}`);
      const { value } = element;
      // The coder looks at the content of an element whenever it encodes it
      return Object.defineProperty(element, 'value', {
        get() {
          encoded += 1;
          return value;
        },
      });
    });
    encode(elements[0] ?? sequence());
    const looks = encoded;
    encoded = 0;
    setOf(...elements);
    assert.equal(encoded, count * looks);
  });
});

describe('the elements of DER or BER', () => {
  const counted: [string, string, number][] = [
    ['nothing', '', 0],
    ['one without content', '0500', 1],
    ['a sequence of two', '300405000500', 3],
    ['sequences within each other', '300430023000', 3],
    ['an octet string with what looks like some', '040405000500', 1],
    ['a sequence without a known end', '3080050005000000', 4],
    ['one with a length in the long form', '30820004050005000500', 4],
    ['one that is cut off', '30640500', 2],
    ['one longer than numbers', '04ffffffffffffffffffff', 1],
  ];
  for (const [what, bytes, count] of counted) {
    it(`of ${what} are ${count}`, () => {
      assert.equal(countElements(Buffer.from(bytes, 'hex'), 100), count);
    });
  }

  it('are counted no further than need be, and decoded no more than are wanted', () => {
    const der = encode(sequence(...Array<Asn1>(1000).fill(decode(Buffer.of(5, 0)))));
    assert.equal(countElements(der, 10), 11);
    assert.doesNotThrow(() => decode(der, 1001));
    assert.throws(() => decode(der, 1000), /^DerError: it has more than 1000 elements$/);
  });
});

describe('reading DER', () => {
  it('tells classes and tags apart', () => {
    assert.equal(universalTag(utf8String('')), tags.UTF8_STRING);
    assert.equal(universalTag(contextPrimitive(12, Buffer.of())), undefined);
    assert.equal(contextTag(contextConstructed(3)), 3);
    assert.equal(contextTag(utf8String('')), undefined);
    assert.equal(contextTag(undefined), undefined);
  });

  it('refuses to see children in bytes, or bytes in children', () => {
    assert.throws(() => childrenOf(utf8String('a')), DerError);
    assert.throws(() => childrenOf(undefined), DerError);
    assert.throws(() => bytesOf(sequence()), DerError);
    assert.throws(() => bytesOf(undefined), DerError);
    assert.throws(() => oidOf(utf8String('1.2.3')), DerError);
  });

  it('reads back every object identifier', () => {
    const arcs = fc.array(fc.integer({ min: 0, max: 0xffffffff }), { minLength: 1, maxLength: 8 });
    const first = fc.oneof(
      fc.tuple(fc.integer({ min: 0, max: 1 }), fc.integer({ min: 0, max: 39 })),
      fc.tuple(fc.constant(2), fc.integer({ min: 0, max: 999 })),
    );
    fc.assert(
      fc.property(first, arcs, (head, rest) => {
        const dotted = [...head, ...rest].join('.');
        assert.equal(oidOf(decode(encode(oid(dotted)))), dotted);
      }),
    );
  });

  it('reads back every tree', () => {
    const bytes = fc.uint8Array({ maxLength: 200 });
    const { tree } = fc.letrec<{ tree: Asn1 }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        bytes.map(octetString),
        bytes.map((value) => bitString(value)),
        bytes.map((value) => unsignedInteger(Buffer.concat([Buffer.of(1), value]))),
        fc.string({ unit: 'grapheme' }).map(utf8String),
        fc.tuple(fc.integer({ min: 0, max: 30 }), bytes).map(([t, b]) => contextPrimitive(t, b)),
        fc.array(tie('tree'), { maxLength: 4 }).map((children) => sequence(...children)),
        fc.array(tie('tree'), { maxLength: 4 }).map((children) => setOf(...children)),
      ),
    }));
    fc.assert(
      fc.property(tree, (node) => {
        const der = encode(node);
        assert.deepEqual(encode(decode(der)), der);
        openssl(['asn1parse', '-inform', 'DER', '-noout'], der);
      }),
      { numRuns: 40 },
    );
  });

  it('never throws anything but a DerError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        try {
          decode(bytes);
        } catch (error) {
          assert.ok(error instanceof DerError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
