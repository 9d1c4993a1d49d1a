import fc from 'fast-check';
import { formatPem, parsePem } from '../../src/x509/pem.ts';

/** One thing that happens to a file on its way: in a mail, an editor, a script, a bad disk. */
type Mutation = readonly [what: string, change: (text: string) => string];

/**
 * A place in something whose length is not known yet, as a fraction of it. Not `fc.double`, which
 * takes as many numbers below a thousandth as above.
 */
const parts = 1_000_000;
const place = fc.nat(parts - 1).map((part) => part / parts);
const at = (fraction: number, length: number) => Math.floor(fraction * length);

const byLines = (change: (lines: string[]) => string[]) => (text: string) =>
  change(text.split('\n')).join('\n');

const splice = (text: string, start: number, count: number, insertion: string) =>
  text.slice(0, start) + insertion + text.slice(start + count);

/** What a careless hand adds: base64, its padding, the marks of a block, spaces, other alphabets. */
const character = fc.oneof(
  fc.constantFrom(...'AZaz09+/=-:_ \t\r\n\0'),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
);

const ofCharacters = fc.oneof(
  fc.tuple(place, character).map(([where, one]): Mutation => {
    return ['change a character', (text) => splice(text, at(where, text.length), 1, one)];
  }),
  fc.tuple(place, character).map(([where, one]): Mutation => {
    return ['insert a character', (text) => splice(text, at(where, text.length), 0, one)];
  }),
  fc.tuple(place, fc.integer({ min: 1, max: 4 })).map(([where, count]): Mutation => {
    return ['delete characters', (text) => splice(text, at(where, text.length), count, '')];
  }),
  place.map((where): Mutation => {
    const change = (text: string) => {
      const start = at(where, text.length);
      return splice(text, start, 0, text.charAt(start));
    };
    return ['double a character', change];
  }),
  place.map((where): Mutation => {
    return ['truncate', (text) => text.slice(0, at(where, text.length))];
  }),
);

const ofLines = fc.oneof(
  fc.tuple(place, place).map(([from, to]): Mutation => {
    const swap = (lines: string[]) => {
      const [a, b] = [at(from, lines.length), at(to, lines.length)];
      return lines.map((line, n) => (n === a ? lines[b] : n === b ? lines[a] : line) ?? '');
    };
    return ['swap lines', byLines(swap)];
  }),
  fc.tuple(place, fc.integer({ min: 1, max: 12 })).map(([where, count]): Mutation => {
    const remove = (lines: string[]) => lines.toSpliced(at(where, lines.length), count);
    return ['remove lines', byLines(remove)];
  }),
  place.map((where): Mutation => {
    const double = (lines: string[]) => {
      const start = at(where, lines.length);
      return lines.toSpliced(start, 0, lines[start] ?? '');
    };
    return ['double a line', byLines(double)];
  }),
  fc.tuple(place, fc.string({ maxLength: 40 })).map(([where, line]): Mutation => {
    const insert = (lines: string[]) => lines.toSpliced(at(where, lines.length), 0, line);
    return ['insert a line', byLines(insert)];
  }),
  fc.constantFrom<Mutation>(
    ['carriage returns', (text) => text.replaceAll('\n', '\r\n')],
    ['carriage returns alone', (text) => text.replaceAll('\n', '\r')],
    ['trailing spaces', (text) => text.replaceAll('\n', '  \n')],
    ['a byte order mark', (text) => `\ufeff${text}`],
    ['no end of the last line', (text) => text.trimEnd()],
    ['in one line', (text) => text.replaceAll('\n', '')],
    ['in lower case', (text) => text.toLowerCase()],
    ['text around', (text) => `subject=CN = bmc\n\n${text}\nBye.\n`],
    ['twice', (text) => text + text],
  ),
);

const blocksOf = (text: string) => text.match(/-----BEGIN[\s\S]*?-----END [A-Z ]+-----\n?/g) ?? [];

const ofBlocks = fc.oneof(
  fc.array(place, { minLength: 6, maxLength: 6 }).map((keys): Mutation => {
    const order = (text: string) =>
      blocksOf(text)
        .map((block, n) => [keys[n] ?? 0, block] as const)
        .sort(([a], [b]) => a - b)
        .map(([, block]) => block)
        .join('');
    return ['reorder the blocks', order];
  }),
  place.map((where): Mutation => {
    const remove = (text: string) => {
      const blocks = blocksOf(text);
      return blocks.toSpliced(at(where, blocks.length), 1).join('');
    };
    return ['remove a block', remove];
  }),
  fc.tuple(place, place).map(([from, to]): Mutation => {
    const double = (text: string) => {
      const blocks = blocksOf(text);
      const block = blocks[at(from, blocks.length)] ?? '';
      return blocks.toSpliced(at(to, blocks.length), 0, block).join('');
    };
    return ['double a block', double];
  }),
  fc
    .tuple(place, fc.constantFrom('CERTIFICATE', 'PRIVATE KEY', 'X509 CRL', 'EC PRIVATE KEY'))
    .map(([where, label]): Mutation => {
      const rename = (text: string) =>
        blocksOf(text)
          .map((block, n, { length }) =>
            n === at(where, length) ? block.replace(/(BEGIN|END) [A-Z ]+/g, `$1 ${label}`) : block,
          )
          .join('');
      return ['rename a block', rename];
    }),
);

/** Changes inside of the DER of a block, in PEM that is as good as before. */
const ofBytes = fc
  .tuple(place, place, fc.constantFrom('flip', 'set', 'insert', 'delete', 'cut'), fc.nat(255))
  .map(([which, where, how, byte]): Mutation => {
    const change = (der: Buffer): Buffer => {
      const index = at(where, der.length);
      const [head, tail] = [der.subarray(0, index), der.subarray(index)];
      if (how === 'insert') return Buffer.concat([head, Buffer.of(byte), tail]);
      if (how === 'delete') return Buffer.concat([head, tail.subarray(1)]);
      if (how === 'cut') return head;
      const old = der[index] ?? 0;
      const next = how === 'flip' ? old ^ (1 << (byte & 7)) : byte;
      return Buffer.concat([head, Buffer.of(next), tail.subarray(1)]);
    };
    const rewrite = (text: string) => {
      const blocks = tryParse(text);
      const chosen = at(which, blocks.length);
      return blocks
        .map(({ label, der }, n) => formatPem(label, n === chosen ? change(der) : der))
        .join('');
    };
    return [`${how} a byte of the DER`, rewrite];
  });

/** Another mutation may have come before, and left what is no PEM. */
function tryParse(text: string) {
  try {
    return parsePem(text);
  } catch {
    return [];
  }
}

const mutation = fc.oneof(
  { arbitrary: ofBytes, weight: 4 },
  { arbitrary: ofCharacters, weight: 2 },
  { arbitrary: ofLines, weight: 2 },
  { arbitrary: ofBlocks, weight: 1 },
);

/** A file after some mutations. Mostly few, because one is the least likely to be noticed. */
export function mutated(original: string) {
  const list = fc.array(mutation, { minLength: 1, maxLength: 3, size: 'small' });
  return list.map((steps) => ({
    steps: steps.map(([what]) => what),
    text: steps.reduce((text, [, change]) => change(text), original),
  }));
}
