export type Operand =
  | { readonly kind: 'member'; readonly path: readonly string[] }
  | { readonly kind: 'literal'; readonly value: string | number | boolean | null }
  | { readonly kind: 'date'; readonly text: string };

export type Token =
  | { readonly kind: '(' | ')' }
  | { readonly kind: 'word'; readonly text: string }
  | { readonly kind: 'operand'; readonly operand: Operand };

type Reader = readonly [pattern: RegExp, read: (text: string) => Token];

const literal = (value: string | number | boolean | null): Token => ({
  kind: 'operand',
  operand: { kind: 'literal', value },
});

/** Each ends where a word does, so that `1e` or `truex` are not two. */
const readers: readonly Reader[] = [
  [/'(?:[^']|'')*'(?![\w'])/y, (text) => literal(text.slice(1, -1).replaceAll("''", "'"))],
  [
    /\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?(?![\w.:+-])/y,
    (text) => ({ kind: 'operand', operand: { kind: 'date', text } }),
  ],
  [/-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.-])/y, (text) => literal(Number(text))],
  [/(?:true|false)(?![\w/@.#-])/y, (text) => literal(text === 'true')],
  [/null(?![\w/@.#-])/y, () => literal(null)],
  [/[A-Za-z_@#][\w@.#-]*(?:\/[A-Za-z_@#][\w@.#-]*)*(?![\w/])/y, (text) => ({ kind: 'word', text })],
  [/\(/y, () => ({ kind: '(' })],
  [/\)/y, () => ({ kind: ')' })],
];

/** @returns `undefined` when something is no token */
export function tokenize(text: string): readonly Token[] | undefined {
  const tokens: Token[] = [];
  let at = skipBlanks(text, 0);
  while (at < text.length) {
    const found = readAt(text, at);
    if (!found) return undefined;
    tokens.push(found.token);
    at = skipBlanks(text, at + found.length);
  }
  return tokens;
}

function readAt(text: string, at: number): { token: Token; length: number } | undefined {
  for (const [pattern, read] of readers) {
    pattern.lastIndex = at;
    const matched = pattern.exec(text)?.[0];
    if (matched !== undefined) return { token: read(matched), length: matched.length };
  }
  return undefined;
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (text[at] === ' ') at++;
  return at;
}
