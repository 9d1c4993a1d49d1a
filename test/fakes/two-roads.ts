import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Outcome, run, until } from '../e2e/commands.ts';
import { clone } from '../e2e/stack.ts';
import { shownBy } from './redfish-program.ts';
import { type StackProcess, startUp } from './stack-process.ts';

const program = join(clone, 'dist', 'bmc-certs.js');

export type Road = 'bus' | 'redfish';

/** A running stack, and `bmc-certs` on both roads to it. */
export interface TwoRoads {
  readonly stack: StackProcess;
  readonly url: string;
  /** A file with the password of the operator. */
  readonly password: string;
  /** `HOST:PORT` */
  readonly host: string;
  /** `XDG_STATE_HOME` of the operator, who trusts the service. */
  readonly home: string;
  run(road: Road, words: readonly string[], input?: string): Promise<Outcome>;
  /** Starts a command that goes on. */
  start(road: Road, words: readonly string[]): RunningCommand;
  close(): Promise<void>;
}

export interface RunningCommand {
  output(): string;
  /** Resolves with its exit status. */
  stop(signal: NodeJS.Signals): Promise<number | null>;
}

export async function twoRoads(configuration: object = {}): Promise<TwoRoads> {
  const home = mkdtempSync(join(tmpdir(), 'bmc-roads-'));
  const write = (name: string, text: string) => {
    const path = join(home, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const password = write('password', 'correct horse battery\n');
  const config = write('configuration.json', JSON.stringify(configuration));
  const files = ['--state-dir', join(home, 'state'), '--password-file', password];
  const stack = await startUp([...files, '--config', config]);
  const { url = '', bus = '' } = stack.ready;
  const { host, port } = new URL(url);
  const [fingerprint = ''] = await shownBy({ port: Number(port) });
  const roads: Readonly<Record<Road, readonly string[]>> = {
    bus: ['--bus', bus],
    redfish: ['--url', url, '--user', 'admin', '--user-password-file', password],
  };
  const environment = ['-u', 'BMC_CERTS_URL', '-u', 'BMC_CERTS_USER', `XDG_STATE_HOME=${home}`];
  const line = (road: Road, words: readonly string[]) => [
    ...[...environment, process.execPath, program, ...roads[road], ...words],
  ];
  const world: TwoRoads = {
    stack,
    url,
    password,
    host,
    home,
    run: (road, words, input) => run('/usr/bin/env', line(road, words), input),
    start(road, words) {
      const child = spawn('/usr/bin/env', line(road, words), {
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
      let output = '';
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (chunk) => {
          output += chunk;
        });
      return {
        output: () => output,
        stop(signal) {
          child.kill(signal);
          return ended;
        },
      };
    },
    async close() {
      stack.kill('SIGTERM');
      await stack.ended;
      rmSync(home, { recursive: true, force: true });
    },
  };
  await world.run('redfish', ['list', '--fingerprint', fingerprint]);
  return world;
}

/** Sessions that begin and do not end again would fill the service. */
export async function untilSessionsEnded({ stack }: TwoRoads): Promise<void> {
  const count = (text: string) => stack.output().split(text).length - 1;
  await until('every session ended', () => {
    const begun = count('audit: session begun');
    return begun > 0 && begun === count('audit: session ended');
  });
}
