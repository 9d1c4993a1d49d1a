import { visible } from './framework/fields.ts';

/** Of commands that list what there is: for scripts, and for the completion of shells. */
export const quietOption = {
  quiet: { short: 'q', about: 'print nothing but names, a line for each' },
} as const;

/** The answer of such a command. */
export function listed<R>(
  data: readonly R[],
  isQuiet: boolean,
  name: (row: R) => string,
): { readonly data: readonly R[]; readonly text?: string } {
  if (!isQuiet) return { data };
  return { data, text: data.map((row) => `${visible(name(row))}\n`).join('') };
}
