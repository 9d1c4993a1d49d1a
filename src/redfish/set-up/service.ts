import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { reasonOf } from '../../core/cert-error.ts';
import type { Log } from '../../core/log.ts';
import { SetupError } from '../../core/setup-error.ts';
import type { Configuration } from '../../platform/configuration.ts';
import { machineId } from '../../platform/machine-id.ts';
import { connectionsOfAddress } from '../../tls/connection-limits.ts';
import { type AppOptions, makeApp } from '../app.ts';
import { linkIssuers } from '../certificates/certificate-links.ts';
import { collectionsOf } from '../certificates/collections.ts';
import { makeEvents } from '../events/events.ts';
import { listenerLogins } from '../events/listeners.ts';
import { type HttpsOptions, makeServer } from '../http/server.ts';
import { Tasks } from '../tasks/tasks.ts';
import { readWebUi, type WebUi } from '../web-ui/directory.ts';
import { type AccessDependencies, setUpAccess } from './access.ts';
import { openIdentity, servedEndpoint } from './identity.ts';
import {
  bootClock,
  firmwareVersionOf,
  type ManagerDetails,
  openManagerSettings,
} from './manager-details.ts';
import { removeStaleTempFiles } from './remove-stale-temp-files.ts';
import { serviceId } from './service-id.ts';

/** A Redfish service that listens. */
export interface RunningService {
  readonly port: number;
  /**
   * Finds a configuration good that differs in nothing that needs a restart.
   * @returns what puts it in force for the requests to come. @throws SetupError; then nothing changed
   */
  prepare(next: Configuration): () => void;
  close(): Promise<void>;
}

/**
 * Makes the service of its configuration and begins to listen.
 * The files of state must be those of this service alone.
 * @throws SetupError that says what is wrong with the files, the certificate or the port
 */
export async function startService(dependencies: AccessDependencies): Promise<RunningService> {
  const { client, hostName, log } = dependencies;
  let { configuration } = dependencies;
  const { redfish } = configuration;
  const { directory } = redfish;
  await removeStaleTempFiles(directory, log);
  const { identity, served, close: closeIdentity } = await openIdentity(dependencies);
  const endpoints = () => configuration.endpoints;
  const { access, close: closeAccess } = setUpAccess(dependencies, endpoints);
  let known = collectionsOf(redfish.managerId, endpoints());
  const collections = () => known;
  const events = await makeEvents({
    ...{ client, collections, served, log },
    path: join(directory, 'events.json'),
    settings: redfish.events,
    expiryThresholds: configuration.expiry.thresholdDays,
    logins: listenerLogins(access),
  });
  // Every follower of a new name is there by now, and a crash may have come before it had followed
  await access.users.settleRenames?.().catch((error: unknown) => {
    log.error('not all data of a renamed user has the new name yet', { reason: reasonOf(error) });
  });
  const tasks = new Tasks({
    limits: { patience: redfish.tasks.patienceSeconds * 1000, tasks: redfish.tasks.tasks },
    now: Date.now,
    report: (error) => log.error('task failed', { reason: reasonOf(error) }),
  });
  let port = redfish.port;
  const fixed = {
    ...{ client, access, events, served, tasks, hostName },
    certificateLinks: linkIssuers(client, collections),
    now: Date.now,
    expiryThresholds: configuration.expiry.thresholdDays,
    managerId: redfish.managerId,
    serviceId: serviceId(log, machineId()),
    port: () => port,
    tlsProfile: redfish.tls.profile,
    servedEndpoint: redfish.endpoint,
  };
  const details = managerDetails(dependencies);
  const appOptions = ({ redfish }: Configuration, webUi: WebUi | undefined): AppOptions => ({
    ...{ log, webUi },
    limits: { ...redfish.limits, query: redfish.limits },
    parts: {
      ...fixed,
      collections: known,
      compatibility: redfish.compatibility,
      managerDetails: {
        ...details,
        firmwareVersion: redfish.firmwareVersion ?? firmwareVersionOf(),
      },
      query: redfish.limits,
    },
  });
  let webUi = webUiOf(dependencies);
  let app = makeApp(appOptions(configuration, webUi));
  const clientCertificates = access.certificates;
  const server = makeServer(
    { ...serverSettings(configuration), identity, clientCertificates, log },
    { handler: (req, res) => app.handler(req, res), allowedAt: (path) => app.allowedAt(path) },
  );
  port = await listen(server, redfish.address, redfish.port);
  return {
    port,
    prepare(next) {
      const isMoved = servedEndpoint(next).path !== servedEndpoint(configuration).path;
      const isSameUi = isDeepStrictEqual(next.redfish.webUi, configuration.redfish.webUi);
      const nextUi = isSameUi ? webUi : readConfiguredWebUi(next, log);
      return () => {
        if (isMoved) log.warn('the path of the served endpoint counts after a restart');
        configuration = next;
        webUi = nextUi;
        known = collectionsOf(redfish.managerId, next.endpoints);
        app = makeApp(appOptions(next, webUi), app.atWork);
      };
    },
    async close() {
      await closeAccess();
      await closeIdentity();
      await events.close();
      server.close();
      server.closeAllConnections();
    },
  };
}

function managerDetails({
  configuration: { redfish },
  log,
}: AccessDependencies): Omit<ManagerDetails, 'firmwareVersion'> {
  return {
    lastReset: bootClock(Date.now),
    settings: openManagerSettings(join(redfish.directory, 'manager-settings.json'), log),
  };
}

function serverSettings({
  redfish: { limits, tls, clientCertificates },
}: Configuration): Pick<HttpsOptions, 'limits' | 'profile' | 'ticketMilliseconds' | 'handshakes'> {
  return {
    limits: {
      ...limits,
      connectionsPerAddress: connectionsOfAddress(limits.connections, limits.addressPercent),
      requestMilliseconds: limits.requestSeconds * 1000,
      idleMilliseconds: limits.idleSeconds * 1000,
      handshakeMilliseconds: limits.handshakeSeconds * 1000,
      sendMilliseconds: limits.sendSeconds * 1000,
    },
    profile: tls.profile,
    ticketMilliseconds: tls.ticketHours * 3_600_000,
    handshakes: {
      handshakeBytes: clientCertificates.handshakeBytes,
      largeHandshakeBytes: clientCertificates.largeHandshakeBytes,
      suspendMilliseconds: clientCertificates.suspendSeconds * 1000,
      turnMilliseconds: clientCertificates.turnMilliseconds,
      stalledHandshakes: clientCertificates.stalledHandshakes,
      addresses: clientCertificates.rememberedAddresses,
    },
  };
}

/** A damaged web UI must not take the service off the network that could mend it. */
function webUiOf({ configuration, log }: AccessDependencies): WebUi | undefined {
  try {
    return readConfiguredWebUi(configuration, log);
  } catch (error) {
    const { directory = '' } = configuration.redfish.webUi;
    log.error('web UI not served', { directory, reason: reasonOf(error) });
    return undefined;
  }
}

function readConfiguredWebUi({ redfish }: Configuration, log: Log): WebUi | undefined {
  const { directory, files, bytes } = redfish.webUi;
  return directory === undefined ? undefined : readWebUi({ directory, files, bytes }, log);
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
