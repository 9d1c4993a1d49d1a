import { type ChildProcess, fork } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';

const scriptOf = (program: string) =>
  fileURLToPath(new URL(`../../dist/${program}.js`, import.meta.url));

/** The names under which the three endpoints of OpenBMC are known on the bus. */
export const names = {
  server: 'xyz.openbmc_project.Certs.Manager.Server.Https',
  client: 'xyz.openbmc_project.Certs.Manager.Client.Ldap',
  authority: 'xyz.openbmc_project.Certs.Manager.Authority.Truststore',
};
export const paths = {
  server: '/xyz/openbmc_project/certs/server/https',
  client: '/xyz/openbmc_project/certs/client/ldap',
  authority: '/xyz/openbmc_project/certs/authority/truststore',
};

/** A running certificate-manager as it is built. */
export interface ManagerProcess {
  readonly pid: number;
  /** Its log. */
  output(): string;
  /** Status and signal with which it ended. */
  readonly ended: Promise<Ending>;
  stop(signal?: NodeJS.Signals): Promise<Ending>;
}

export interface Ending {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Place {
  readonly address: string;
  readonly directory: string;
}

export const endpoints = [
  { type: 'server', name: 'https', path: 'https/server.pem', reload: [] },
  { type: 'client', name: 'ldap', path: 'ldap/cert.pem', reload: [] },
  { type: 'authority', name: 'truststore', path: 'authority', reload: [] },
];

/** Starts a manager with OpenBMC's endpoints below a directory and waits until it serves. */
export function startManager(
  place: Place,
  changes: object = {},
  environment: NodeJS.ProcessEnv = {},
): Promise<ManagerProcess> {
  return untilReady(runManager(['--config', writeConfiguration(place, changes)], environment));
}

/** @returns the path of the configuration of `startManager` */
export function writeConfiguration(place: Place, changes: object = {}): string {
  const configuration = {
    stateDirectory: place.directory,
    runtimeDirectory: join(place.directory, 'run'),
    bus: place.address,
    endpoints,
    // On a busy machine, too, the outcome is there when a change is answered
    reload: { replyMilliseconds: 60_000 },
    ...changes,
  };
  const file = join(place.directory, 'manager.json');
  writeFileSync(file, JSON.stringify(configuration, null, 2));
  return file;
}

/** Starts a manager, or a program beside it, with a command line of its own. */
export function runManager(
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
  program: 'certificate-manager' | 'cmp-agent' = 'certificate-manager',
): ManagerProcess & { readonly child: ChildProcess } {
  const child = fork(scriptOf(program), [...args], {
    execArgv: [],
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let text = '';
  child.stdout?.on('data', (chunk) => {
    text += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    text += chunk;
  });
  const ended = new Promise<Ending>((resolve) => {
    child.once('exit', (status, signal) => {
      const streams = [child.stdout, child.stderr].filter((one) => one !== null);
      void Promise.allSettled(streams.map((one) => finished(one))).then(() => {
        resolve({ status, signal });
      });
    });
  });
  return {
    child,
    pid: child.pid ?? 0,
    output: () => text,
    ended,
    stop(signal = 'SIGTERM') {
      child.kill(signal);
      return ended;
    },
  };
}

/** @throws what the manager logged when it ends instead */
export function untilReady<M extends ManagerProcess & { readonly child: ChildProcess }>(
  manager: M,
): Promise<M> {
  return new Promise((resolve, reject) => {
    manager.child.on('message', (message: object) => {
      if ('ready' in message) resolve(manager);
    });
    void manager.ended.then(() => reject(new Error(`it ended: ${manager.output()}`)));
  });
}
