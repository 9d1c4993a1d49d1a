import { fork } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { must } from '../e2e/commands.ts';
import { accountsAt } from './accounts.ts';

const program = fileURLToPath(new URL('../../dist/redfish-server.js', import.meta.url));

export const password = 'correct-horse-battery';

/** A running redfish-server as it is built. */
export interface RedfishProcess {
  readonly pid: number;
  readonly port: number;
  readonly url: string;
  /** Its log. */
  output(): string;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** Gives a state directory the account `admin`. */
export async function addAdmin(directory: string): Promise<void> {
  const accounts = accountsAt(join(directory, 'accounts', 'accounts.json'));
  await accounts.setPassword('admin', 'Administrator', password);
}

/** Starts a service on the files of a directory and waits until it listens. @throws what it logged instead */
export async function startRedfish(
  directory: string,
  bus: string,
  changes: object = {},
): Promise<RedfishProcess> {
  const configuration = {
    stateDirectory: directory,
    runtimeDirectory: join(directory, 'run'),
    bus,
    endpoints: [
      { type: 'server', name: 'https', path: 'https/server.pem', reload: [] },
      { type: 'client', name: 'ldap', path: 'ldap/cert.pem', reload: [] },
      { type: 'authority', name: 'truststore', path: 'authority', reload: [] },
    ],
    redfish: { address: '127.0.0.1', port: 0, directory: '.' },
    ...changes,
  };
  const file = join(directory, 'redfish.json');
  writeFileSync(file, JSON.stringify(configuration));
  return runRedfish(file);
}

/** Starts a service with a configuration and waits until it listens. @throws what it logged instead */
export async function runRedfish(file: string): Promise<RedfishProcess> {
  const child = fork(program, ['--config', file], {
    execArgv: [],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      text += chunk;
    });
  }
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const port = await new Promise<number>((resolve, reject) => {
    child.on('message', (message: { ready?: { port: number } }) => {
      if (message.ready) resolve(message.ready.port);
    });
    void ended.then(() => reject(new Error(`it ended: ${text}`)));
  });
  return {
    pid: child.pid ?? 0,
    port,
    url: `https://127.0.0.1:${port}`,
    output: () => text,
    stop(signal = 'SIGTERM') {
      child.kill(signal);
      return ended;
    },
  };
}

/** The SHA-256 fingerprints of the certificates that openssl is shown, the leaf first. */
export async function shownBy({ port }: Pick<RedfishProcess, 'port'>): Promise<readonly string[]> {
  const args = ['-connect', `127.0.0.1:${port}`, '-showcerts'];
  const text = await must('openssl', ['s_client', ...args]);
  const pems = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  const lines = pems.map((pem) =>
    must('openssl', ['x509', '-noout', '-fingerprint', '-sha256'], pem),
  );
  return (await Promise.all(lines)).map((line) => line.trim().split('=')[1] ?? '');
}
