import { type Operand, type Token, tokenize } from './filter-tokens.ts';

export const comparisons = ['eq', 'ne', 'gt', 'ge', 'lt', 'le'] as const;
export type Comparison = (typeof comparisons)[number];

export type Expression =
  | {
      readonly kind: 'compare';
      readonly operator: Comparison;
      readonly left: Operand;
      readonly right: Operand;
    }
  | { readonly kind: 'and' | 'or'; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'not'; readonly of: Expression };

/**
 * Parses the value of `$filter` (DSP0266, "The $filter query parameter"). `and` binds tighter than `or`,
 * and `not` stands before parentheses.
 * @returns `undefined` for what is no expression, or one whose parentheses lie too deep
 */
export function parseFilter(text: string, maxDepth: number): Expression | undefined {
  const tokens = tokenize(text);
  if (!tokens) return undefined;
  const parser = new Parser(tokens, maxDepth);
  const expression = parser.or(0);
  return parser.isAtEnd ? expression : undefined;
}

class Parser {
  readonly #tokens: readonly Token[];
  readonly #maxDepth: number;
  #at = 0;

  constructor(tokens: readonly Token[], maxDepth: number) {
    this.#tokens = tokens;
    this.#maxDepth = maxDepth;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#tokens.length;
  }

  or(depth: number): Expression | undefined {
    return this.#chain('or', () => this.#chain('and', () => this.#single(depth)));
  }

  #chain(kind: 'and' | 'or', next: () => Expression | undefined): Expression | undefined {
    let left = next();
    while (left && this.#takeWord(kind)) {
      const right = next();
      left = right && { kind, left, right };
    }
    return left;
  }

  #single(depth: number): Expression | undefined {
    if (depth > this.#maxDepth) return undefined;
    if (this.#takeWord('not')) {
      const of = this.#parentheses(depth);
      return of && { kind: 'not', of };
    }
    return this.#tokens[this.#at]?.kind === '(' ? this.#parentheses(depth) : this.#comparison();
  }

  #parentheses(depth: number): Expression | undefined {
    if (this.#take()?.kind !== '(') return undefined;
    const inner = this.or(depth + 1);
    return this.#take()?.kind === ')' ? inner : undefined;
  }

  #comparison(): Expression | undefined {
    const left = this.#operand();
    const word = this.#take();
    const operator = comparisons.find((one) => word?.kind === 'word' && word.text === one);
    const right = this.#operand();
    return left && operator && right && { kind: 'compare', operator, left, right };
  }

  #operand(): Operand | undefined {
    const token = this.#take();
    if (token?.kind === 'operand') return token.operand;
    if (token?.kind !== 'word' || isReserved(token.text)) return undefined;
    return { kind: 'member', path: token.text.split('/') };
  }

  #takeWord(text: string): boolean {
    const token = this.#tokens[this.#at];
    if (token?.kind !== 'word' || token.text !== text) return false;
    this.#at++;
    return true;
  }

  #take(): Token | undefined {
    return this.#tokens[this.#at++];
  }
}

function isReserved(word: string): boolean {
  return ['and', 'or', 'not', ...comparisons].includes(word);
}
