// The commands of README.md and docs/how-to/: tests run them, and scripts/record.ts records them.

/** A fenced block of the language `sh`. */
export interface CommandBlock {
  /** The nearest heading above it. */
  readonly heading: string;
  readonly text: string;
  /** Says why no test can run the block: the comment `<!-- not run: … -->` on the line above the fence. */
  readonly notRun: string | undefined;
}

/** @param page Markdown */
export function commandBlocks(page: string): CommandBlock[] {
  const tokens =
    /^#+ (?<heading>.*)$|(?:^<!-- not run: (?<notRun>.*) -->\n)?^```(?<language>\w*)\n(?<text>(?:.*\n)*?)^```$/gm;
  const blocks: CommandBlock[] = [];
  let current = '';
  for (const { groups = {} } of page.matchAll(tokens)) {
    const { heading, language, text = '', notRun } = groups;
    if (heading !== undefined) current = heading;
    if (language === 'sh') blocks.push({ heading: current, text, notRun });
  }
  return blocks;
}

/** ASCII's record separator, which no command prints. */
const separator = '\u001e';

/** One script for bash that ends at the first command that fails, also within a pipe. */
export function toScript(blocks: readonly CommandBlock[]): string {
  const parts = blocks.map(({ text }) => `printf '\\036'\n${text}`);
  return `exec 2>&1\nset -euo pipefail\n${parts.join('')}`;
}

/** Splits what such a script printed into the output of each block, up to the last block that was begun. */
export function toOutputs(printed: string): string[] {
  return printed.split(separator).slice(1);
}
