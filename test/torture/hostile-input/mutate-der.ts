import type { Dice } from './dice.ts';
import type { Mutator } from './mutation.ts';

/** An element as its bytes say, whether or not a decoder would take it. */
export interface Element {
  readonly tag: number;
  readonly content: Buffer | readonly Element[];
}

/** Tags that mean something: universal strings, times and containers, context-specific ones. */
const tags = [
  ...[0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0a, 0x0c, 0x13, 0x14, 0x16, 0x17, 0x18, 0x1a, 0x1c],
  ...[
    0x1e, 0x23, 0x24, 0x30, 0x31, 0x80, 0x81, 0x82, 0x86, 0x87, 0xa0, 0xa1, 0xa3, 0x1f, 0x7f, 0x00,
  ],
];

/** Contents at which readers of one type or the other go wrong. */
const contents: readonly Buffer[] = [
  ...['', '00', 'ff', '80', '0000', '0080', 'ff00', '7fffffff', 'ffffffffffffffff', '000102'].map(
    hex,
  ),
  // Object identifiers: unfinished, padded, larger than 53 bits, a subordinate of CN
  ...['2a', '2a86', '80', '2a8080', '2affffffffffffffffff7f', '55040380', '5504', '550403'].map(
    hex,
  ),
  ...[
    '991231235959Z',
    '20261301000000Z',
    '00000000000000Z',
    '99991231235959Z',
    '202611212359Z',
  ].map(text),
  ...[
    '20261121235959+0100',
    '20261121235959.5Z',
    '500101000000Z',
    '491231235960Z',
    '-00101000000Z',
  ].map(text),
  ...['bmc\0.example.com', '*.', '', '\ud800', 'xn--', '/CN=x', 'a'.repeat(300), '[::1]'].map(text),
  ...['d800', 'dc00d800', 'fffe', '00', '0000d800', '00110000', 'ffffffff'].map(hex),
];

function hex(bytes: string): Buffer {
  return Buffer.from(bytes, 'hex');
}

function text(words: string): Buffer {
  return Buffer.from(words);
}

/** Changes of the structure of DER after which all lengths fit again. */
export const derMutators: readonly Mutator[] = [
  ofElements((element, dice) => ({ ...element, tag: dice.pick(tags) })),
  ofElements((element, dice) => ({ ...element, tag: element.tag ^ (1 << dice.below(8)) })),
  ofElements((element, dice) => ({ ...element, content: dice.pick(contents) })),
  ofElements((element, dice) => ({ ...element, content: dice.bytes(dice.below(40)) })),
  ofElements((element) => ({ tag: 0x30, content: [element] })),
  ofElements((element, dice) => nested(element, dice.pick([2, 10, 100, 300, 3000]))),
  ofElements(({ tag, content }, dice) => ({ tag, content: rearranged(content, dice) })),
  ofElements(({ tag, content }, dice) => ({ tag, content: rearranged(content, dice) })),
  ofElements((_, dice, other) => dice.pick(allOf(other))),
  ofElements(({ tag, content }, dice) => ({
    tag,
    content:
      Array.isArray(content) && content.length > 0
        ? [...content, ...Array<Element>(1 + dice.below(200)).fill(dice.pick(content))]
        : Buffer.concat(Array<Buffer>(1 + dice.below(50)).fill(Buffer.from(encoded(content)))),
  })),
];

/** Lengths that are longer than need be, indefinite, or wrong. */
export const lengthMutators: readonly Mutator[] = [
  (input, dice) => {
    const root = read(input);
    if (!root) return input;
    const chosen = dice.below(allOf(root).length);
    const form = dice.pick(['long', 'padded', 'indefinite', 'short', 'huge'] as const);
    let n = 0;
    const write = (element: Element): Buffer => {
      const isChosen = n++ === chosen;
      const { tag, content } = element;
      const body = Buffer.isBuffer(content) ? content : Buffer.concat(content.map(write));
      if (!isChosen) return Buffer.concat([Buffer.of(tag), lengthOf(body.length), body]);
      return Buffer.concat([
        Buffer.of(tag),
        oddLength(form, body.length),
        body,
        ...(form === 'indefinite' ? [Buffer.of(0, 0)] : []),
      ]);
    };
    return write(root);
  },
];

