import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { clone } from '../e2e/stack.ts';

/**
 * The root directory of a Debian 13.
 * @throws when it was not made
 */
export function debian13(): string {
  const tree = join(clone, '.cache/debian-13');
  if (existsSync(tree)) return tree;
  throw new Error('There is no Debian 13 to try: node scripts/prepare-package.mjs makes it.');
}
