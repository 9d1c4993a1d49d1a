import { readFileSync } from 'node:fs';
import { type CommandBlock, commandBlocks } from '../../scripts/command-blocks.ts';

const folder = new URL('../../docs/how-to/', import.meta.url);

/** The commands of a page of docs/how-to/, but for those that no test can run. */
export function blocksOf(page: string): CommandBlock[] {
  return commandBlocks(textOf(page)).filter(({ notRun }) => notRun === undefined);
}

/** @returns the commands under a heading of such a page */
export function documented(page: string, heading: string): CommandBlock[] {
  const blocks = blocksOf(page).filter((block) => block.heading === heading);
  if (blocks.length === 0) throw new Error(`${page}.md has no commands under ${heading}`);
  return blocks;
}

/** @returns the commands of the page of an edge for a device, on which other tests run them than the rest of the page */
export function onADevice(page: string): CommandBlock[] {
  return commandBlocks(textOf(page)).filter(({ heading }) => heading === 'On a device');
}

function textOf(page: string): string {
  return readFileSync(new URL(`${page}.md`, folder), 'utf8');
}
