export const comparisons = ['eq', 'ne', 'gt', 'ge', 'lt', 'le'] as const;
export type Comparison = (typeof comparisons)[number];

export type Operand =
  | { readonly kind: 'member'; readonly path: readonly string[] }
  | { readonly kind: 'literal'; readonly value: string | number | boolean | null }
  | { readonly kind: 'date'; readonly text: string };

/** An operand; or a parenthesis or a word of the language, as it is written. */
export type Token = Operand | string;

const words: readonly string[] = ['and', 'or', 'not', ...comparisons];
const literal = (value: string | number | boolean | null) => ({ kind: 'literal', value }) as const;

/** Each ends where a word does, so that `1e` or `truex` are not two. */
const readers: readonly (readonly [pattern: RegExp, read: (text: string) => Token])[] = [
  [/'(?:[^']|'')*'(?![\w'])/y, (text) => literal(text.slice(1, -1).replaceAll("''", "'"))],
  [
    /\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?(?![\w.:+-])/y,
    (text) => ({ kind: 'date', text }),
  ],
  [/-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.-])/y, (text) => literal(Number(text))],
  [/(?:true|false|null)(?![\w/@.#-])/y, (text) => literal(JSON.parse(text))],
  [
    /[A-Za-z_@#][\w@.#-]*(?:\/[A-Za-z_@#][\w@.#-]*)*(?![\w/])/y,
    (text) => (words.includes(text) ? text : { kind: 'member', path: text.split('/') }),
  ],
  // The filters of event streams may leave the quotes of a URI out
  [/\/[^\s()']*(?!')/y, literal],
  [/[()]/y, (text) => text],
];

/** @returns nothing when something is no token */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const found = text[at] === ' ' ? ' ' : readAt(text, at, tokens);
    if (found === undefined) return [];
    at += found.length;
  }
  return tokens;
}

function readAt(text: string, at: number, tokens: Token[]): string | undefined {
  for (const [pattern, read] of readers) {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found === undefined) continue;
    tokens.push(read(found));
    return found;
  }
  return undefined;
}
