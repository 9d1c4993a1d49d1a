import { constants } from 'node:fs';
import { link, lstat, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { withDirectory } from './directory.ts';
import { type FileMode, grant } from './file-mode.ts';
import { codeOf } from './io-errors.ts';
import { withRetries } from './retry.ts';
import { tempName } from './temp-files.ts';

/**
 * Replaces a file so that a reader, and a power cut, finds the old content or the new one, whole.
 * The bytes are never readable by more than the owner and the given group.
 * @param lastLook as of `renameSynced`
 */
export async function writeFileAtomic(
  path: string,
  content: string | Buffer,
  access: FileMode,
  lastLook?: () => Promise<void>,
): Promise<void> {
  const aside = tempName(path);
  try {
    await writeNewFile(aside, content, access);
    await renameSynced(aside, path, lastLook);
  } catch (error) {
    await rm(aside, { force: true }).catch(() => undefined);
    throw error;
  }
}

/**
 * Renames within a directory so that it survives a power cut, or did not happen: what stood there comes back
 * when the directory cannot be synced. The directory is opened first: a program that has no descriptor left
 * must learn of it while nothing has changed yet.
 * @param lastLook comes right before the rename; what it throws leaves all as it is
 */
export async function renameSynced(
  from: string,
  to: string,
  lastLook: () => Promise<void> = async () => undefined,
): Promise<void> {
  const old = tempName(to);
  const kept = await giveSecondName(to, old);
  const back = { yes: [old, to], nothing: [to, from], no: undefined } as const;
  try {
    const change = async () => {
      await lastLook();
      await rename(from, to);
    };
    await changeSynced(dirname(to), change, back[kept]);
  } finally {
    if (kept === 'yes') await removeAside(old);
  }
}

/** Removes a file, if it is there, as `renameSynced` renames one. @throws `EISDIR` for a directory */
export async function removeSynced(path: string): Promise<void> {
  const old = tempName(path);
  const moveAside = async () => {
    // It would be moved aside as readily, with all that is in it
    if ((await lstat(path)).isDirectory())
      throw Object.assign(new Error(`EISDIR: ${path} is a directory`), { code: 'EISDIR' });
    await rename(path, old);
  };
  try {
    await changeSynced(dirname(path), moveAside, [old, path]);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
  await removeAside(old);
}

/** Creates a file that must not exist yet, 0600 from the first byte, synced before it is closed. */
export async function writeNewFile(
  path: string,
  content: string | Buffer,
  access: FileMode,
): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
  const handle = await open(path, flags, 0o600);
  try {
    await handle.writeFile(content);
    await grant(handle, access);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * @param back the rename that undoes the change
 * @throws the error of the sync; when not even `back` can be done, the change is in effect and counts as done
 */
async function changeSynced(
  directory: string,
  change: () => Promise<void>,
  back: readonly [string, string] | undefined,
): Promise<void> {
  await withDirectory(directory, async (sync) => {
    await change();
    try {
      await sync();
    } catch (error) {
      if (back === undefined || !(await renamed(...back))) {
        process.emitWarning(`A change in ${directory} may not survive a power cut: no sync.`);
        return;
      }
      await sync().catch(() => undefined);
      throw error;
    }
  });
}

/**
 * Gives a file a second name, under which it stays when the first one gets another.
 * @returns `nothing` when there is no file, `no` when it can have none: some file systems know none, and
 *   directories and mount points never have one
 */
export async function giveSecondName(path: string, as: string): Promise<'yes' | 'nothing' | 'no'> {
  try {
    await link(path, as);
    return 'yes';
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT') return 'nothing';
    if (['EPERM', 'EMLINK', 'ENOTSUP', 'EXDEV'].includes(code)) return 'no';
    throw error;
  }
}

/** What was moved out of the way may be a private key; what cannot be removed now goes at the next start. */
async function removeAside(path: string): Promise<void> {
  await withRetries(() => rm(path, { force: true })).catch(() => undefined);
}

function renamed(from: string, to: string): Promise<boolean> {
  return rename(from, to).then(
    () => true,
    () => false,
  );
}
