import { randomBytes } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { codeOf } from './io-errors.ts';

/** A name beside a path for what will take its place. */
export function tempName(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.new`);
}

/** Removes what a crash left under such a name: it may hold a key that never took effect, or no longer does. */
export async function removeTempFiles(path: string): Promise<void> {
  for (const one of await tempFilesOf(path)) await removeFile(one);
}

/** The paths that stand beside one under such a name. */
export async function tempFilesOf(path: string): Promise<readonly string[]> {
  const prefix = `.${basename(path)}.`;
  const names = await readdir(dirname(path)).catch(() => []);
  return names
    .filter((name) => name.startsWith(prefix))
    .filter((name) => /^[0-9a-f]{12}\.new$/.test(name.slice(prefix.length)))
    .map((name) => join(dirname(path), name));
}

/** A directory of such a name is another program's, which may still want it. */
async function removeFile(path: string): Promise<void> {
  await rm(path, { force: true }).catch((error: unknown) => {
    if (codeOf(error) !== 'ERR_FS_EISDIR') throw error;
  });
}
