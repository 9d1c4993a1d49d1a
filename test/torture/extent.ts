import { appendFileSync } from 'node:fs';

const long = process.env.TORTURE === 'long';

/** How far a test goes: `quick` with `npm run test:all`, `long` with `npm run torture`. */
export function extent<T>(choices: { readonly quick: T; readonly long: T }): T {
  return long ? choices.long : choices.quick;
}

/**
 * Keeps what a test counted or measured for docs/reliability-figures.md. A quick run keeps nothing: its figures are of
 * no interest to a reader, and must not replace those of a long one.
 */
export function figure(area: string, what: string, value: number | string): void {
  const file = process.env.TORTURE_FIGURES;
  if (!long || file === undefined) return;
  appendFileSync(file, `${JSON.stringify({ area, what, value: String(value) })}\n`);
}
