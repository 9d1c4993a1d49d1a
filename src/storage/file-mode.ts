import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { classifyIoError, codeOf } from './io-errors.ts';

/** Who may read what the manager writes. */
export interface FileMode {
  readonly mode: number;
  /** Group id; without it the group stays the manager's own. */
  readonly group?: number;
  /** User id; without it the owner stays the user of the program. Only root can give a file away. */
  readonly owner?: number;
}

/** For private keys that only the manager reads. */
export const ownerOnly: FileMode = { mode: 0o600 };

/** For certificates, which are no secret. */
export const worldReadable: FileMode = { mode: 0o644 };

/** For a private key that a service reads through its group, or through no group. */
export function readableByGroup(group: number | undefined): FileMode {
  return group === undefined ? ownerOnly : { mode: 0o640, group };
}

/**
 * Gives a file the rights of its access and no others: upstream left keys world-readable, what another program
 * put there may be closed to the group that serves it, a backup may have brought it back as another user's, and
 * another group may be configured than before.
 * @param maxNames a file that has more hard links is left alone: root would open to the group a file of another user
 * @throws when the disk does not let it now; what is no file of ours is left alone
 */
export async function applyFileMode(path: string, access: FileMode, maxNames = 1): Promise<void> {
  // A link leads to a file that may be another user's
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;
  const handle = await open(path, flags).catch((error: unknown) => {
    if (classifyIoError(error) === undefined) return undefined;
    throw error;
  });
  if (!handle) return;
  try {
    const stat = await handle.stat();
    if (!stat.isFile() || stat.nlink > maxNames) return;
    const isOthers = access.group !== undefined && stat.gid !== access.group;
    // Where that is not allowed, its owner goes with the next time that it is written
    if (isForeign(stat.uid))
      await handle.chown(ownUser(), access.group ?? ownGroup()).catch(unlessForbidden);
    if ((stat.mode & 0o777) !== access.mode || isOthers) await grant(handle, access);
  } finally {
    await handle.close();
  }
}

/** For rights that this user may not change. */
export function unlessForbidden(error: unknown): void {
  if (!['EPERM', 'EACCES'].includes(codeOf(error))) throw error;
}

/** Whether a file is neither this user's nor root's, who may do anything with it anyway. */
export function isForeign(uid: number): boolean {
  return uid !== ownUser() && uid !== 0;
}

export function ownUser(): number {
  return process.geteuid?.() ?? 0;
}

export function ownGroup(): number {
  return process.getegid?.() ?? 0;
}

export async function grant(handle: FileHandle, { mode, group, owner }: FileMode): Promise<void> {
  if (group !== undefined || owner !== undefined) {
    const { uid, gid } = await handle.stat();
    await handle.chown(owner ?? uid, group ?? gid);
  }
  await handle.chmod(mode);
}

/**
 * Access to a file of a service's state for the user that the service runs as, also where root writes the file, as
 * `bmc-certs set-password` does: the owner and group of the directory, or of its nearest parent that exists. In a
 * directory of root's the file keeps the owner that it has.
 */
export async function stateAccess(path: string): Promise<FileMode> {
  if (process.geteuid?.() !== 0) return ownerOnly;
  const directory = await nearestDirectory(dirname(path));
  const before = directory.uid === 0 ? await lstat(path).catch(() => undefined) : undefined;
  const { uid, gid } = before ?? directory;
  return { ...ownerOnly, owner: uid, group: gid };
}

async function nearestDirectory(path: string): Promise<Stats> {
  try {
    return await stat(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' || dirname(path) === path) throw error;
    return nearestDirectory(dirname(path));
  }
}
