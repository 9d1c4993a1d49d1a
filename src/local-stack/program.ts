import { type ChildProcess, fork, type StdioOptions, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { backoff } from '../core/backoff.ts';
import type { Log } from '../core/log.ts';
import { SetupError } from '../core/setup-error.ts';
import { debuggerNowhere } from '../platform/debug-signal.ts';
import type { ProgramMessage } from '../platform/process-life.ts';

/** What a program said when it was ready. */
export type Details = Readonly<Record<string, string | number>>;

/** Starts one process of a program and reports about it. */
export type Launch = (events: {
  ready: (details: Details) => void;
  fatal: (sentence: string) => void;
}) => ChildProcess;

/** After this time of running a program's next failure counts as its first. */
const settledMilliseconds = 30_000;
const killMilliseconds = 5_000;

/** A program of the stack that is started again when it ends by itself. */
export class SupervisedProgram {
  readonly #name: string;
  readonly #launch: Launch;
  readonly #log: Log;
  #process: ChildProcess | undefined;
  #stopping = false;
  #restart: NodeJS.Timeout | undefined;
  #pauses = backoff(250, 10_000);

  constructor(name: string, launch: Launch, log: Log) {
    this.#name = name;
    this.#launch = launch;
    this.#log = log;
  }

  /** Resolves when the program is ready for the first time. @throws SetupError when it cannot start */
  start(): Promise<Details> {
    return new Promise((resolve, reject) => {
      let ready = false;
      const begin = () => {
        const began = performance.now();
        let reason: string | undefined;
        const child = this.#launch({
          ready: (details) => {
            ready = true;
            resolve(details);
          },
          fatal: (sentence) => {
            reason = sentence;
          },
        });
        this.#process = child;
        let ended = false;
        const onEnd = (how: string) => {
          if (ended) return;
          ended = true;
          this.#process = undefined;
          if (this.#stopping) return;
          if (!ready) return reject(new SetupError(reason ?? `${this.#name} ended with ${how}.`));
          if (performance.now() - began > settledMilliseconds) this.#pauses = backoff(250, 10_000);
          const pause = this.#pauses.next().value;
          const program = this.#name;
          this.#log.warn('program ended, starting it again', { program, how, pause });
          this.#restart = setTimeout(begin, pause);
        };
        child.once('exit', (status, signal) => onEnd(signal ?? `status ${status}`));
        child.once('error', (error) => onEnd(error.message));
      };
      begin();
    });
  }

  /** Ends the program, by force when it does not heed SIGTERM. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#restart);
    const child = this.#process;
    if (!child) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => child.kill('SIGKILL'), killMilliseconds);
      child.once('exit', () => {
        clearTimeout(timer);
        killGroup(child.pid);
        resolve();
      });
      child.kill('SIGTERM');
    });
  }
}

/** What a program that was killed could not end itself: each program leads a process group. */
function killGroup(leader: number | undefined): void {
  try {
    if (leader !== undefined) process.kill(-leader, 'SIGKILL');
  } catch {
    // the group has no process left
  }
}

/**
 * As the units start them: few young objects, and what V8 compiled the program in and the 16 MiB of each password check go
 * back to the system, which glibc would else keep for every thread (mallopt(3), M_MMAP_THRESHOLD).
 */
const frugal = {
  execArgv: ['--max-semi-space-size=1', debuggerNowhere],
  env: { ...process.env, MALLOC_MMAP_THRESHOLD_: '131072' },
};

/** One of our own programs, which tells over its channel that it is ready. */
export function launchScript(script: string, args: readonly string[]): Launch {
  return ({ ready, fatal }) => {
    // A process group of its own: Ctrl-C must reach the stack alone, which ends the others in order
    const stdio: StdioOptions = ['ignore', 2, 2, 'ipc'];
    const child = fork(script, [...args], { detached: true, stdio, ...frugal });
    child.on('message', (message: ProgramMessage) => {
      if ('ready' in message) ready(message.ready);
      else fatal(message.fatal);
    });
    return child;
  };
}

/** A dbus-daemon, which prints its address when it listens. */
export function launchBusDaemon(configurationFile: string, log: Log): Launch {
  return ({ ready, fatal }) => {
    const args = [
      `--config-file=${configurationFile}`,
      '--nofork',
      '--nopidfile',
      '--print-address',
    ];
    const child = spawn('dbus-daemon', args, {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.once('error', () => {
      fatal('The program dbus-daemon is missing; install it with: apt-get install dbus');
    });
    createInterface({ input: child.stdout }).once('line', (address) => ready({ address }));
    createInterface({ input: child.stderr }).on('line', (line) => {
      log.debug('dbus-daemon', { line });
      fatal(`dbus-daemon: ${line}`);
    });
    return child;
  };
}
