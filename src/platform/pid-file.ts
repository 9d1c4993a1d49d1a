import { readFile } from 'node:fs/promises';
import { codeOf } from '../storage/io-errors.ts';
import { FileRefusal, readRegularFile } from '../storage/regular-file.ts';

/** Bytes of a file that holds a process id and nothing else. */
const maxBytes = 32;

/**
 * Sends SIGHUP to the process of a pid file. A service that does not run reads the new files when it
 * starts, so there is nothing to do.
 * @throws Error as `processToReload`
 */
export async function askToReload(path: string): Promise<'reloaded' | 'not-running'> {
  const pid = await processToReload(path);
  if (pid === undefined) return 'not-running';
  const sent = await unlessGone(async () => process.kill(pid, 'SIGHUP'));
  return sent ? 'reloaded' : 'not-running';
}

/**
 * The process of a pid file, which takes SIGHUP.
 * @returns `undefined` when the service does not run
 * @throws Error when the file holds no process id, or one of a process that does not take the signal
 */
export async function processToReload(path: string): Promise<number | undefined> {
  const text = await readPidFile(path);
  if (text === undefined) return undefined;
  const pid = /^\d{1,10}$/.test(text.trim()) ? Number(text) : 0;
  // 0, 1 and negative numbers address process groups and init
  if (pid < 2) throw new Error('the file holds no process id');
  return unlessGone(async () => {
    await refuseUnprepared(pid);
    return pid;
  });
}

async function unlessGone<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return undefined;
    throw error;
  }
}

async function readPidFile(path: string): Promise<string | undefined> {
  try {
    return await readRegularFile(path, maxBytes);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    if (!(error instanceof FileRefusal)) throw error;
    if (error.reason === 'not-regular')
      throw new Error(`the pid file is of no use: ${error.message}`);
    return '';
  }
}

/**
 * A service that reloads at SIGHUP catches it, or blocks it to read it from a signalfd. A process that does
 * neither would be ended by it: the service has not come so far yet, or its number was given to another
 * program. One that ignores it would not reload. Nor is the signal sent to a process of which that cannot be told.
 */
async function refuseUnprepared(pid: number): Promise<void> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => undefined);
  if (status === undefined) {
    // Throws where there is no such process
    process.kill(pid, 0);
    throw new Error('nothing can be learned of the process');
  }
  if (holds(status, 'SigIgn')) throw new Error('the process ignores SIGHUP');
  if (holds(status, 'SigCgt') || holds(status, 'SigBlk')) return;
  throw new Error('the process does not take SIGHUP, which would end it');
}

/** Whether SIGHUP, the first signal, is in a set of proc(5). */
function holds(status: string, set: string): boolean {
  const last = new RegExp(`^${set}:\\s*[0-9a-f]*([0-9a-f])$`, 'm').exec(status)?.[1] ?? '0';
  return (Number.parseInt(last, 16) & 1) === 1;
}
