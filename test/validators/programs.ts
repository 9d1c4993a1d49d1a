import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Outcome } from '../e2e/commands.ts';
import { clone, type RunningStack } from '../e2e/stack.ts';

const programs = join(clone, '.venv', 'bin');

/** Why tests with these programs are left out, or false when they are installed. */
export const skipUninstalled = existsSync(join(clone, '.venv', '.installed'))
  ? false
  : 'the validators are not installed: npm run validate';

/** Why tests with this one program are left out, or false when it is installed. */
export function skipWithout(program: string): string | false {
  if (existsSync(join(programs, program))) return false;
  return `${program} is not installed: npm run validate`;
}

/** A trust store from the environment overrules what these programs are told about the certificate. */
const unwanted = ['REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE', 'SSL_CERT_FILE'];

interface RunOptions {
  readonly seconds?: number;
  /** Beside the environment of the test. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a program of the Python environment to its end, for no longer than the time. */
export function runProgram(
  name: string,
  args: readonly string[],
  { seconds = 60, env = {} }: RunOptions = {},
): Promise<Outcome> {
  const own = Object.entries(process.env).filter(([key]) => !unwanted.includes(key));
  const options = {
    cwd: clone,
    env: { ...Object.fromEntries(own), ...env },
    timeout: seconds * 1000,
    maxBuffer: 64 * 1024 * 1024,
  };
  return new Promise((resolve) => {
    execFile(join(programs, name), [...args], options, (error, stdout, stderr) => {
      const status = typeof error?.code === 'number' ? error.code : error ? 1 : 0;
      const ending = error?.killed ? `\nended after ${seconds} s` : '';
      resolve({ status, stdout, stderr: `${stderr}${ending}` });
    });
  });
}

/** How most of these programs are told where the service is and who asks. */
export function serviceArguments({ url, password }: RunningStack): string[] {
  return ['-r', url, '-u', 'admin', '-p', password];
}
