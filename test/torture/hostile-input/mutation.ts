import type { Dice } from './dice.ts';

/** Makes another input of one. `other` is a second one of the same kind, to take parts from. */
export type Mutator = (input: Buffer, dice: Dice, other: Buffer) => Buffer;

/** Changes after which an input is still small enough to try many thousands of. */
export const maxBytes = 65_536;

/** One to four changes, mostly one: it is the least likely to be noticed. */
export function mutate(
  mutators: readonly Mutator[],
  input: Buffer,
  dice: Dice,
  other: Buffer,
): Buffer {
  let result = input;
  do result = dice.pick(mutators)(result, dice, other);
  while (dice.once(3));
  return result.length > maxBytes ? result.subarray(0, maxBytes) : result;
}

/** Numbers at which lengths, counters and loops go wrong. */
const edges = [0, 1, 0x7f, 0x80, 0x81, 0x82, 0x84, 0x88, 0xfe, 0xff, 0x0a, 0x0d, 0x20, 0x2d, 0x30];

function splice(input: Buffer, start: number, count: number, insertion: Uint8Array): Buffer {
  return Buffer.concat([input.subarray(0, start), insertion, input.subarray(start + count)]);
}

const place = (input: Buffer, dice: Dice) => dice.below(input.length + 1);

/** What a bad disk, a bad line or an attacker without patience does. */
export const byteMutators: readonly Mutator[] = [
  function flipBit(input, dice) {
    const copy = Buffer.from(input);
    const at = dice.below(copy.length || 1);
    copy[at] = (copy[at] ?? 0) ^ (1 << dice.below(8));
    return copy;
  },
  function setByte(input, dice) {
    const byte = dice.once(2) ? dice.pick(edges) : dice.below(256);
    return splice(input, place(input, dice), 1, Buffer.of(byte));
  },
  function insertBytes(input, dice) {
    return splice(input, place(input, dice), 0, dice.bytes(1 + dice.below(8)));
  },
  function removeBytes(input, dice) {
    return splice(input, place(input, dice), 1 + dice.below(16), Buffer.alloc(0));
  },
  function cut(input, dice) {
    return input.subarray(0, place(input, dice));
  },
  function doublePart(input, dice) {
    const start = place(input, dice);
    const part = input.subarray(start, start + 1 + dice.below(64));
    return splice(input, place(input, dice), 0, part);
  },
  function repeatByte(input, dice) {
    const many = Buffer.alloc(1 + dice.below(1024), dice.pick(edges));
    return splice(input, place(input, dice), 0, many);
  },
  function takePartOfOther(input, dice, other) {
    const start = place(other, dice);
    const part = other.subarray(start, start + 1 + dice.below(128));
    return splice(input, place(input, dice), dice.below(part.length + 1), part);
  },
  function joinWithOther(input, dice, other) {
    return Buffer.concat([
      input.subarray(0, place(input, dice)),
      other.subarray(place(other, dice)),
    ]);
  },
];
