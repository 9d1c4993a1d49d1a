import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { BusCertificateClient } from '../dbus/client.ts';
import { makeDirectory, ownerOnly, writeFileAtomic } from '../durable/atomic-file.ts';
import { reasonOf } from '../manager/errors.ts';
import { type Configuration, readConfiguration, SetupError } from '../platform/configuration.ts';
import { makeLog } from '../platform/log.ts';
import { announceReady, runProgram } from '../platform/process-life.ts';
import { Accounts } from '../redfish/access/accounts.ts';
import { Sessions } from '../redfish/access/sessions.ts';
import { makeApp } from '../redfish/app.ts';
import { followKinship } from '../redfish/certificates/kinship.ts';
import { certificatePlaces } from '../redfish/certificates/places.ts';
import { makeEvents } from '../redfish/events/events.ts';
import { maySubscribe } from '../redfish/events/listeners.ts';
import { makeServer } from '../redfish/https/server.ts';
import { waitForTlsIdentity } from '../redfish/https/tls-identity.ts';
import { Tasks } from '../redfish/tasks/tasks.ts';

const log = makeLog('redfish-server');

/** How long the manager may take to make the first certificate. */
const certificateWaitMilliseconds = 60_000;

await runProgram(log, async () => {
  const { values } = parseArgs({ options: { config: { type: 'string' } } });
  if (values.config === undefined) throw new SetupError('Give --config FILE.');
  const configuration = readConfiguration(values.config);
  const { redfish, stateDirectory, runtimeDirectory } = configuration;
  const accounts = new Accounts(join(stateDirectory, 'accounts.json'), redfish.limits.queuedLogins);
  if (accounts.isEmpty) log.warn('there is no account, so nobody can log in');
  const client = new BusCertificateClient({
    busAddress: configuration.bus,
    requestTimeout: (configuration.limits.requestSeconds + 5) * 1000,
    log,
  });
  await client.start();
  const places = certificatePlaces(redfish.managerId, configuration.endpoints);
  let port = redfish.port;
  const sessions = new Sessions({
    sessions: redfish.limits.sessions,
    idleMilliseconds: redfish.limits.sessionSeconds * 1000,
  });
  const events = await makeEvents({
    ...{ client, places, log },
    path: join(stateDirectory, 'events.json'),
    settings: redfish.events,
    mayListen: maySubscribe(accounts, sessions),
  });
  const app = makeApp({
    log,
    bodyBytes: redfish.limits.bodyBytes,
    parts: {
      client,
      accounts,
      sessions,
      events,
      places,
      kinship: followKinship(client, places),
      tasks: new Tasks({
        limits: { patience: redfish.tasks.patienceSeconds * 1000, tasks: redfish.tasks.tasks },
        now: Date.now,
        report: (error) => log.error('task failed', { reason: reasonOf(error) }),
      }),
      compatibility: redfish.compatibility,
      now: Date.now,
      expiryThresholds: configuration.expiry.thresholdDays,
      hostName: hostname,
      managerId: redfish.managerId,
      sessionSeconds: redfish.limits.sessionSeconds,
      serviceId: await readServiceId(join(stateDirectory, 'service-id')),
      port: () => port,
    },
  });
  const certificatePath = await certificateOf(configuration);
  const { headerBytes, connections, requestSeconds, idleSeconds, handshakeSeconds } =
    redfish.limits;
  const limits = {
    headerBytes,
    connections,
    requestMilliseconds: requestSeconds * 1000,
    idleMilliseconds: idleSeconds * 1000,
    handshakeMilliseconds: handshakeSeconds * 1000,
  };
  const server = makeServer({ certificatePath, limits, log }, app);
  port = await listen(server, redfish.address, redfish.port);
  const pidFile = join(runtimeDirectory, 'redfish.pid');
  mkdirSync(runtimeDirectory, { recursive: true, mode: 0o700 });
  writeFileSync(pidFile, `${process.pid}\n`);
  // Connections look at the certificate file themselves; the signal must only not end the process
  process.on('SIGHUP', () => log.info('reload asked for'));
  log.info('Redfish service ready', { address: redfish.address, port });
  announceReady({ port });
  return async () => {
    rmSync(pidFile, { force: true });
    events.close();
    client.close();
    server.close();
    server.closeAllConnections();
  };
});

/** The id of the service outlives it: clients know a device by it (DSP0266, "UUID"). */
async function readServiceId(path: string): Promise<string> {
  if (existsSync(path)) return readFileSync(path, 'utf8').trim();
  const id = randomUUID();
  await makeDirectory(dirname(path), ownerOnly);
  await writeFileAtomic(path, `${id}\n`, ownerOnly);
  return id;
}

async function certificateOf({ endpoints, redfish }: Configuration): Promise<string> {
  const endpoint = endpoints.find(
    ({ type, name }) => type === 'server' && name === redfish.endpoint,
  );
  if (!endpoint) {
    throw new SetupError(
      `The configuration has no server endpoint ${redfish.endpoint} for /redfish/endpoint.`,
    );
  }
  await waitForTlsIdentity(endpoint.path, certificateWaitMilliseconds).catch((cause: unknown) => {
    throw new SetupError(`There is no certificate to serve at ${endpoint.path}.`, { cause });
  });
  return endpoint.path;
}

function listen(
  server: ReturnType<typeof makeServer>,
  host: string,
  port: number,
): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'is taken' : `cannot be used (${error.code})`;
      reject(new SetupError(`The port ${port} on ${host} ${why}.`));
    });
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });
}
