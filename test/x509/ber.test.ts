import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { toDer } from '../../src/x509/ber.ts';
import { DerError, DerSizeError } from '../../src/x509/der.ts';

const budget = (max = 1000) => ({ max, left: max });
const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

interface Tree {
  readonly tag: number;
  readonly content: readonly Tree[] | Buffer;
}

const leaf = fc.record({
  tag: fc.constantFrom(0x02, 0x04, 0x06, 0x0c, 0x80),
  content: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
});
const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.record({
      tag: fc.constantFrom(0x30, 0x31, 0xa0),
      content: fc.array(tie('tree'), { maxLength: 4 }),
    }),
  ),
}));

function element(tag: number, content: Buffer): Buffer {
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), content]);
  if (length < 0x100) return Buffer.concat([Buffer.of(tag, 0x81, length), content]);
  return Buffer.concat([Buffer.of(tag, 0x82, length >> 8, length & 0xff), content]);
}

function der({ tag, content }: Tree): Buffer {
  return element(tag, Buffer.isBuffer(content) ? content : Buffer.concat(content.map(der)));
}

/** Every length indefinite that may be, every octet string in pieces of two bytes. */
function ber({ tag, content }: Tree): Buffer {
  const end = Buffer.alloc(2);
  if (!Buffer.isBuffer(content))
    return Buffer.concat([Buffer.of(tag, 0x80), ...content.map(ber), end]);
  if (tag !== 0x04) return element(tag, content);
  const pieces: Buffer[] = [];
  for (let at = 0; at < content.length; at += 2)
    pieces.push(element(0x04, content.subarray(at, at + 2)));
  return Buffer.concat([Buffer.of(0x24, 0x80), ...pieces, end]);
}

describe('BER', () => {
  it('that is DER stays as it is', () => {
    fc.assert(fc.property(tree, (one) => assert.deepEqual(toDer(der(one), budget(1e6)), der(one))));
  });

  it('of the same content becomes the same DER', () => {
    fc.assert(fc.property(tree, (one) => assert.deepEqual(toDer(ber(one), budget(1e6)), der(one))));
  });

  const broken: readonly (readonly [string, string])[] = [
    ['nothing', ''],
    ['a tag alone', '30'],
    ['content that is cut off', '04 05 01'],
    ['an inner element that is longer than the outer', '30 03 04 05 01'],
    ['no end of an indefinite length', '30 80 04 00'],
    ['an end without a beginning', '30 02 00 00'],
    ['a primitive element without a length', '04 80 00 00'],
    ['more behind it', '04 00 04 00'],
    ['an octet string of integers', '24 03 02 01 05'],
    ['a tag in several bytes', '1f 21 00'],
    ['a length of nine bytes', '04 89 01 00 00 00 00 00 00 00 00'],
  ];
  for (const [what, text] of broken) {
    it(`with ${what} is refused`, () => {
      assert.throws(() => toDer(hex(text), budget()), DerError);
    });
  }

  it('has no more elements than the budget, in all pieces together', () => {
    const elements = budget(3);
    assert.deepEqual(toDer(hex('30 02 04 00'), elements), hex('30 02 04 00'));
    assert.equal(elements.left, 1);
    assert.throws(() => toDer(hex('30 02 04 00'), elements), DerSizeError);
  });

  it('nests a hundred levels deep, and no deeper', () => {
    const nested = (levels: number) =>
      Array.from({ length: levels }).reduce<Buffer>(
        (inner) => element(0x30, inner),
        Buffer.alloc(0),
      );
    assert.doesNotThrow(() => toDer(nested(101), budget()));
    assert.throws(() => toDer(nested(102), budget()), DerSizeError);
  });
});
