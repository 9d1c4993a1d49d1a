import { constants, type Stats } from 'node:fs';
import { lstat, open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from './atomic-file.ts';
import {
  type FileMode,
  isForeign,
  ownerOnly,
  ownGroup,
  ownUser,
  unlessForbidden,
} from './file-mode.ts';
import { classifyIoError } from './io-errors.ts';
import { maxInternalFileBytes, noFollow } from './regular-file.ts';

/** Told of each file and directory that became this program's own, and what was wrong with it. */
export type TellOwned = (path: string, was: string) => void;

export interface Faults {
  /** In words, for the log. */
  readonly was: string;
  /** Whether the file may belong to a user who never meant it to be here. */
  readonly isLinked: boolean;
}

/**
 * Why others may read or change a file that is for this program and `access` alone. Such a file has to be written
 * anew: another user may hold a hard link to the old one, or a descriptor from when it was open to others, and both
 * outlive a change of its owner and mode. A link that root or this user made to a file of theirs is no fault.
 * @returns `undefined` when they may not, and when there is no file
 * @throws when the disk gives no answer
 */
export async function faultsOf(path: string, access: FileMode): Promise<Faults | undefined> {
  const name = await lstat(path).catch(absent);
  if (name?.isFile()) {
    const was = faultsOfFile(name, access).join(', ');
    return was === '' ? undefined : { was, isLinked: name.nlink > 1 };
  }
  if (!name?.isSymbolicLink()) return undefined;
  const target = await stat(path).catch(absent);
  const foreign = target ? [name.uid, target.uid].filter(isForeign) : [];
  if (foreign.length === 0) return undefined;
  return { was: `a link of owner ${foreign.join(' and ')}`, isLinked: true };
}

/**
 * Makes a directory that holds keys this program's own, with all directories below it and the files that `isOurs`
 * names; no other user can enter it from then on. Links are not followed, and what this user may not change stays.
 * @throws when the disk does not let it now
 */
export async function makeTreeOwn(
  path: string,
  tell: TellOwned,
  isOurs: (name: string) => boolean = () => true,
): Promise<void> {
  const flags = constants.O_RDONLY | constants.O_DIRECTORY | noFollow;
  const handle = await open(path, flags).catch(absent);
  if (!handle) return;
  try {
    const { uid, mode } = await handle.stat();
    const faults = [...ownerFault(uid), ...modeFault(mode, 0o700)];
    if (faults.length > 0) {
      if (isForeign(uid)) await handle.chown(ownUser(), ownGroup());
      await handle.chmod(0o700);
      tell(path, faults.join(', '));
    }
  } catch (error) {
    unlessForbidden(error);
  } finally {
    await handle.close();
  }
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const below = join(path, entry.name);
    if (entry.isDirectory()) await makeTreeOwn(below, tell, isOurs);
    else if (entry.isFile() && isOurs(entry.name)) await makeFileOwn(below, tell);
  }
}

/** What is no file, or is too large to be a key, is left alone. */
async function makeFileOwn(path: string, tell: TellOwned): Promise<void> {
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | noFollow;
  const handle = await open(path, flags).catch(absent);
  if (!handle) return;
  try {
    const found = await handle.stat();
    const faults = faultsOfFile(found, ownerOnly);
    if (faults.length === 0 || !found.isFile() || found.size > maxInternalFileBytes) return;
    await writeFileAtomic(path, await handle.readFile(), ownerOnly);
    tell(path, faults.join(', '));
  } catch (error) {
    unlessForbidden(error);
  } finally {
    await handle.close();
  }
}

function faultsOfFile({ uid, gid, mode, nlink }: Stats, access: FileMode): string[] {
  const isOfOthers = (mode & 0o070) !== 0 && access.group !== undefined && gid !== access.group;
  return [
    ...ownerFault(uid),
    ...(isOfOthers ? [`group ${gid}`] : []),
    ...modeFault(mode, access.mode),
    ...(nlink > 1 ? [`${nlink} hard links`] : []),
  ];
}

function ownerFault(uid: number): string[] {
  return isForeign(uid) ? [`owner ${uid}`] : [];
}

function modeFault(mode: number, allowed: number): string[] {
  const bits = mode & 0o7777;
  return (bits & ~allowed) === 0 ? [] : [`mode ${bits.toString(8).padStart(4, '0')}`];
}

/** For what is not there or cannot be opened, which its reader will tell. @throws when the disk gives no answer */
function absent(error: unknown): undefined {
  if (classifyIoError(error) !== undefined) throw error;
  return undefined;
}
