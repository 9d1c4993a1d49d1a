import '../platform/debug-signal.ts';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Audit } from '../core/audit.ts';
import type { Log } from '../core/log.ts';
import { openUsers } from '../dbus/accounts/open-users.ts';
import { BusCertificateClient } from '../dbus/client/bus-certificate-client.ts';
import { BusEdgeEndpoints } from '../dbus/client/bus-edge-endpoints.ts';
import type { GnoiStatus } from '../dbus/gnoi-service/gnoi-interface.ts';
import { serveGnoi } from '../dbus/gnoi-service/gnoi-object.ts';
import { edgeStore } from '../gnoi/edge-store.ts';
import { type GnoiService, startGnoiService } from '../gnoi/gnoi-service.ts';
import { openShownIdentity } from '../gnoi/serving/shown-identity.ts';
import { gnoiSettings } from '../gnoi/settings.ts';
import { generateCertificate } from '../manager/credential/generated-certificate.ts';
import type { EdgeEndpoints } from '../manager/edge-endpoints.ts';
import { type Configuration, contentLimitsOf } from '../platform/configuration.ts';
import { hostAddresses } from '../platform/host-addresses.ts';
import { InvalidMember } from '../platform/invalid-member.ts';
import { openStateDirectory } from '../platform/state-directory.ts';
import { openServerIdentity } from '../tls/server-identity.ts';
import { subjectText } from '../x509/certificate.ts';
import { exportPrivateKey } from '../x509/keys.ts';
import { ownUsers } from './set-up/access-policy.ts';
import { runConfigured, type Serving } from './set-up/configured-program.ts';

/** How long the managers on the bus may take to answer before the service listens without them. */
const managersMilliseconds = 2000;

const truststore = { type: 'authority', name: 'truststore' } as const;

void runConfigured({ program: 'gnoi-server', settings, start });

/** @throws InvalidMember */
function settings(configuration: Configuration): Configuration {
  servicePath(configuration);
  return configuration;
}

/** The file that the manager writes for the service. @throws InvalidMember where there is none */
function servicePath({ services, gnoi }: Configuration): string {
  const found = services.find(({ name }) => name === gnoi.service);
  if (found) return found.file;
  throw new InvalidMember('/gnoi/service', `is ${gnoi.service}, which "services" does not declare`);
}

async function start(configuration: Configuration, log: Log): Promise<Serving<Configuration>> {
  const { bus: busAddress, limits, gnoi } = configuration;
  openStateDirectory(gnoi.directory);
  const client = {
    ...{ busAddress, requestTimeout: (limits.requestSeconds + 5) * 1000, log },
    ...{ uploadBytes: limits.uploadBytes, content: contentLimitsOf(configuration) },
  };
  const certificates = new BusCertificateClient({ ...client, withRunTime: false });
  const endpoints = new BusEdgeEndpoints(client);
  const audit = new Audit(log);
  const users = openUsers(configuration, audit, log);
  const managers = [certificates.start(), endpoints.start(), users.start()];
  // What hangs must not keep the service from coming up; until it answers, it counts as away
  await Promise.race([Promise.all(managers), sleep(managersMilliseconds)]);
  const identity = await openIdentities(configuration, log);
  const anchors = () =>
    certificates.isAvailable(truststore)
      ? certificates.list(truststore).map(({ certificate }) => certificate)
      : [];
  const service = await startGnoiService({
    settings: gnoiSettings(configuration),
    store: edgeStore({ endpoints, anchors, log }),
    isBound: (id) => boundId(endpoints, gnoi.service) === id,
    identity: identity.shown,
    ...{ users: users.users, audit, hostName: hostname, log },
  });
  const object = serveGnoi({
    ...{ busAddress, audit, log },
    access: { users: ownUsers, groups: [] },
    service: {
      status: () => statusOf(service, endpoints, gnoi),
      extend: (id, seconds) => service.rotations.extend(id, seconds),
      onChange: (listener) => service.onChange(listener),
    },
  });
  await Promise.race([object, sleep(managersMilliseconds)]);
  log.info('gNOI service ready', {
    ...{ address: gnoi.address, port: service.port },
    ...service.authentication(),
  });
  return {
    details: { address: gnoi.address, port: service.port },
    prepare: async (next) => async () => service.apply(gnoiSettings(next)),
    async stop() {
      (await object).close();
      await service.close();
      await identity.close();
      certificates.close();
      endpoints.close();
      users.close();
    },
  };
}

/** The id that the service reads from; `undefined` where it reads from none, and while the manager is away. */
function boundId(endpoints: EdgeEndpoints, name: string): string | undefined {
  if (!endpoints.isAvailable) return undefined;
  const bound = endpoints.bindings().find(({ service }) => service === name)?.endpoint;
  return bound?.type === 'server' ? bound.name : undefined;
}

function statusOf(
  service: GnoiService,
  endpoints: EdgeEndpoints,
  { address, service: name }: Configuration['gnoi'],
): GnoiStatus {
  const { mode, cause } = service.authentication();
  return {
    ...{ address, port: service.port, cause, clientAuthentication: mode },
    certificate: boundId(endpoints, name) ?? '',
    authorities: service.authorities().map(subjectText),
    rotations: service.rotations.list(),
  };
}

/** What the manager writes for the service, and in its absence the certificate of an endpoint of the service's own. */
async function openIdentities(configuration: Configuration, log: Log) {
  const { gnoi, limits, endpoints, selfSigned } = configuration;
  const common = {
    maxBytes: 2 * limits.uploadBytes,
    content: contentLimitsOf(configuration),
    profile: gnoi.tls.profile,
    now: Date.now,
    log,
  };
  const own = endpoints.find(({ type, name }) => type === 'server' && name === gnoi.endpoint);
  const fallback = await openServerIdentity({
    ...common,
    path: own?.path ?? join(gnoi.directory, 'own.pem'),
    copyPath: join(gnoi.directory, 'last-good.pem'),
    makeSelfSigned() {
      const host = { hostName: hostname(), addresses: addressesIfAllowed() };
      const { key, leaf } = generateCertificate(host, selfSigned, Date.now());
      return { key: exportPrivateKey(key), certificate: leaf, chain: [] };
    },
  });
  const shown = await openShownIdentity({ ...common, path: servicePath(configuration), fallback });
  return {
    shown,
    async close() {
      await shown.close();
      await fallback.close();
    },
  };
}

/** The unit of the service may keep it from reading the addresses of the host. */
function addressesIfAllowed(): readonly string[] {
  try {
    return hostAddresses();
  } catch {
    return [];
  }
}
