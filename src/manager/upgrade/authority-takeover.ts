import { rm, rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { renameSynced } from '../../storage/atomic-file.ts';
import { syncDirectory } from '../../storage/directory.ts';
import { codeOf, exists } from '../../storage/io-errors.ts';
import type { Certificate } from '../../x509/certificate.ts';
import type { ContentLimits } from '../../x509/limits.ts';
import { readUpstreamDirectory } from './upstream-authorities.ts';

/**
 * The certificates in a plain directory, as an upstream installation has one; none where there is no directory.
 * A directory without a certificate, as a package or `tmpfiles.d` may make one, does not say whom to trust.
 */
export async function readPlainDirectory(
  path: string,
  limits: ContentLimits,
): Promise<readonly Certificate[]> {
  try {
    return await readUpstreamDirectory(path, limits);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error))) return [];
    throw error;
  }
}

/** What was moved out of the way, and how it comes back. */
export interface PutAside {
  readonly path: string;
  readonly restore: () => Promise<void>;
}

/**
 * Moves what is at a path to `<path>.taken-over`, in place of what was moved there before.
 * @returns `undefined` where nothing is left at the path; an empty directory is removed
 */
export async function putAside(path: string): Promise<PutAside | undefined> {
  if (!(await exists(path)) || (await removeEmpty(path))) return undefined;
  const aside = `${path}.taken-over`;
  await rm(aside, { recursive: true, force: true });
  await renameSynced(path, aside);
  return { path: aside, restore: () => renameSynced(aside, path) };
}

/** An empty directory, made at each boot, must not take the place of what was taken over. */
async function removeEmpty(path: string): Promise<boolean> {
  try {
    await rmdir(path);
  } catch (error) {
    if (['ENOTDIR', 'ENOTEMPTY', 'EEXIST'].includes(codeOf(error))) return false;
    throw error;
  }
  await syncDirectory(dirname(path));
  return true;
}
