import { type Comparison, comparisons, type Operand, tokenize } from './filter-tokens.ts';

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
  const take = (word: string) => tokens[0] === word && tokens.shift() !== undefined;
  const operand = () => {
    const token = tokens.shift();
    return typeof token === 'object' ? token : undefined;
  };
  const chain = (kind: 'and' | 'or', next: () => Expression | undefined) => {
    let left = next();
    while (left && take(kind)) {
      const right = next();
      left = right && { kind, left, right };
    }
    return left;
  };
  const any = (depth: number) => chain('or', () => chain('and', () => single(depth)));
  const single = (depth: number): Expression | undefined => {
    if (depth > maxDepth) return undefined;
    if (!take('not')) return take('(') ? inner(depth) : comparison();
    const of = take('(') ? inner(depth) : undefined;
    return of && { kind: 'not', of };
  };
  const inner = (depth: number) => {
    const found = any(depth + 1);
    return take(')') ? found : undefined;
  };
  const comparison = () => {
    const left = operand();
    const word = tokens.shift();
    const operator = comparisons.find((one) => one === word);
    const right = operand();
    return left && operator && right && { kind: 'compare' as const, operator, left, right };
  };
  const whole = any(0);
  return tokens.length === 0 ? whole : undefined;
}
