import { statSync } from 'node:fs';

/**
 * What tells one version of a file from another; a rename always changes the inode.
 * @returns `undefined` when there is no file
 */
export function stampOf(path: string): string | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat && [stat.dev, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join();
}
