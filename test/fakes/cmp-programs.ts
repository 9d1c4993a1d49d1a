import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A CA that speaks CMP, of another implementation, in a process of its own. */
export interface CmpProgram {
  readonly port: number;
  /** PEM file. */
  readonly certificate: string;
  readonly passwordFile: string;
  /** What it said of the requests so far. */
  readonly lines: readonly string[];
  stop(): Promise<void>;
}

const source = fileURLToPath(new URL('../interop/cmp/CmpAuthority.java', import.meta.url));
const jars = ['bcpkix', 'bcprov', 'bcutil'].map((name) => `/usr/share/java/${name}.jar`);

/**
 * The CA of BouncyCastle.
 * @param lifetime of its certificates in seconds
 * @param within the beginning of a command line that runs it elsewhere, such as in another network
 */
export async function bouncyCastleAuthority(
  lifetime: number,
  within: readonly string[] = [],
): Promise<CmpProgram> {
  const directory = mkdtempSync(join(tmpdir(), 'bmc-bouncycastle-'));
  const certificate = join(directory, 'ca.pem');
  const passwordFile = join(directory, 'password');
  writeFileSync(passwordFile, 'pässword of the end entity\n', { mode: 0o600 });
  const path = [...jars, directory].join(':');
  const compiled = spawnSync('javac', ['-cp', path, '-d', directory, source], { encoding: 'utf8' });
  if (compiled.status !== 0) throw new Error(compiled.stderr);
  const options = ['-Xshare:auto', '-Xmx64m', '-Dfile.encoding=UTF-8', '-cp', path];
  const java = ['java', ...options, 'CmpAuthority', certificate, passwordFile, `${lifetime}`];
  const [program = '', ...args] = [...within, ...java];
  const child = spawn(program, args);
  const { lines, first } = linesOf(child);
  const port = Number((await first).replace('port ', ''));
  return {
    ...{ port, certificate, passwordFile, lines },
    async stop() {
      await ended(child);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export function pemOf(path: string): string {
  return readFileSync(path, 'utf8');
}

function linesOf(child: ChildProcess) {
  const lines: string[] = [];
  let complaints = '';
  child.stderr?.on('data', (chunk) => {
    complaints += chunk;
  });
  const first = new Promise<string>((resolve, reject) => {
    if (!child.stdout) return reject(new Error('no output'));
    createInterface(child.stdout).on('line', (line) => {
      lines.push(line);
      resolve(line);
    });
    child.once('exit', () => reject(new Error(`the CA ended: ${complaints}`)));
  });
  return { lines, first };
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    if (child.exitCode !== null || !child.kill('SIGKILL')) resolve();
  });
}