function oddLength(
  form: 'long' | 'padded' | 'indefinite' | 'short' | 'huge',
  length: number,
): Buffer {
  switch (form) {
    case 'long':
      return Buffer.of(0x82, length >> 8, length & 0xff);
    case 'padded':
      return Buffer.of(0x84, 0, 0, length >> 8, length & 0xff);
    case 'indefinite':
      return Buffer.of(0x80);
    case 'short':
      return Buffer.of(Math.max(0, Math.min(0x7f, length - 1)));
    case 'huge':
      return Buffer.of(0x88, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff);
  }
}

/** The element with its content as bytes again. */
export function encoded(content: Buffer | readonly Element[]): Buffer {
  if (Buffer.isBuffer(content)) return content;
  return Buffer.concat(
    content.map((element) => {
      const body = encoded(element.content);
      return Buffer.concat([Buffer.of(element.tag), lengthOf(body.length), body]);
    }),
  );
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.of(length);
  const bytes = hex(length.toString(16).padStart(length > 0xffff ? 6 : length > 0xff ? 4 : 2, '0'));
  return Buffer.concat([Buffer.of(0x80 | bytes.length), bytes]);
}

function ofElements(change: (chosen: Element, dice: Dice, other: Element) => Element): Mutator {
  return (input, dice, other) => {
    const root = read(input);
    if (!root) return input.subarray(0, dice.below(input.length + 1));
    const target = dice.pick(allOf(root));
    const changed = change(target, dice, read(other) ?? root);
    const put = (element: Element): Element => {
      if (element === target) return changed;
      const { tag, content } = element;
      return Buffer.isBuffer(content) ? element : { tag, content: content.map(put) };
    };
    return encoded([put(root)]);
  };
}

/** An element and all inside of it. */
export function allOf(element: Element): readonly Element[] {
  const { content } = element;
  return Buffer.isBuffer(content) ? [element] : [element, ...content.flatMap(allOf)];
}

function rearranged(content: Buffer | readonly Element[], dice: Dice): Buffer | readonly Element[] {
  if (Buffer.isBuffer(content)) return Buffer.concat([content, dice.bytes(1)]);
  const at = dice.below(content.length || 1);
  const one = content[at];
  if (!one) return content;
  const rest = content.toSpliced(at, 1);
  if (dice.once(3)) return rest;
  if (dice.once(2)) return content.toSpliced(at, 0, one);
  return rest.toSpliced(dice.below(content.length), 0, one);
}

function nested(element: Element, levels: number): Element {
  const inside = encoded([element]);
  // From the inside out, so that the depth costs no stack here
  const heads: Buffer[] = [];
  let length = inside.length;
  for (let level = 0; level < levels && length < 60_000; level += 1) {
    const head = Buffer.concat([Buffer.of(0x30), lengthOf(length)]);
    heads.push(head);
    length += head.length;
  }
  return { tag: 0x30, content: Buffer.concat([...heads.reverse(), inside]) };
}

/** Reads bytes as far as they are DER, without depth to lose oneself in; also what octet strings wrap. */
export function read(input: Buffer): Element | undefined {
  const [root, ...others] = readAll(input, 0) ?? [];
  return others.length === 0 ? root : undefined;
}

function readAll(bytes: Buffer, depth: number): readonly Element[] | undefined {
  const elements: Element[] = [];
  let at = 0;
  while (at < bytes.length) {
    const [tag, first = 0x80] = [bytes[at] ?? 0, bytes[at + 1]];
    const more = first > 0x80 ? first & 0x7f : 0;
    if (first === 0x80 || more > 3) return undefined;
    const start = at + 2 + more;
    if (start > bytes.length) return undefined;
    const length = more === 0 ? first : bytes.readUIntBE(at + 2, more);
    const content = bytes.subarray(start, start + length);
    if (content.length < length) return undefined;
    const wraps = (tag & 0x20) !== 0 || (tag === 0x04 && content[0] === 0x30);
    const inside = wraps && depth < 40 ? readAll(content, depth + 1) : undefined;
    elements.push({ tag, content: inside ?? content });
    at = start + length;
  }
  return elements;
}
