/** Chance that comes out the same for the same seed, on every machine. */
export interface Dice {
  /** A whole number from 0 on, below `sides`. */
  below(sides: number): number;
  /** True once in so many times. */
  once(inTimes: number): boolean;
  /** @throws RangeError when there is nothing to pick from */
  pick<T>(from: readonly T[]): T;
  bytes(count: number): Buffer;
}

/** @param seed any text; that of a run stands in `HOSTILE_SEED` */
export function makeDice(seed: string): Dice {
  let state = hash(seed);
  // Weyl sequence with a mixing step: fast, and good enough for what only has to be varied
  const next = () => {
    state = (state + 0x9e3779b9) >>> 0;
    let word = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
    return (word ^ (word >>> 16)) >>> 0;
  };
  const below = (sides: number) => Math.floor((next() / 2 ** 32) * sides);
  return {
    below,
    once: (inTimes) => below(inTimes) === 0,
    pick(from) {
      const picked = from[below(from.length)];
      if (picked === undefined) throw new RangeError('nothing to pick from');
      return picked;
    },
    bytes: (count) => Buffer.from(Array.from({ length: count }, () => below(256))),
  };
}

/** What every run begins with, unless the environment says otherwise. */
export const seed = process.env.HOSTILE_SEED ?? 'a certificate manager that loses a key';

function hash(text: string): number {
  let state = 0x811c9dc5;
  for (const byte of Buffer.from(text)) state = Math.imul(state ^ byte, 0x01000193);
  return state >>> 0;
}
