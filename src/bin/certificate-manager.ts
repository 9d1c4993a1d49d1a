import { hostname, networkInterfaces } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { AccessPolicy } from '../dbus/access.ts';
import { type Bus, connectBus } from '../dbus/bus.ts';
import { serveEndpoint } from '../dbus/endpoint-service.ts';
import { reloadUnit } from '../dbus/systemd.ts';
import { AuthorityEndpoint } from '../manager/authority-endpoint.ts';
import { forkedWorker } from '../manager/csr/forked-worker.ts';
import type { Endpoint, EndpointDefinition, ReloadTarget } from '../manager/endpoint.ts';
import { PairEndpoint } from '../manager/pair-endpoint.ts';
import type { HostIdentity, Surroundings } from '../manager/surroundings.ts';
import {
  type Configuration,
  parseConfiguration,
  readConfiguration,
  SetupError,
} from '../platform/configuration.ts';
import { makeLog } from '../platform/log.ts';
import { announceReady, runProgram } from '../platform/process-life.ts';
import { makeReloader } from '../platform/reload.ts';
import { readSystemAccounts, type SystemAccounts } from '../platform/system-accounts.ts';

/** How often endpoints look after what time changes. */
const maintenanceMilliseconds = 60_000;

const log = makeLog('certificate-manager');

await runProgram(log, async (fail) => {
  const configuration = readOptions();
  const accounts = readSystemAccounts();
  const outgoing = await connectBus(configuration.bus);
  const surroundings = makeSurroundings(configuration, outgoing);
  const endpoints = configuration.endpoints.map((one) =>
    makeEndpoint(asDefinition(one, accounts), surroundings),
  );
  const onLost = () => fail(new Error('the connection to the D-Bus is lost'));
  outgoing.onLost(onLost);
  const common = {
    busAddress: configuration.bus,
    access: accessPolicy(configuration, accounts),
    uploadBytes: configuration.limits.uploadBytes,
    log,
    onLost,
  };
  const stops = await Promise.all(
    endpoints.map((endpoint) => serveEndpoint({ ...common, endpoint })),
  );
  const timer = setInterval(() => {
    for (const endpoint of endpoints) void endpoint.maintain();
  }, maintenanceMilliseconds);
  log.info('certificate manager ready', { endpoints: endpoints.length });
  announceReady({ endpoints: endpoints.length });
  return async () => {
    clearInterval(timer);
    for (const stop of stops) stop();
    outgoing.close();
  };
});

/** `--config FILE`, or the options of phosphor-certificate-manager for a single endpoint. */
function readOptions(): Configuration {
  const { values } = parseArgs({
    options: {
      config: { type: 'string' },
      type: { type: 'string', short: 't' },
      endpoint: { type: 'string', short: 'e' },
      path: { type: 'string', short: 'p' },
      unit: { type: 'string', short: 'u', default: '' },
    },
  });
  if (values.config !== undefined) return readConfiguration(values.config);
  const { type, endpoint: name, path, unit } = values;
  if (type === undefined || name === undefined || path === undefined) {
    throw new SetupError('Give --config FILE, or all of --type, --endpoint and --path.');
  }
  const reload = unit === '' ? [] : [{ unit }];
  return parseConfiguration(
    JSON.stringify({ endpoints: [{ type, name, path, reload }] }),
    'of the command line',
  );
}

function makeEndpoint(definition: EndpointDefinition, surroundings: Surroundings): Endpoint {
  return definition.type === 'authority'
    ? new AuthorityEndpoint(definition, surroundings)
    : new PairEndpoint(definition, surroundings);
}

function asDefinition(
  { type, name, path, group, reload }: Configuration['endpoints'][number],
  accounts: SystemAccounts,
): EndpointDefinition {
  const targets = reload.flatMap(({ unit, pidFile }): ReloadTarget[] => {
    if (unit !== undefined) return [{ unit }];
    return pidFile !== undefined ? [{ pidFile }] : [];
  });
  const access = group === undefined ? {} : { group: accounts.groupId(group) };
  return { type, name, path, reload: targets, ...access };
}

function accessPolicy({ access }: Configuration, accounts: SystemAccounts): AccessPolicy {
  return {
    users: [0, process.getuid?.() ?? 0, ...access.users.map(accounts.userId)],
    groups: access.groups.map(accounts.groupId),
  };
}

function makeSurroundings(configuration: Configuration, outgoing: Bus): Surroundings {
  const { limits, checks, selfSigned, reload } = configuration;
  const attemptMilliseconds = reload.attemptSeconds * 1000;
  const tell = makeReloader({
    log,
    attemptMilliseconds,
    attempts: reload.attempts,
    reloadUnit: (unit) => reloadUnit(outgoing, unit, attemptMilliseconds),
  });
  return {
    log,
    limits: {
      uploadBytes: limits.uploadBytes,
      chain: limits.chainCertificates,
      authorities: limits.authorities,
      pending: { requests: limits.pendingRequests, days: limits.pendingDays },
      queuedRequests: limits.queuedRequests,
    },
    checks,
    selfSigned,
    now: Date.now,
    identity: hostIdentity,
    csrWorker: forkedWorker(
      fileURLToPath(new URL('./csr-worker.js', import.meta.url)),
      limits.requestSeconds * 1000,
    ),
    reload: ({ reload: targets }) => tell(targets),
  };
}

/** The host's name and its addresses; link-local IPv6 ones mean nothing outside of their link. */
function hostIdentity(): HostIdentity {
  const addresses = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .map(({ address }) => address)
    .filter((address) => !address.startsWith('fe80:'));
  return { hostName: hostname(), addresses };
}
