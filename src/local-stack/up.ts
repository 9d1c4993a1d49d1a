import { request } from 'node:https';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { reasonOf } from '../core/cert-error.ts';
import type { Log } from '../core/log.ts';
import { SetupError } from '../core/setup-error.ts';
import { writeRuntimeFile } from '../platform/runtime-file.ts';
import { makeOwnedDirectory, openStateDirectory } from '../platform/state-directory.ts';
import { type Claim, claimName } from '../storage/claim-socket.ts';
import { endOrphan, preparePrivateBus } from './bus-daemon.ts';
import { makeConfiguration } from './configuration.ts';
import type { StackOptions } from './options.ts';
import { loginName, preparePassword } from './password.ts';
import {
  type Details,
  type Launch,
  launchBusDaemon,
  launchScript,
  SupervisedProgram,
} from './program.ts';
import type { Welcome } from './welcome.ts';

/** The bus, the manager and the Redfish service of one state directory. */
export interface Stack {
  /**
   * Starts each program when the one before it is ready, and asks the service for its root last.
   * @throws SetupError with one sentence when any of it cannot start
   */
  start(): Promise<Welcome>;
  /** Ends what runs, also in the middle of a start. */
  stop(): Promise<void>;
}

export function makeStack(options: StackOptions, log: Log): Stack {
  const run = join(options.stateDirectory, 'run');
  const programs: SupervisedProgram[] = [];
  let claim: Claim | undefined;
  let isStopping = false;
  const launch: Launcher = (name, how) => {
    if (isStopping) throw new SetupError('The stack is being stopped.');
    const program = new SupervisedProgram(name, how, log);
    programs.push(program);
    return program.start();
  };
  return {
    async start() {
      openStateDirectory(options.stateDirectory);
      makeOwnedDirectory(run, 'directory');
      claim = await claimStack(run);
      return startAll(options, run, launch, log);
    },
    async stop() {
      isStopping = true;
      // The bus last: the others end in order while it is there
      const [bus, ...others] = options.bus === undefined ? programs : [undefined, ...programs];
      await Promise.all(others.map((program) => program?.stop()));
      await bus?.stop();
      claim?.release();
    },
  };
}

type Launcher = (name: string, how: Launch) => Promise<Details>;

async function startAll(
  options: StackOptions,
  run: string,
  launch: Launcher,
  log: Log,
): Promise<Welcome> {
  const { stateDirectory } = options;
  const bus = options.bus ?? (await startPrivateBus(run, launch, log));
  const configuration = makeConfiguration(options, bus);
  await configuration.write();
  makeOwnedDirectory(configuration.parsed.redfish.directory, 'state directory');
  const password = await preparePassword(configuration.parsed, options.passwordFile);
  const script = (name: string) =>
    launchScript(fileURLToPath(new URL(`./${name}.js`, import.meta.url)), [
      '--config',
      configuration.path,
    ]);
  await launch('certificate-manager', script('certificate-manager'));
  if (configuration.parsed.users.source === 'file') {
    await launch('account-manager', script('account-manager'));
  }
  const { port } = await launch('redfish-server', script('redfish-server'));
  const ports = new Map([['redfish', Number(port)]]);
  const edgePlaces: [string, string][] = [];
  for (const { name, program, member } of options.edges) {
    const { address, port: bound } = await launch(program, script(program));
    // An edge that calls others listens nowhere
    if (bound === undefined) continue;
    ports.set(member, Number(bound));
    edgePlaces.push([name, `${inUrl(reachable(String(address)))}:${bound}`]);
  }
  // A port that the system chose must stay the same when the service is started again
  await configuration.write(ports);
  const host = reachable(configuration.parsed.redfish.address);
  const url = `https://${inUrl(host)}:${port}`;
  const fingerprint = await askServiceRoot(host, Number(port));
  const { endpoints, redfish } = configuration.parsed;
  const certificateFile = endpoints.find(
    ({ type, name }) => type === 'server' && name === redfish.endpoint,
  )?.path;
  const user = loginName(configuration.parsed);
  return {
    ...{ url, fingerprint, certificateFile, user, bus, state: stateDirectory, password },
    edges: new Map(edgePlaces),
  };
}

async function startPrivateBus(run: string, launch: Launcher, log: Log): Promise<string> {
  const { address, configurationFile } = preparePrivateBus(run);
  const pidFile = join(run, 'dbus-daemon.pid');
  endOrphan(pidFile, configurationFile);
  // Before there is a daemon that could not be ended later
  writeRuntimeFile(pidFile, '');
  const daemon = launchBusDaemon(configurationFile, log);
  await launch('dbus-daemon', (events) => {
    const child = daemon(events);
    try {
      if (child.pid !== undefined) writeRuntimeFile(pidFile, `${child.pid}`);
    } catch (error) {
      events.fatal(reasonOf(error));
      child.kill('SIGKILL');
    }
    return child;
  });
  return address;
}

/** Two stacks on one state directory would overwrite each other's certificates. */
async function claimStack(run: string): Promise<Claim> {
  const claimed = await claimName(run, 'stack').catch((cause: unknown) => {
    throw new SetupError(`No socket can be made in ${run}: ${reasonOf(cause)}.`, { cause });
  });
  if ('release' in claimed) return claimed;
  const process = claimed.takenBy === 0 ? '' : `, as process ${claimed.takenBy}`;
  throw new SetupError(`A stack with this state directory runs already${process}.`);
}

function inUrl(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

function reachable(address: string): string {
  return address === '0.0.0.0' || address === '::' ? '127.0.0.1' : address;
}

/** @returns the SHA-256 fingerprint of the certificate that the service shows */
function askServiceRoot(host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { host, port, path: '/redfish/v1', rejectUnauthorized: false, agent: false },
      (response) => {
        const { fingerprint256 } = (response.socket as TLSSocket).getPeerCertificate();
        response.resume();
        if (response.statusCode === 200) resolve(fingerprint256);
        else reject(new SetupError(`The Redfish service answers with ${response.statusCode}.`));
      },
    );
    asked.on('error', (cause) => {
      reject(new SetupError(`The Redfish service does not answer: ${cause.message}.`, { cause }));
    });
    asked.end();
  });
}
