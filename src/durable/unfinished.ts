import { randomBytes } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { codeOf } from './disk-answer.ts';

/** A name beside a path for what will take its place. */
export function unfinishedName(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.new`);
}

/** Removes what a crash left under such a name: it may hold a key that never took effect, or no longer does. */
export async function clearUnfinished(path: string): Promise<void> {
  const prefix = `.${basename(path)}.`;
  const names = await readdir(dirname(path)).catch(() => []);
  for (const name of names) {
    const rest = name.startsWith(prefix) ? name.slice(prefix.length) : '';
    if (/^[0-9a-f]{12}\.new$/.test(rest)) await removeFile(join(dirname(path), name));
  }
}

/** As `clearUnfinished` for everything in a directory that no other program writes to now. */
export async function clearAllUnfinished(directory: string): Promise<void> {
  const names = await readdir(directory).catch(() => []);
  for (const name of names.filter((one) => /^\..+\.[0-9a-f]{12}\.new$/.test(one))) {
    await removeFile(join(directory, name));
  }
}

/** A directory has such a name from somebody else, who may still want it. */
async function removeFile(path: string): Promise<void> {
  await rm(path, { force: true }).catch((error: unknown) => {
    if (codeOf(error) !== 'ERR_FS_EISDIR') throw error;
  });
}
