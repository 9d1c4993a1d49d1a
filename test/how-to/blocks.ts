import { readFileSync } from 'node:fs';
import { type CommandBlock, commandBlocks } from '../../scripts/command-blocks.ts';

const folder = new URL('../../docs/how-to/', import.meta.url);

/** The commands of a page of docs/how-to/, but for those that no test can run. */
export function blocksOf(page: string): CommandBlock[] {
  const text = readFileSync(new URL(`${page}.md`, folder), 'utf8');
  return commandBlocks(text).filter(({ notRun }) => notRun === undefined);
}

/** @returns the commands under a heading of such a page */
export function documented(page: string, heading: string): CommandBlock[] {
  const blocks = blocksOf(page).filter((block) => block.heading === heading);
  if (blocks.length === 0) throw new Error(`${page}.md has no commands under ${heading}`);
  return blocks;
}
