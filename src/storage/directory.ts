import { accessSync, constants } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type FileMode, grant } from './file-mode.ts';
import { codeOf } from './io-errors.ts';

/** Makes a directory with its parents. Those that exist keep their mode and group. */
export async function makeDirectory(path: string, access: FileMode): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    throw writeFault(path) ?? error;
  });
  if (first === undefined) return;
  const mode = directoryMode(access);
  for (let made = path; made.length >= first.length; made = dirname(made)) {
    const handle = await open(made, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await grant(handle, { ...access, mode });
      await handle.sync();
    } finally {
      await handle.close();
    }
    await syncDirectory(dirname(made));
  }
}

/**
 * Makes a directory that is this program's alone, or gives one the access that a umask, or a crash before it was
 * granted, kept from it.
 */
export async function makeOwnDirectory(path: string, access: FileMode): Promise<void> {
  await makeDirectory(path, access);
  const handle = await open(
    path,
    constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW,
  );
  try {
    const mode = directoryMode(access);
    if (((await handle.stat()).mode & 0o777) !== mode) await grant(handle, { ...access, mode });
  } finally {
    await handle.close();
  }
}

/**
 * Why nothing can be written at a path, as the system says it of the nearest directory that is there: of a file system that
 * is read-only Node says that the directory to make is absent.
 */
export function writeFault(path: string): Error | undefined {
  try {
    accessSync(path, constants.W_OK);
    return undefined;
  } catch (error) {
    const above = dirname(path);
    if (codeOf(error) === 'ENOENT' && above !== path) return writeFault(above);
    return error instanceof Error ? error : undefined;
  }
}

/** A user who may read the files may also enter the directories that lead to them. */
function directoryMode({ mode }: FileMode): number {
  return mode | ((mode & 0o444) >> 2);
}

/** Lets a group into a directory that its owner alone can enter; any other is left as it is. */
export async function admitGroup(path: string, group: number): Promise<void> {
  const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const { mode } = await handle.stat();
    if ((mode & 0o077) === 0) await grant(handle, { mode: 0o750, group });
  } finally {
    await handle.close();
  }
}

/**
 * Does what ends with a sync of a directory, for which it is opened before anything is changed.
 * @throws what opening it and the work throw
 */
export async function withDirectory(
  path: string,
  work: (sync: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await work(() => directory.sync());
  } finally {
    // What was synced is done, whatever the descriptor still says
    await directory.close().catch(() => undefined);
  }
}

/** Makes renames and removals in a directory survive a power cut. */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Syncs a directory after work that no caller waits for, and what is done anew when a power cut undoes it. */
export async function syncAfterSwitch(path: string): Promise<void> {
  await syncDirectory(path).catch(() => undefined);
}
