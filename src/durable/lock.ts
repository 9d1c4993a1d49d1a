import { spawn } from 'node:child_process';
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  openSync,
  statSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { codeOf } from './disk-answer.ts';

/** A lock of a file or directory, which ends with `release` or with the program, however that ends. */
export interface Lock {
  release(): void;
}

/** Why there is no lock: somebody else has it, or nobody can have one here. */
export type NoLock = 'taken' | 'unable';

export type LockedPath =
  /** A directory that is there. */
  | { readonly directory: string }
  /** A file that is made for it, and stays. */
  | { readonly file: string };

/**
 * Locks a path against all programs that ask for the same, flock(2). Node cannot do that, so the program of
 * that name is given the open file: the lock belongs to what is open, and outlives who asked for it.
 * @param patience milliseconds to wait for who has it
 * @returns `unable` when there is no such program, or nothing to open
 * @throws when the system has no room for another program now
 */
export async function lock(path: LockedPath, patience = 0): Promise<Lock | NoLock> {
  let opened: number;
  try {
    opened =
      'file' in path
        ? openForAll(path.file)
        : openSync(path.directory, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch {
    return 'unable';
  }
  let answer: NoLock | 'locked' = 'unable';
  try {
    answer = await flock(opened, patience);
  } finally {
    if (answer !== 'locked') closeSync(opened);
  }
  return answer === 'locked' ? { release: () => closeSync(opened) } : answer;
}

/**
 * Another user who comes into the directory, such as a service after root, must find the file open. A link in its
 * place leads nowhere: the owner of the directory must not have root open or change a file that is elsewhere.
 */
function openForAll(path: string): number {
  const { O_RDONLY, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
  const opened = openSync(path, O_RDONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o644);
  try {
    const { mode, nlink } = fstatSync(opened);
    if (nlink > 1) return opened;
    if ((mode & 0o444) !== 0o444) fchmodSync(opened, 0o644);
    const { uid, gid } = statSync(dirname(path));
    if (process.geteuid?.() === 0) fchownSync(opened, uid, gid);
  } catch {
    // It is somebody else's, and open to us
  }
  return opened;
}

/** The options are those that BusyBox has too. */
function flock(opened: number, patience: number): Promise<NoLock | 'locked'> {
  const args = patience > 0 ? ['3'] : ['-n', '3'];
  return new Promise((resolve, reject) => {
    let isLate = false;
    let complaint = '';
    const child = spawn('flock', args, { stdio: ['ignore', 'ignore', 'pipe', opened] });
    child.stderr?.on('data', (chunk) => {
      complaint += chunk;
    });
    const deadline = setTimeout(() => {
      isLate = true;
      child.kill();
    }, patience || 10_000);
    child.once('error', (error) => {
      clearTimeout(deadline);
      if (['ENOENT', 'EACCES', 'EPERM'].includes(codeOf(error))) resolve('unable');
      else reject(error);
    });
    child.once('close', (status) => {
      clearTimeout(deadline);
      const isTaken = isLate || (status === 1 && complaint === '');
      resolve(status === 0 ? 'locked' : isTaken ? 'taken' : 'unable');
    });
  });
}
