import { spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import { connect } from 'node:net';
import type { Log } from '../../core/log.ts';
import { IdentityError } from '../identity-error.ts';
import {
  type PasswordAnswer,
  type Passwords,
  PasswordsBusy,
  PasswordsUnavailable,
} from './passwords.ts';

export interface PasswordHelperOptions {
  /** The program, or a socket whose other end is one for each connection. */
  readonly path: string;
  /** Milliseconds after which a helper that gave no answer is killed. */
  readonly deadline: number;
  /** How many may wait, the one that is being answered not counted. */
  readonly maxWaiting: number;
  readonly log: Log;
}

/** The most bytes of a password that PAM takes (`PAM_MAX_RESP_SIZE`). */
const longestPassword = 512;

/** Answers as the helper gives them: its exit status, or a line of the socket. */
const answers = { right: 0, wrong: 1, expired: 2, locked: 3, refused: 4 } as const;
type Answer = keyof typeof answers;

/**
 * Passwords behind a separate program, such as one of PAM, one question at a time. It gets the question on
 * standard input alone, never in arguments or environment, which others can read: what to do, the name,
 * the password and the client's address, each ended by NUL. See docs/system-users.md.
 */
export function passwordHelper(options: PasswordHelperOptions): Passwords {
  const { log, path, maxWaiting } = options;
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  const ask = async (fields: readonly string[]): Promise<Answer> => {
    if (waiting > maxWaiting) throw new PasswordsBusy('too many questions wait');
    waiting += 1;
    const turn = last.then(() => answerTo(options, encode(fields)));
    last = turn.catch(() => undefined);
    try {
      return await turn;
    } catch (error) {
      log.error('password helper gave no answer', { path, reason: String(error) });
      throw new PasswordsUnavailable('the password helper gave no answer');
    } finally {
      waiting -= 1;
    }
  };
  return {
    async check(userName, password, clientAddress) {
      if (!canBeAsked(password)) return 'wrong';
      const answer = await ask(['check', userName, password, clientAddress]);
      // Only a change can be refused; a helper that cannot tell lets no user in
      return answer === 'refused' ? 'wrong' : (answer satisfies PasswordAnswer);
    },
    async set(userName, password) {
      const answer = canBeAsked(password) ? await ask(['set', userName, password, '']) : 'refused';
      if (answer === 'right') return;
      const message = 'The system does not take this password';
      throw new IdentityError('password-refused', userName, message);
    },
  };
}

function canBeAsked(password: string): boolean {
  return !password.includes('\0') && Buffer.byteLength(password) <= longestPassword;
}

function encode(fields: readonly string[]): Buffer {
  return Buffer.from(fields.map((field) => `${field.replaceAll('\0', '')}\0`).join(''));
}

async function answerTo(options: PasswordHelperOptions, question: Buffer): Promise<Answer> {
  try {
    const isSocket = statSync(options.path).isSocket();
    const status = await (isSocket ? askSocket : askProgram)(options, question);
    const answer = (Object.keys(answers) as Answer[]).find((one) => answers[one] === status);
    if (!answer) throw new Error(`it ended with ${status}`);
    return answer;
  } finally {
    question.fill(0);
  }
}

/** Its words may quote what it was asked, so they are not read. */
function askProgram(
  { path, deadline }: PasswordHelperOptions,
  question: Buffer,
): Promise<number | NodeJS.Signals> {
  return new Promise((resolve, reject) => {
    const child = spawn(path, [], {
      stdio: ['pipe', 'ignore', 'ignore'],
      env: {},
      cwd: '/',
      // A group of its own, so that what it starts ends with it
      detached: true,
    });
    const timer = setTimeout(() => {
      endGroup(child.pid);
      reject(new Error(`it took longer than ${deadline} ms`));
    }, deadline);
    child.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      resolve(code ?? signal ?? 'SIGKILL');
    });
    // It may end without having read all
    child.stdin.on('error', () => undefined);
    child.stdin.end(question);
  });
}

function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended just now, or runs as another user: its own alarm ends it then
  }
}

function askSocket({ path, deadline }: PasswordHelperOptions, question: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    const end = (settle: () => void) => {
      clearTimeout(timer);
      socket.destroy();
      settle();
    };
    const timer = setTimeout(() => {
      end(() => reject(new Error(`it took longer than ${deadline} ms`)));
    }, deadline);
    let text = '';
    socket.setEncoding('latin1');
    socket.on('data', (more: string) => {
      text = (text + more).slice(0, 16);
    });
    socket.once('error', (error) => end(() => reject(error)));
    socket.once('close', () => {
      end(() => {
        if (/^\d\n$/.test(text)) resolve(Number(text));
        else reject(new Error('it said nothing that is an answer'));
      });
    });
    socket.end(question);
  });
}
