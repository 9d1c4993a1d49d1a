import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { BusCertificateClient } from '../dbus/client.ts';
import { BusSystemUsers } from '../dbus/user-manager.ts';
import { makeDirectory, ownerOnly, writeFileAtomic } from '../durable/atomic-file.ts';
import { reasonOf } from '../manager/errors.ts';
import { type Configuration, readConfiguration, SetupError } from '../platform/configuration.ts';
import { makeLog } from '../platform/log.ts';
import { announceReady, runProgram } from '../platform/process-life.ts';
import type { SystemUsers } from '../platform/system-users.ts';
import { type Access, makeAccess } from '../redfish/access/access.ts';
import { AccessSettings } from '../redfish/access/access-settings.ts';
import { Accounts } from '../redfish/access/accounts.ts';
import { passwordHelper } from '../redfish/access/password-helper.ts';
import { SessionFile } from '../redfish/access/session-file.ts';
import type { Sessions } from '../redfish/access/sessions.ts';
import type { UserDirectory } from '../redfish/access/user-directory.ts';
import { UserSource } from '../redfish/access/user-source.ts';
import { makeApp } from '../redfish/app.ts';
import { followKinship } from '../redfish/certificates/kinship.ts';
import { certificatePlaces } from '../redfish/certificates/places.ts';
import { ClientCertificates } from '../redfish/client-certificates/client-certificates.ts';
import { SettingsFile } from '../redfish/client-certificates/settings.ts';
import type { TrustEndpoints } from '../redfish/client-certificates/trust.ts';
import { makeEvents } from '../redfish/events/events.ts';
import { listenerLogins } from '../redfish/events/listeners.ts';
import { makeServer } from '../redfish/https/server.ts';
import { waitForTlsIdentity } from '../redfish/https/tls-identity.ts';
import { Tasks } from '../redfish/tasks/tasks.ts';
import { readWebUi } from '../redfish/web-ui/directory.ts';

const log = makeLog('redfish-server');

/** How long the manager may take to make the first certificate. */
const certificateWaitMilliseconds = 60_000;

