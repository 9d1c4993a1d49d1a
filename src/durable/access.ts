import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { unanswered } from './disk-answer.ts';

/** Who may read what the manager writes. */
export interface FileAccess {
  readonly mode: number;
  /** Group id; without it the group stays the manager's own. */
  readonly group?: number;
}

/** For private keys that only the manager reads. */
export const ownerOnly: FileAccess = { mode: 0o600 };

/** For certificates, which are no secret. */
export const everyone: FileAccess = { mode: 0o644 };

/** For a private key that a service reads through its group, or through nobody's. */
export function readableByGroup(group: number | undefined): FileAccess {
  return group === undefined ? ownerOnly : { mode: 0o640, group };
}

/**
 * Gives a file the rights of its access and no others: upstream left keys world-readable, what another program
 * put there may be closed to the group that serves it, and another group may be configured than before.
 * @throws when the disk does not let it now; what is no file of ours is left alone
 */
export async function settleAccess(path: string, access: FileAccess): Promise<void> {
  // A link leads to a file that is somebody else's
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;
  const handle = await open(path, flags).catch((error: unknown) => {
    if (unanswered(error) === undefined) return undefined;
    throw error;
  });
  if (!handle) return;
  try {
    const stat = await handle.stat();
    const isOthers = access.group !== undefined && stat.gid !== access.group;
    if (stat.isFile() && ((stat.mode & 0o777) !== access.mode || isOthers))
      await grant(handle, access);
  } finally {
    await handle.close();
  }
}

export async function grant(handle: FileHandle, { mode, group }: FileAccess): Promise<void> {
  if (group !== undefined) await handle.chown((await handle.stat()).uid, group);
  await handle.chmod(mode);
}
