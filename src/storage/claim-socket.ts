import { randomBytes } from 'node:crypto';
import { closeSync, constants, openSync, readdirSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf } from './io-errors.ts';

/** What a process has for itself until it releases it, or ends, in whatever way. */
export interface Claim {
  release(): void;
}

/** Another process has the claim: its id, 0 where that does not say. */
export interface Taken {
  readonly takenBy: number;
}

/** A holder that was stopped does not answer, and holds the claim all the same. */
const answerMilliseconds = 2000;
const pauseMilliseconds = 20;

/**
 * Claims a name in a directory that others cannot write, against every process that asks for the same. Each
 * process listens on a UNIX socket of its own, which the kernel closes with the process: no process id is
 * trusted, and no socket with a listener is ever removed. Of several that ask at once, the first by its random
 * name waits until the others have given way, or turn out to have been faster.
 * @throws what the file system throws when no socket can be made there
 */
export async function claimName(directory: string, name: string): Promise<Claim | Taken> {
  const opened = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  // The path of a socket has 107 bytes at most (unix(7)); that of the directory may be longer
  const place = `/proc/self/fd/${opened}`;
  const own = `${name}.${randomBytes(6).toString('hex')}`;
  const state = { isHeld: false };
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.end(`${state.isHeld ? 'held' : 'asked'} ${process.pid}`);
  }).unref();
  const release = () => {
    server.close();
    remove(`${place}/${own}`);
    closeSync(opened);
  };
  try {
    await listen(server, `${place}/${own}`);
    const takenBy = await findHolder(place, name, own);
    if (takenBy === undefined) {
      state.isHeld = true;
      return { release };
    }
    release();
    return { takenBy };
  } catch (error) {
    release();
    throw error;
  }
}

/** Removes what dead processes left. @returns `undefined` when no process has the claim, nor may come before this process */
async function findHolder(place: string, name: string, own: string): Promise<number | undefined> {
  for (;;) {
    const names = readdirSync(place).filter((one) => isClaim(one, name));
    // Another process removed it, before it had a listener
    if (!names.includes(own)) return 0;
    const answers = await Promise.all(
      names.filter((one) => one !== own).map((one) => ask(place, one)),
    );
    const alive = answers.filter((one) => one !== undefined);
    if (alive.length === 0) return undefined;
    const first = alive.find(
      ({ state, socket }) => state === 'held' || (state === 'asked' && socket < own),
    );
    if (first) return first.pid;
    await sleep(pauseMilliseconds);
  }
}

function isClaim(file: string, name: string): boolean {
  return file.startsWith(`${name}.`) && /^[0-9a-f]{12}$/.test(file.slice(name.length + 1));
}

/**
 * Every program that can reach the directory may ask, such as a service that root's program keeps waiting. The socket is
 * made with the mode for that: a chmod after it finds no file where another process removed the socket, and changes
 * whatever file the owner of the directory put there.
 */
function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const mask = process.umask(0o111);
    try {
      server.listen(path, resolve);
    } finally {
      process.umask(mask);
    }
  });
}

/** What cannot be removed counts for nothing: it has no listener. */
function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // another process was faster
  }
}

interface Answer {
  readonly socket: string;
  /** `unsure` where the process was just ending: the next question tells. */
  readonly state: 'held' | 'asked' | 'unsure';
  readonly pid: number;
}

/** @returns `undefined` when no process listens any more */
function ask(place: string, socket: string): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    let text = '';
    let instead: Answer['state'] | 'gone' = 'unsure';
    const connection = connect(`${place}/${socket}`);
    connection.setTimeout(answerMilliseconds, () => {
      instead = 'held';
      connection.destroy();
    });
    connection.setEncoding('latin1').on('data', (chunk) => {
      text += chunk;
    });
    connection.on('error', (error) => {
      if (['ECONNREFUSED', 'ENOENT'].includes(codeOf(error))) instead = 'gone';
      else if (!['ECONNRESET', 'EPIPE'].includes(codeOf(error))) instead = 'held';
    });
    connection.on('close', () => {
      if (instead === 'gone') {
        remove(`${place}/${socket}`);
        return resolve(undefined);
      }
      const [said, pid] = text.split(' ');
      const state = said === 'held' || said === 'asked' ? said : instead;
      resolve({ socket, state, pid: Number(pid) || 0 });
    });
  });
}
