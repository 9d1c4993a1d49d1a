import { constants } from 'node:fs';
import { copyFile, lstat, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { giveSecondName } from '../../storage/atomic-file.ts';
import { syncAfterSwitch } from '../../storage/directory.ts';
import { applyFileMode, ownerOnly } from '../../storage/file-mode.ts';
import { codeOf } from '../../storage/io-errors.ts';

/** What stands at the path, and is kept under a second name. */
const ownNames = 2;

/** Where something was kept. */
export interface PutAside {
  readonly to: string;
  /** Whether nothing is left under its own name: only what is no file has to go from there. */
  readonly isMoved: boolean;
}

/**
 * Keeps what stands at a path as `<path>.refused` too, readable by its owner alone, in place of what was kept before. It
 * stays in place until a good one takes it, so that no service ever finds nothing.
 * @returns `undefined` when nothing is there. @throws what the file system throws; then it is where it was
 */
export async function keepAside(path: string): Promise<PutAside | undefined> {
  const to = `${path}.refused`;
  const ino = await inodeOf(path);
  if (ino === undefined) return undefined;
  // By an earlier start that got no further
  const isKept = (await inodeOf(to)) === ino;
  if (!isKept) await rm(to, { recursive: true, force: true });
  const isMoved = !isKept && (await keepAs(path, to)) === 'moved';
  await applyFileMode(to, ownerOnly, ownNames);
  await syncAfterSwitch(dirname(path));
  return { to, isMoved };
}

async function inodeOf(path: string): Promise<bigint | undefined> {
  try {
    return (await lstat(path, { bigint: true })).ino;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function keepAs(path: string, to: string): Promise<'kept' | 'moved'> {
  if ((await giveSecondName(path, to)) === 'yes') return 'kept';
  if ((await lstat(path)).isFile()) {
    await copySynced(path, to);
    return 'kept';
  }
  await rename(path, to);
  return 'moved';
}

async function copySynced(path: string, to: string): Promise<void> {
  try {
    await copyFile(path, to, constants.COPYFILE_EXCL);
    const handle = await open(to, 'r');
    await handle.sync().finally(() => handle.close());
  } catch (error) {
    await rm(to, { force: true }).catch(() => undefined);
    throw error;
  }
}
