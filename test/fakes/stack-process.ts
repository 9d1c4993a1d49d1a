import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after } from 'node:test';
import { run, signalIfThere } from '../e2e/commands.ts';
import { clone, removeDirectory, temporaryDirectory } from '../e2e/stack.ts';

const script = join(clone, 'dist', 'bmc-certs.js');

export interface StackOutcome {
  readonly status: number;
  readonly stdout: string;
  /** Lines of standard error; the last one says why the stack could not start. */
  readonly lines: readonly string[];
}

/** A directory for the stacks of a suite, of whose programs and files nothing is left after it. */
export function stackDirectory(): string {
  const directory = temporaryDirectory();
  after(() => {
    for (const pid of processesWith(directory).keys()) signalIfThere(pid, 'SIGKILL');
    removeDirectory(directory);
  });
  return directory;
}

/** Runs `bmc-certs up`, which is expected to end by itself. */
export async function runUp(
  args: readonly string[],
  environment: readonly string[] = [],
): Promise<StackOutcome> {
  const { status, stdout, stderr } = await run('/usr/bin/env', [
    ...[...environment, process.execPath, script, 'up', ...args],
  ]);
  return { status, stdout, lines: stderr.trimEnd().split('\n') };
}

export interface StackProcess {
  readonly pid: number;
  /** The fields of its ready line. */
  readonly ready: Readonly<Record<string, string>>;
  output(): string;
  readonly ended: Promise<number | null>;
  kill(signal: NodeJS.Signals): void;
}

export interface StackPlace {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** Starts `bmc-certs up` without waiting for anything. */
export function launchUp(args: readonly string[], place: StackPlace = {}) {
  const child = spawn(process.execPath, [script, 'up', '--https-port', '0', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...place,
  });
  let output = '';
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const ready = new Promise<Readonly<Record<string, string>>>((resolve, reject) => {
    const collect = (chunk: Buffer) => {
      output += chunk.toString();
      const line = /^ready (.*)\n/m.exec(output)?.[1];
      if (line !== undefined) resolve(parseFields(line));
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    void ended.then((status) => reject(new Error(`ended with ${status}: ${output}`)));
  });
  // Not every test waits for it
  ready.catch(() => undefined);
  return {
    pid: child.pid ?? 0,
    output: () => output,
    ended,
    untilReady: () => ready,
    kill: (signal: NodeJS.Signals) => void child.kill(signal),
  };
}

/** Starts `bmc-certs up` and waits for its ready line. @throws what it printed instead */
export async function startUp(
  args: readonly string[],
  place: StackPlace = {},
): Promise<StackProcess> {
  const stack = launchUp(args, place);
  return { ...stack, ready: await stack.untilReady() };
}

/** The command lines, by process id, of all that runs with this text in its arguments. */
export function processesWith(text: string): ReadonlyMap<number, string> {
  const found = new Map<number, string>();
  for (const name of readdirSync('/proc').filter((one) => /^\d+$/.test(one))) {
    const command = readCommand(name);
    if (command.includes(text) && Number(name) !== process.pid) found.set(Number(name), command);
  }
  return found;
}

function readCommand(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

/** Values may hold spaces: a field begins with its name and `=`. */
function parseFields(line: string): Readonly<Record<string, string>> {
  const fields = line.split(/ (?=\w+=)/).map((field) => field.split(/=(.*)/s, 2));
  return Object.fromEntries(fields);
}
