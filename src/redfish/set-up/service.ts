import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { reasonOf } from '../../core/cert-error.ts';
import { SetupError } from '../../core/setup-error.ts';
import type { Configuration } from '../../platform/configuration.ts';
import { machineId } from '../../platform/machine-id.ts';
import { connectionsOfAddress } from '../../tls/connection-limits.ts';
import { makeApp } from '../app.ts';
import { linkIssuers } from '../certificates/certificate-links.ts';
import { collectionsOf } from '../certificates/collections.ts';
import { makeEvents } from '../events/events.ts';
import { listenerLogins } from '../events/listeners.ts';
import { type HttpsOptions, makeServer } from '../http/server.ts';
import { Tasks } from '../tasks/tasks.ts';
import { readWebUi } from '../web-ui/directory.ts';
import { type AccessDependencies, setUpAccess } from './access.ts';
import { openIdentity } from './identity.ts';
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
  close(): Promise<void>;
}

/**
 * Makes the service of its configuration and begins to listen.
 * The files of state must be those of this service alone.
 * @throws SetupError that says what is wrong with the files, the certificate or the port
 */
export async function startService(dependencies: AccessDependencies): Promise<RunningService> {
  const { configuration, client, hostName, log } = dependencies;
  const { redfish, stateDirectory } = configuration;
  await removeStaleTempFiles(stateDirectory, log);
  const { identity, served, close: closeIdentity } = await openIdentity(dependencies);
  const { access, close: closeAccess } = setUpAccess(dependencies);
  const collections = collectionsOf(redfish.managerId, configuration.endpoints);
  const events = await makeEvents({
    ...{ client, collections, served, log },
    path: join(stateDirectory, 'events.json'),
    settings: redfish.events,
    expiryThresholds: configuration.expiry.thresholdDays,
    logins: listenerLogins(access),
  });
  // Every follower of a new name is there by now, and a crash may have come before it had followed
  await access.users.settleRenames?.().catch((error: unknown) => {
    log.error('not everything of a user follows his new name yet', { reason: reasonOf(error) });
  });
  const tasks = new Tasks({
    limits: { patience: redfish.tasks.patienceSeconds * 1000, tasks: redfish.tasks.tasks },
    now: Date.now,
    report: (error) => log.error('task failed', { reason: reasonOf(error) }),
  });
  let port = redfish.port;
  const app = makeApp({
    log,
    limits: { ...redfish.limits, query: redfish.limits },
    webUi: webUiOf(dependencies),
    parts: {
      ...{ client, access, events, collections, served, tasks, hostName },
      certificateLinks: linkIssuers(client, collections),
      compatibility: redfish.compatibility,
      now: Date.now,
      expiryThresholds: configuration.expiry.thresholdDays,
      managerId: redfish.managerId,
      managerDetails: managerDetails(dependencies),
      serviceId: serviceId(log, machineId()),
      port: () => port,
      tlsProfile: redfish.tls.profile,
      servedEndpoint: redfish.endpoint,
      query: redfish.limits,
    },
  });
  const clientCertificates = access.certificates;
  const server = makeServer(
    { ...serverSettings(configuration), identity, clientCertificates, log },
    app,
  );
  port = await listen(server, redfish.address, redfish.port);
  return {
    port,
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
  configuration: { redfish, stateDirectory },
  log,
}: AccessDependencies): ManagerDetails {
  return {
    firmwareVersion: redfish.firmwareVersion ?? firmwareVersionOf(),
    lastReset: bootClock(Date.now),
    settings: openManagerSettings(join(stateDirectory, 'manager-settings.json'), log),
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
function webUiOf({ configuration, log }: AccessDependencies) {
  const { directory, files, bytes } = configuration.redfish.webUi;
  if (directory === undefined) return undefined;
  try {
    return readWebUi({ directory, files, bytes }, log);
  } catch (error) {
    log.error('web UI not served', { directory, reason: reasonOf(error) });
    return undefined;
  }
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
