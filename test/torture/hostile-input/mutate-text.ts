import type { Dice } from './dice.ts';
import type { Mutator } from './mutation.ts';

/** Words at which parsers of text go wrong: separators, quotes, numbers, names of other meaning. */
const words = [
  ...[
    '',
    ' ',
    '\t',
    '\r\n',
    '\n',
    '\r',
    '\0',
    '\u0001',
    '\u007f',
    '"',
    "'",
    '\\',
    '\\"',
    '%',
    '%00',
  ],
  ...[
    '%2f',
    '%2e%2e',
    '%ff',
    '%C0%AF',
    '%',
    '%zz',
    '/',
    '//',
    '/../',
    '?',
    '&',
    '=',
    '#',
    ';',
    ',',
  ],
  ...['*', '.', '~', '(', ')', '((((((((', '))))))))', '$', '@', ':', '[', ']', '{', '}', '<', '>'],
  ...['0', '-1', '1', '1e999', '-0', '00', '9007199254740993', '1.5', '0x10', 'NaN', 'Infinity'],
  ...[
    'null',
    'true',
    'undefined',
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'hasOwnProperty',
  ],
  ...[
    'é',
    '\u00ff',
    '\u2028',
    '\ufeff',
    '\ud800',
    '\udfff',
    '\u{10ffff}',
    '\u202e',
    'ß',
    'İ',
    '\uff0e',
    '\u3002',
  ],
  ...[
    'q=0',
    'q=1.000',
    'q=2',
    ';q=',
    'W/"',
    '""',
    'W/""',
    'wait=',
    'respond-async',
    'Basic ',
    'Token ',
  ],
  ...[
    'and',
    'or',
    'not',
    'eq',
    'ne',
    "'it''s'",
    "'",
    '$levels=',
    '2026-11-21T00:00:00Z',
    '*(',
    '::',
    '%eth0',
  ],
  ...[
    'xn--',
    '-',
    '_',
    '*.',
    '..',
    'localhost',
    '127.0.0.1',
    '0x7f.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '@',
  ],
  ...[
    '-----BEGIN CERTIFICATE-----',
    '-----END CERTIFICATE-----',
    '-----BEGIN ',
    '-----',
    'Proc-Type: 4,ENCRYPTED',
  ],
] as const;

/** Where words begin and end. */
const split = (text: string) => text.split(/(?<=[^\w])|(?=[^\w])/);

const ofTokens =
  (change: (tokens: string[], dice: Dice, other: string[]) => string[]): Mutator =>
  (input, dice, other) =>
    Buffer.from(change(split(input.toString()), dice, split(other.toString())).join(''));

const at = (list: readonly unknown[], dice: Dice) => dice.below(list.length + 1);

/** Changes of text that keep most of its words whole. */
export const textMutators: readonly Mutator[] = [
  ofTokens((tokens, dice) => tokens.toSpliced(at(tokens, dice), 0, dice.pick(words))),
  ofTokens((tokens, dice) => tokens.toSpliced(at(tokens, dice), 1, dice.pick(words))),
  ofTokens((tokens, dice) => tokens.toSpliced(at(tokens, dice), 1 + dice.below(4))),
  ofTokens((tokens, dice) => {
    const start = at(tokens, dice);
    const part = tokens.slice(start, start + 1 + dice.below(6));
    return tokens.toSpliced(at(tokens, dice), 0, ...part);
  }),
  ofTokens((tokens, dice, other) => {
    const start = at(other, dice);
    return tokens.toSpliced(
      at(tokens, dice),
      dice.below(3),
      ...other.slice(start, start + 1 + dice.below(6)),
    );
  }),
  ofTokens((tokens, dice) => {
    const word = dice.pick(words);
    return tokens.toSpliced(at(tokens, dice), 0, word.repeat(1 + dice.below(300)));
  }),
  ofTokens((tokens, dice) => {
    const from = dice.below(tokens.length || 1);
    const to = dice.below(tokens.length || 1);
    return tokens.map(
      (token, n) => (n === from ? tokens[to] : n === to ? tokens[from] : token) ?? '',
    );
  }),
  (input, dice) => {
    const text = input.toString();
    return Buffer.from(dice.once(2) ? text.toUpperCase() : text.toLowerCase());
  },
  (input) => Buffer.from(input.toString('latin1')),
  (input) => Buffer.from(`\ufeff${input}`, 'utf16le'),
];

const ofLines =
  (change: (lines: string[], dice: Dice, other: string[]) => string[], join = '\n'): Mutator =>
  (input, dice, other) =>
    Buffer.from(
      change(input.toString().split('\n'), dice, other.toString().split('\n')).join(join),
    );

/** What happens to files of lines, PEM above all. */
export const lineMutators: readonly Mutator[] = [
  ofLines((lines, dice) => lines.toSpliced(at(lines, dice), 1 + dice.below(5))),
  ofLines((lines, dice) => {
    const line = lines[dice.below(lines.length)] ?? '';
    return lines.toSpliced(at(lines, dice), 0, line);
  }),
  ofLines((lines, dice, other) => lines.toSpliced(at(lines, dice), 0, ...other)),
  ofLines((lines, dice) => lines.toSpliced(at(lines, dice), 0, dice.pick(words))),
  ofLines((lines) => lines, '\r'),
  ofLines((lines) => lines, '\r\n'),
  ofLines((lines) => lines, ''),
  ofLines((lines, dice) => {
    const indent = ' '.repeat(dice.below(80));
    return lines.map((line) => (dice.once(4) ? `${indent}${line}${indent}` : line));
  }),
  (input, dice) => {
    const label = dice.pick(['CERTIFICATE', 'PRIVATE KEY', 'EC PRIVATE KEY', 'PKCS7', 'X509 CRL']);
    const text = input.toString();
    return Buffer.from(text.replace(/(BEGIN|END) [A-Z ]+-/g, `$1 ${label}-`));
  },
];
