import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BusCaller, busCaller } from '../../fakes/bus-caller.ts';
import { type ManagerProcess, names, paths, startManager } from '../../fakes/manager-process.ts';
import { type PrivateBus, startPrivateBus } from '../../fakes/private-bus.ts';
import { fingerprintOf, type Issuer, makeIssuer } from '../soak/certificates.ts';

const extension = 'xyz.openbmc_project.Certs.Extension';

/** A manager on a bus of its own, with callers of its endpoints. */
export interface Device {
  readonly bus: PrivateBus;
  readonly issuer: Issuer;
  readonly manager: ManagerProcess;
  /** @returns the fingerprint of what was installed */
  replaceServer(pem?: string): Promise<string>;
  installClient(pem: string): Promise<void>;
  removeClient(): Promise<void>;
  /** @returns PEM */
  request(): Promise<string>;
  /** Outcome and reason for each service of the client endpoint. */
  reloads(): Promise<readonly (readonly [service: string, outcome: string, reason: string])[]>;
  /** Fingerprint of what is on disk. */
  onDisk(file?: string): string;
  /** Names below the directory of an endpoint's requests. */
  requestFiles(): readonly string[];
  /** Starts the manager again, after it ended or was killed. */
  restart(environment?: NodeJS.ProcessEnv): Promise<void>;
  stop(): Promise<void>;
}

export async function startDevice(
  changes: object = {},
  environment: NodeJS.ProcessEnv = {},
): Promise<Device> {
  const bus = await startPrivateBus();
  const issuer = makeIssuer();
  let manager = await startManager(bus, changes, environment);
  let callers = await callersOf(bus.address);
  const content = (pem: string) => [Buffer.from(pem), 'PEM', ''];
  return {
    bus,
    issuer,
    get manager() {
      return manager;
    },
    async replaceServer(pem = issuer.pair().pem) {
      const replace = `${extension}.Replace.Replace`;
      await callers.server.call(`${paths.server}/1`, replace, 'ayss', ...content(pem));
      return fingerprintOf(pem.slice(pem.indexOf('-----BEGIN CERTIFICATE')));
    },
    async installClient(pem) {
      await callers.client.call(
        paths.client,
        `${extension}.Upload.Install`,
        'ayss',
        ...content(pem),
      );
    },
    async removeClient() {
      await callers.client.call(
        `${paths.client}/1`,
        'xyz.openbmc_project.Object.Delete.Delete',
        '',
      );
    },
    async request() {
      const names = ['', 'Town', 'bmc.example.com', '', 'DE', '', '', ''];
      const body = [
        ['bmc.example.com'],
        ...names,
        0n,
        'prime256v1',
        'EC',
        [],
        'Test',
        'Unit',
        'State',
        '',
        '',
      ];
      const method = `${extension}.Request.Generate`;
      return String(
        await callers.client.call(paths.client, method, 'asssssssssxssassssss', ...body),
      );
    },
    async reloads() {
      const get = 'org.freedesktop.DBus.Properties.Get';
      const args = [`${extension}.Reload`, 'Services'];
      const value = await callers.client.call(paths.client, get, 'ss', ...args);
      const rows: [string, string, string][] = Reflect.get(Object(value), 'value');
      return rows.map(([service, outcome, reason]) => [service, outcome, reason] as const);
    },
    onDisk(file = 'https/server.pem') {
      const text = readFileSync(join(bus.directory, file), 'utf8');
      return fingerprintOf(text.slice(text.indexOf('-----BEGIN CERTIFICATE')));
    },
    requestFiles() {
      return readdirSync(join(bus.directory, 'ldap', 'cert.pem.requests'));
    },
    async restart(again = environment) {
      await manager.ended;
      leave(callers);
      manager = await startManager(bus, changes, again);
      callers = await callersOf(bus.address);
    },
    async stop() {
      leave(callers);
      await manager.stop();
      await bus.stop();
    },
  };
}

type Callers = Readonly<Record<'server' | 'client', BusCaller>>;

async function callersOf(address: string): Promise<Callers> {
  const server = await busCaller(address, names.server);
  return { server, client: await busCaller(address, names.client) };
}

function leave({ server, client }: Callers): void {
  server.leave();
  client.leave();
}

/** A program that waits, started with this behaviour towards SIGHUP. */
export async function bystander(trap: 'default' | 'ignored' | 'caught') {
  const traps = {
    default: '',
    ignored: 'trap "" HUP;',
    caught: 'trap "echo told" HUP;',
  };
  // The loop is of short sleeps: a shell runs its traps between commands
  const script = `${traps[trap]} echo ready; for i in $(seq 1000); do sleep 0.05; done`;
  const child = spawn('bash', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'] });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  const ended = once(child, 'exit');
  await once(child.stdout, 'data');
  return {
    pid: child.pid ?? 0,
    output: () => output,
    isAlive: () => child.exitCode === null && child.signalCode === null,
    async stop() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
