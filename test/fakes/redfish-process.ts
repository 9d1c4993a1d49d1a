import { spawn } from 'node:child_process';
import { chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generateCertificate } from '../../src/manager/credential/generated-certificate.ts';
import { exportPrivateKey } from '../../src/x509/keys.ts';
import { type Outcome, run } from '../e2e/commands.ts';
import { startAccountManager } from './account-manager.ts';
import type { PrivateBus } from './private-bus.ts';

const built = (name: string) => fileURLToPath(new URL(`../../dist/${name}`, import.meta.url));

/** The command line that runs the rest as a user without privileges. */
export const asNobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];

/** The Redfish service as it is built, on a state directory of its own, without a manager. */
export interface RedfishFiles {
  readonly state: string;
  /** The file of accounts. */
  readonly accounts: string;
  readonly configuration: string;
  /** The file of the certificate that the service shows. */
  readonly certificate: string;
  readonly runtime: string;
  /** Starts the service with its account manager and waits until it listens. @throws what it printed instead */
  start(): Promise<RedfishProcess>;
  /** Runs `bmc-certs`, as another user where a command line for that is given. */
  bmcCerts(args: readonly string[], input?: string, as?: readonly string[]): Promise<Outcome>;
  setPassword(password: string): Promise<Outcome>;
}

export interface RedfishProcess {
  readonly url: string;
  /** The status of a login with name and password. */
  login(userName: string, password: string): Promise<string>;
  stop(): Promise<void>;
}

/** @param as the command line that runs the service as another user, to whom the files then belong */
export function redfishFiles(
  bus: PrivateBus,
  users: object = {},
  as: readonly string[] = [],
): RedfishFiles {
  const state = join(bus.directory, 'state');
  const runtime = join(bus.directory, 'run');
  const path = join(bus.directory, 'server.pem');
  const { key, leaf } = generateCertificate(
    { hostName: 'bmc', addresses: [] },
    { validDays: 5, renewBeforeDays: 1, curve: 'prime256v1', organization: 'x' },
    Date.now(),
  );
  writeFileSync(path, exportPrivateKey(key) + leaf.pem);
  for (const directory of [state, runtime]) mkdirSync(directory, { recursive: true, mode: 0o700 });
  if (as.length > 0) for (const one of [state, runtime, path]) chownSync(one, 65534, 65534);
  const configuration = join(bus.directory, 'redfish.json');
  const document = {
    stateDirectory: state,
    runtimeDirectory: runtime,
    bus: bus.address,
    endpoints: [
      { type: 'server', name: 'https', path, reload: [] },
      { type: 'client', name: 'ldap', path: 'ldap/cert.pem', reload: [] },
      { type: 'authority', name: 'truststore', path: 'authority', reload: [] },
    ],
    redfish: { address: '127.0.0.1', port: 0, directory: '.' },
    users,
  };
  writeFileSync(configuration, JSON.stringify(document));
  const bmcCerts: RedfishFiles['bmcCerts'] = (args, input = '', who = []) =>
    run('/usr/bin/env', [...who, process.execPath, built('bmc-certs.js'), ...args], input);
  return {
    state,
    accounts: join(state, 'accounts', 'accounts.json'),
    configuration,
    certificate: path,
    runtime,
    async start() {
      const accounts = await startAccountManager(configuration, as);
      const command = [process.execPath, built('redfish-server.js'), '--config', configuration];
      const service = await startProcess([...as, ...command]);
      return {
        ...service,
        async stop() {
          await service.stop();
          await accounts.stop();
        },
      };
    },
    bmcCerts,
    setPassword(password) {
      const file = join(bus.directory, 'password');
      writeFileSync(file, `${password}\n`);
      return bmcCerts(['set-password', '--config', configuration, '--password-file', file]);
    },
  };
}

async function startProcess(command: readonly string[]): Promise<RedfishProcess> {
  const child = spawn('/usr/bin/env', [...command], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  let output = '';
  const port = await new Promise<string>((resolve, reject) => {
    const collect = (chunk: Buffer) => {
      output += chunk;
      const found = /Redfish service ready .*port=(\d+)/.exec(output)?.[1];
      if (found !== undefined) resolve(found);
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    void ended.then(() => reject(new Error(`it ended: ${output}`)));
  });
  const url = `https://127.0.0.1:${port}`;
  return {
    url,
    async login(UserName, Password) {
      const body = JSON.stringify({ UserName, Password });
      const options = ['-sko', '/dev/null', '-w', '%{http_code}', '--json', body];
      return (await run('curl', [...options, `${url}/redfish/v1/SessionService/Sessions`])).stdout;
    },
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** The accounts as they stand in the file. */
export function storedAccounts({ accounts }: Pick<RedfishFiles, 'accounts'>): readonly {
  readonly userName: string;
  readonly [member: string]: unknown;
}[] {
  return JSON.parse(readFileSync(accounts, 'utf8')).accounts;
}