await runProgram(log, async () => {
  const { values } = parseArgs({ options: { config: { type: 'string' } } });
  if (values.config === undefined) throw new SetupError('Give --config FILE.');
  const configuration = readConfiguration(values.config);
  const { redfish, stateDirectory, runtimeDirectory } = configuration;
  const accounts = new Accounts(join(stateDirectory, 'accounts.json'), redfish.limits.accounts);
  const client = new BusCertificateClient({
    busAddress: configuration.bus,
    requestTimeout: (configuration.limits.requestSeconds + 5) * 1000,
    log,
  });
  await client.start();
  const systemUsers = new BusSystemUsers({ busAddress: configuration.bus, log });
  if (redfish.users.source !== 'file') await systemUsers.start();
  const users = userSource(configuration, accounts, systemUsers);
  if (accounts.isEmpty && users.isFile) log.warn('there is no account, so nobody can log in');
  const places = certificatePlaces(redfish.managerId, configuration.endpoints);
  const clientCertificates = new ClientCertificates({
    client,
    endpoints: trustEndpoints(configuration),
    settings: new SettingsFile(join(stateDirectory, 'client-certificates.json')),
    findUser: async (userName) => {
      const user = await users.find(userName);
      return user?.enabled && !user.locked ? user : undefined;
    },
    hostName: hostname,
    now: () => Date.now(),
    limits: redfish.clientCertificates,
    alwaysRespond: redfish.clientCertificates.alwaysRespond,
    log,
  });
  const access = { ...accessOf(configuration, users), certificates: clientCertificates };
  const stopSessions = keepSessions(configuration, access.sessions);
  users.onSwitch(() => access.sessions.endAll());
  if (redfish.clientCertificates.alwaysRespond) {
    log.warn('clients without a certificate are served whatever AccountService says');
  }
  let port = redfish.port;
  const events = await makeEvents({
    ...{ client, places, log },
    path: join(stateDirectory, 'events.json'),
    settings: redfish.events,
    logins: listenerLogins(access),
  });
  const app = makeApp({
    log,
    limits: { ...redfish.limits, query: redfish.limits },
    webUi: webUiOf(configuration),
    parts: {
      client,
      access,
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
      serviceId: await readServiceId(join(stateDirectory, 'service-id')),
      port: () => port,
      tlsProfile: redfish.tls.profile,
      query: redfish.limits,
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
  const server = makeServer(
    {
      certificatePath,
      limits,
      profile: redfish.tls.profile,
      ticketMilliseconds: redfish.tls.ticketHours * 3_600_000,
      clientCertificates,
      log,
    },
    app,
  );
  port = await listen(server, redfish.address, redfish.port);
  const pidFile = join(runtimeDirectory, 'redfish.pid');
  mkdirSync(runtimeDirectory, { recursive: true, mode: 0o700 });
  writeFileSync(pidFile, `${process.pid}\n`);
  // Connections look at the certificate file themselves; the signal must only not end the process
  process.on('SIGHUP', () => log.info('reload asked for'));
  log.info('Redfish service ready', { address: redfish.address, port });
  announceReady({ port });
  return async () => {
    await stopSessions();
    rmSync(pidFile, { force: true });
    events.close();
    client.close();
    systemUsers.close();
    server.close();
    server.closeAllConnections();
  };
});

function userSource(
  { redfish, stateDirectory }: Configuration,
  accounts: Accounts,
  users: SystemUsers,
): UserSource {
  const { source, passwordHelper: path, passwordHelperSeconds } = redfish.users;
  const helper = {
    deadline: passwordHelperSeconds * 1000,
    mostWaiting: redfish.limits.queuedLogins,
  };
  return new UserSource({
    source,
    accounts,
    users,
    passwords: path === undefined ? undefined : passwordHelper({ path, ...helper, log }),
    recordPath: join(stateDirectory, 'users-source'),
    log,
  });
}

function accessOf({ redfish, stateDirectory }: Configuration, users: UserDirectory): Access {
  const { limits, accountPolicy } = redfish;
  const settings = new AccessSettings(join(stateDirectory, 'access-settings.json'), {
    ...accountPolicy,
    lockoutResetEnabled: true,
    basicAuth: 'Enabled',
    sessionSeconds: limits.sessionSeconds,
  });
  const failedLogins = { entries: limits.failedLogins, perAddress: limits.failuresPerAddress };
  return makeAccess(users, settings, { ...limits, failedLogins });
}

/** Ends idle sessions in time for those who watch, and keeps sessions where that is wanted. */
function keepSessions(
  { redfish, stateDirectory }: Configuration,
  sessions: Sessions,
): () => Promise<void> {
  const path = join(stateDirectory, 'sessions.json');
  const file = redfish.sessions.persist ? new SessionFile(path, sessions) : undefined;
  if (file) file.load();
  else rmSync(path, { force: true });
  const note = (error: unknown) => {
    log.error('the sessions could not be kept', { reason: String(error) });
  };
  // A session that was ended must not come back after a crash
  let soon: NodeJS.Timeout | undefined;
  sessions.onEnd(() => {
    soon ??= setTimeout(() => {
      soon = undefined;
      file?.save().catch(note);
    }, 1000).unref();
  });
  const period = redfish.limits.sessionWriteSeconds * 1000;
  const timer = setInterval(() => {
    sessions.endIdle();
    file?.save().catch(note);
  }, period).unref();
  return async () => {
    clearInterval(timer);
    clearTimeout(soon);
    await file?.save().catch(note);
  };
}

/** The id of the service outlives it: clients know a device by it (DSP0266, "UUID"). */
async function readServiceId(path: string): Promise<string> {
  if (existsSync(path)) return readFileSync(path, 'utf8').trim();
  const id = randomUUID();
  await makeDirectory(dirname(path), ownerOnly);
  await writeFileAtomic(path, `${id}\n`, ownerOnly);
  return id;
}

/** The list of revoked certificates counts from the moment that the configuration has it. */
function trustEndpoints({ endpoints }: Configuration): TrustEndpoints {
  const revoked = { type: 'authority', name: 'revoked' } as const;
  const isThere = endpoints.some(
    ({ type, name }) => type === revoked.type && name === revoked.name,
  );
  return { truststore: { type: 'authority', name: 'truststore' }, ...(isThere && { revoked }) };
}

function webUiOf({ redfish: { webUi } }: Configuration) {
  const { directory, files, bytes } = webUi;
  return directory === undefined ? undefined : readWebUi({ directory, files, bytes }, log);
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
  const { profile } = redfish.tls;
  await waitForTlsIdentity(endpoint.path, profile, certificateWaitMilliseconds).catch(
    (cause: unknown) => {
      throw new SetupError(`There is no certificate to serve at ${endpoint.path}.`, { cause });
    },
  );
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
