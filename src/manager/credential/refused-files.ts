import { constants } from 'node:fs';
import { copyFile, lstat, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
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
 * Keeps what stands at a path as `<path>.refused-<number>` too, readable by its owner alone. It stays in place
 * until a good one takes it, so that no service ever finds nothing.
 * @param most how many are kept; those with the lowest numbers go first
 * @returns `undefined` when nothing is there. @throws what the file system throws; then it is where it was
 */
export async function keepAside(path: string, max: number): Promise<PutAside | undefined> {
  const directory = dirname(path);
  const prefix = `${basename(path)}.refused-`;
  const others = (await readdir(directory))
    .filter((name) => name.startsWith(prefix) && /^[1-9]\d{0,14}$/.test(name.slice(prefix.length)))
    .map((name) => ({ to: join(directory, name), number: Number(name.slice(prefix.length)) }))
    .sort((a, b) => a.number - b.number);
  const twin = await twinOf(path, others);
  if (twin !== undefined) {
    await applyFileMode(twin, ownerOnly, ownNames);
    return { to: twin, isMoved: false };
  }
  const to = join(directory, `${prefix}${(others.at(-1)?.number ?? 0) + 1}`);
  const how = await keepAs(path, to);
  if (how === 'nothing') return undefined;
  await applyFileMode(to, ownerOnly, ownNames);
  for (const other of others.slice(0, Math.max(0, others.length + 1 - max))) {
    // One that cannot go, such as a directory, keeps no other from being kept
    await rm(other.to, { force: true }).catch(() => undefined);
  }
  await syncAfterSwitch(directory);
  return { to, isMoved: how === 'moved' };
}

/** The name under which the very same file is kept already, by an earlier start that got no further. */
async function twinOf(
  path: string,
  others: readonly { readonly to: string }[],
): Promise<string | undefined> {
  const ino = await inodeOf(path);
  if (ino === undefined) return undefined;
  for (const { to } of others) if ((await inodeOf(to)) === ino) return to;
  return undefined;
}

async function inodeOf(path: string): Promise<bigint | undefined> {
  try {
    return (await lstat(path, { bigint: true })).ino;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function keepAs(path: string, to: string): Promise<'kept' | 'moved' | 'nothing'> {
  const named = await giveSecondName(path, to);
  if (named !== 'no') return named === 'yes' ? 'kept' : 'nothing';
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
