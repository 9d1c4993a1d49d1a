import { join } from 'node:path';
import { reasonOf } from '../../core/cert-error.ts';
import type { WatchedAdministration } from '../../manager/administration.ts';
import type { Configuration } from '../../platform/configuration.ts';
import { machineId } from '../../platform/machine-id.ts';
import { listen } from '../../tls/bounded-server.ts';
import { connectionsOfAddress } from '../../tls/connection-limits.ts';
import { linkIssuers } from '../certificates/certificate-links.ts';
import { runTimeCollections } from '../certificates/collections.ts';
import type { SubmissionParts } from '../certificates/submitted.ts';
import { makeEvents } from '../events/events.ts';
import { listenerLogins } from '../events/listeners.ts';
import { type HttpsOptions, makeServer } from '../http/server.ts';
import { Tasks } from '../tasks/tasks.ts';
import { type AccessDependencies, setUpAccess } from './access.ts';
import { openIdentity } from './identity.ts';
import { inForceOf, type LiveApp, makeLiveApp } from './live-app.ts';
import { removeStaleTempFiles } from './remove-stale-temp-files.ts';
import { serviceId } from './service-id.ts';

/** A Redfish service that listens. */
export interface RunningService extends Pick<LiveApp, 'prepare'> {
  readonly port: number;
  close(): Promise<void>;
}

interface ServiceDependencies extends AccessDependencies, Pick<SubmissionParts, 'openContent'> {
  readonly administration: WatchedAdministration;
}

/**
 * Makes the service of its configuration and begins to listen. Long because its parts are many, and made in this order.
 * The files of state must be those of this service alone.
 * @throws SetupError that says what is wrong with the files, the certificate or the port
 */
export async function startService(dependencies: ServiceDependencies): Promise<RunningService> {
  const { configuration, client, administration, openContent, hostName, log } = dependencies;
  const { redfish } = configuration;
  const { directory } = redfish;
  await removeStaleTempFiles(directory, log);
  const { identity, served, close: closeIdentity } = await openIdentity(dependencies);
  const inForce = inForceOf(configuration);
  const endpoints = () => inForce.configuration.endpoints;
  const { access, close: closeAccess } = setUpAccess(dependencies, endpoints);
  const collections = () => {
    const { inCertificateLocations } = inForce.configuration.runTimeEndpoints;
    const ofRunTime = client.runTimeEndpoints();
    return [
      ...inForce.collections,
      ...runTimeCollections(redfish.managerId, ofRunTime, inCertificateLocations),
    ];
  };
  const events = await makeEvents({
    ...{ client, collections, served, log },
    path: join(directory, 'events.json'),
    settings: redfish.events,
    expiryThresholds: configuration.expiry.thresholdDays,
    logins: listenerLogins(access),
  });
  await access.renames.complete().catch((error: unknown) => {
    log.error('not all data of a user follows the account yet', { reason: reasonOf(error) });
  });
  const tasks = new Tasks({
    limits: { patience: redfish.tasks.patienceSeconds * 1000, tasks: redfish.tasks.tasks },
    now: Date.now,
    report: (error) => log.error('task failed', { reason: reasonOf(error) }),
  });
  let port = redfish.port;
  const app = makeLiveApp(
    inForce,
    {
      ...{ client, administration, openContent, access, collections, events, served },
      ...{ tasks, hostName },
      certificateLinks: linkIssuers(client, collections),
      now: Date.now,
      expiryThresholds: configuration.expiry.thresholdDays,
      managerId: redfish.managerId,
      serviceId: serviceId(log, machineId()),
      port: () => port,
      tlsProfile: redfish.tls.profile,
      servedEndpoint: redfish.endpoint,
    },
    log,
  );
  const settings = serverSettings(configuration);
  const server = makeServer(
    { ...settings, identity, clientCertificates: access.certificates, log },
    app,
  );
  const { address } = redfish;
  const place = { member: 'redfish.port', option: '--https-port' };
  port = await listen(server, { address, port, ...place });
  return {
    port,
    prepare: (next) => app.prepare(next),
    async close() {
      await closeAccess();
      await closeIdentity();
      await events.close();
      server.close();
      server.closeAllConnections();
    },
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
