import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import {
  type FileHandle,
  link,
  lstat,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  stat,
} from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { unanswered } from './regular-file.ts';

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
 * Replaces a file so that a reader, and a power cut, finds the old content or the new one, whole.
 * The bytes are never readable by more than the owner and the given group.
 */
export async function writeFileAtomic(
  path: string,
  content: string,
  access: FileAccess,
): Promise<void> {
  const aside = unfinishedName(path);
  try {
    await writeNewFile(aside, content, access);
    await renameSynced(aside, path);
  } catch (error) {
    await rm(aside, { force: true }).catch(() => undefined);
    throw error;
  }
}

/**
 * Renames within a directory so that it survives a power cut, or did not happen: what stood there comes back
 * when the directory cannot be synced. The directory is opened first: a program that has no descriptor left
 * must learn of it while nothing has changed yet.
 */
export async function renameSynced(from: string, to: string): Promise<void> {
  const old = unfinishedName(to);
  const kept = await keep(to, old);
  const back = { yes: [old, to], nothing: [to, from], no: undefined } as const;
  try {
    await changeSynced(dirname(to), () => rename(from, to), back[kept]);
  } finally {
    if (kept === 'yes') await removeAside(old);
  }
}

/** Removes a file, if it is there, as `renameSynced` renames one. @throws `EISDIR` for a directory */
export async function removeSynced(path: string): Promise<void> {
  const old = unfinishedName(path);
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

/** What was moved out of the way may be a private key; what cannot be removed now goes at the next start. */
async function removeAside(path: string): Promise<void> {
  const remove = () => rm(path, { force: true });
  await remove()
    .catch(remove)
    .catch(remove)
    .catch(() => undefined);
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

/** Gives what is to be replaced a second name. Some file systems have none, and directories never have. */
async function keep(path: string, as: string): Promise<'yes' | 'nothing' | 'no'> {
  try {
    await link(path, as);
    return 'yes';
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT') return 'nothing';
    if (['EPERM', 'EMLINK', 'ENOTSUP'].includes(code)) return 'no';
    throw error;
  }
}

function renamed(from: string, to: string): Promise<boolean> {
  return rename(from, to).then(
    () => true,
    () => false,
  );
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

/** Creates a file that must not exist yet, 0600 from the first byte, synced before it is closed. */
export async function writeNewFile(
  path: string,
  content: string,
  access: FileAccess,
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

/** Syncs a directory after what nobody waits for, and what is done anew when a power cut undoes it. */
export async function syncAfterSwitch(path: string): Promise<void> {
  await syncDirectory(path).catch(() => undefined);
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

/** Makes a directory with its parents. Those that exist keep their mode and group. */
export async function makeDirectory(path: string, access: FileAccess): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o700 });
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
 * Makes a directory that is nobody else's, or gives one the access that a umask, or a crash before it was
 * granted, kept from it.
 */
export async function makeOwnDirectory(path: string, access: FileAccess): Promise<void> {
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

/** Whoever may read the files may also enter the directories that lead to them. */
function directoryMode({ mode }: FileAccess): number {
  return mode | ((mode & 0o444) >> 2);
}

/** Lets a group into a directory that nobody but its owner can enter; any other is left as it is. */
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
 * Takes from a file the rights that its access does not give: upstream left keys world-readable, and another
 * group may be configured than before.
 * @throws when the disk does not let it now; what is no file of ours is left alone
 */
export async function tighten(path: string, access: FileAccess): Promise<void> {
  // A link leads to a file that is somebody else's
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;
  const handle = await open(path, flags).catch((error: unknown) => {
    if (unanswered(error) === undefined) return undefined;
    throw error;
  });
  if (!handle) return;
  try {
    const stat = await handle.stat();
    const isOpen = (stat.mode & 0o777 & ~access.mode) !== 0;
    const isOthers = access.group !== undefined && stat.gid !== access.group;
    if (stat.isFile() && (isOpen || isOthers)) await grant(handle, access);
  } finally {
    await handle.close();
  }
}

/** Whether something is at a path. @throws when the disk does not tell, which is no answer */
export async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error))) return false;
    throw error;
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

async function grant(handle: FileHandle, { mode, group }: FileAccess): Promise<void> {
  if (group !== undefined) await handle.chown((await handle.stat()).uid, group);
  await handle.chmod(mode);
}
