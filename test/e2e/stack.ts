import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const clone = fileURLToPath(new URL('../..', import.meta.url));

/** A local stack as `npm start` runs it. */
export interface RunningStack {
  readonly url: string;
  readonly bus: string;
  readonly state: string;
  readonly password: string;
  /** Everything that it printed. */
  output(): string;
  /** @returns its exit status */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

export function temporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'bmc-certs-'));
}

export function removeDirectory(path: string): void {
  rmSync(path, { recursive: true, force: true });
}

/**
 * A CSR that takes long becomes a task, as any does on a busy machine; the tests want it in the answer.
 * @returns the path of the configuration of `--config`, if there is one, with as much patience as there can be
 */
function patientConfiguration(state: string, args: readonly string[]): string {
  const given = args[args.indexOf('--config') + 1];
  const { redfish = {}, ...others } = args.includes('--config')
    ? JSON.parse(readFileSync(given ?? '', 'utf8'))
    : {};
  const path = join(state, 'patient.json');
  const tasks = { patienceSeconds: 300, ...redfish.tasks };
  writeFileSync(path, JSON.stringify({ ...others, redfish: { ...redfish, tasks } }));
  return path;
}

/** Starts the stack on a free port and waits for its ready line. @throws what it printed instead */
export async function startStack(
  state: string,
  args: readonly string[] = [],
): Promise<RunningStack> {
  const password = 'correct-horse-battery';
  const passwordFile = join(state, 'password');
  writeFileSync(passwordFile, `${password}\n`);
  const place = ['--state-dir', state, '--https-port', '0', '--password-file', passwordFile];
  const all = [...place, ...args, '--config', patientConfiguration(state, args)];
  const child = spawn('npm', ['start', '--', ...all], { cwd: clone });
  let output = '';
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const ready = await new Promise<Record<string, string>>((resolve, reject) => {
    const collect = (chunk: Buffer) => {
      output += chunk.toString();
      const line = /^ready (.*)\n/m.exec(output)?.[1];
      if (line !== undefined) {
        resolve(Object.fromEntries(line.split(' ').map((field) => field.split(/=(.*)/s, 2))));
      }
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    void ended.then((status) => reject(new Error(`ended with ${status}: ${output}`)));
  });
  return {
    url: ready.url ?? '',
    bus: ready.bus ?? '',
    state: ready.state ?? '',
    password,
    output: () => output,
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      return ended;
    },
  };
}
