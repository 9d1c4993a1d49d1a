import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { makeOwnDirectory } from './directory.ts';
import { applyFileMode, ownerOnly } from './file-mode.ts';
import { classifyIoError } from './io-errors.ts';

/** Told of each file that others could read or change until now, and what was wrong with it. */
export type TellOwned = (path: string, was: string) => void;

/**
 * Makes a directory that holds keys this program's own, with all directories below it and the files that `isOurs` names.
 * Links are not followed, and what this user may not change stays.
 * @throws when the disk does not let it now
 */
export async function makeTreeOwn(
  path: string,
  tell: TellOwned,
  isOurs: (name: string) => boolean = () => true,
): Promise<void> {
  const found = await lstat(path).catch((error: unknown) => {
    if (classifyIoError(error) !== undefined) throw error;
    return undefined;
  });
  if (!found?.isDirectory()) return;
  await makeOwnDirectory(path, ownerOnly);
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const below = join(path, entry.name);
    if (entry.isDirectory()) await makeTreeOwn(below, tell, isOurs);
    const isKey = entry.isFile() && isOurs(entry.name);
    const was = isKey ? await applyFileMode(below, ownerOnly) : undefined;
    if (was !== undefined) tell(below, was);
  }
}
