import assert from 'node:assert/strict';
import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How long a program may take, which then hangs: somewhat less than the process of a test (scripts/test.mjs). */
export const maxMilliseconds = 1_000_000;

/** Runs a program to its end; a status other than 0 is an outcome like any other. */
export function run(
  command: string,
  args: readonly string[],
  input = '',
  environment: NodeJS.ProcessEnv = {},
): Promise<Outcome> {
  return new Promise((resolve) => {
    const env = { ...process.env, ...environment };
    const options = { maxBuffer: 64 * 1024 * 1024, timeout: maxMilliseconds, env };
    const child = execFile(command, [...args], options, (error, stdout, stderr) => {
      const status = typeof error?.code === 'number' ? error.code : error ? 1 : 0;
      resolve({ status, stdout, stderr });
    });
    // A program that does not read its input may close it early
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}

/** Runs a program that must succeed. @returns its standard output */
export async function must(
  command: string,
  args: readonly string[],
  input = '',
  environment: NodeJS.ProcessEnv = {},
): Promise<string> {
  const { status, stdout, stderr } = await run(command, args, input, environment);
  if (status === 0 && !isBadRequest(command, args, stderr)) return stdout;
  throw new Error(`${command} ${args.join(' ')} ended with ${status}: ${stdout}${stderr}`);
}

/** OpenSSL 3.0 ends with 0 even when the signature of a request is wrong; only its words tell. */
export function isBadRequest(command: string, args: readonly string[], stderr: string): boolean {
  const verifies = command === 'openssl' && args[0] === 'req' && args.includes('-verify');
  return verifies && !stderr.includes('verify OK');
}

/** A program in the background with what it has printed so far. */
export interface Background {
  readonly process: ChildProcessByStdio<Writable, Readable, Readable>;
  output(): string;
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

export function background(command: string, args: readonly string[]): Background {
  const child = spawn(command, [...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
  });
  child.stderr.on('data', (chunk) => {
    text += chunk;
  });
  // Its output may come after its end, and a program that could not be started has no end
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return {
    process: child,
    output: () => text,
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      return ended;
    },
  };
}

/** Sends a signal to a process, unless it has ended in the meantime. */
export function signalIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/**
 * Kills every process whose command line names a file in a directory of the test, and the program if one is given: those of
 * other tests run at the same time. @returns how many there were
 */
export function killProcesses(
  directory: string,
  program = '',
  signal: NodeJS.Signals = 'SIGKILL',
): number {
  assert.ok(directory.startsWith(`${tmpdir()}/`), `${directory} is no directory of one test`);
  const found = readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ');
      return command.includes(`${directory}/`) && command.includes(program);
    } catch {
      // it has ended in the meantime
      return false;
    }
  });
  for (const pid of found) signalIfThere(Number(pid), signal);
  return found.length;
}

/**
 * Waits until something is so. @throws when it is not within the time, which a very busy machine may need: it only says how soon
 * a fault shows, and less is right only where something would come too late
 */
export async function until<T>(
  what: string,
  probe: () => T | undefined | false | Promise<T | undefined | false>,
  milliseconds = 300_000,
): Promise<T> {
  const end = performance.now() + milliseconds;
  for (;;) {
    const found = await probe();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > end) throw new Error(`not within ${milliseconds} ms: ${what}`);
    await sleep(50);
  }
}
