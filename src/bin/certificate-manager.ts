import '../platform/debug-signal.ts';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Audit } from '../core/audit.ts';
import { reasonOf } from '../core/cert-error.ts';
import { watchClock } from '../core/clock-watch.ts';
import { makeLog } from '../core/log.ts';
import { SetupError } from '../core/setup-error.ts';
import { rootPath } from '../dbus/certs/endpoint-names.ts';
import {
  type EndpointService,
  type EndpointServiceOptions,
  serveEndpoint,
} from '../dbus/certs/endpoint-service.ts';
import { serveSigning } from '../dbus/certs/signing-service.ts';
import { watchHostName } from '../dbus/peers/host-name.ts';
import { queueReload, reloadUnit } from '../dbus/peers/systemd.ts';
import type { CallerPolicy } from '../dbus/server/caller-policy.ts';
import { connectBus } from '../dbus/transport/bus.ts';
import { watchCallers } from '../dbus/transport/bus-driver.ts';
import { claimFiles } from '../dbus/transport/bus-name.ts';
import type { CallLimits } from '../dbus/transport/call-flow.ts';
import { CredentialEndpoint } from '../manager/credential/credential-endpoint.ts';
import { forkedWorker } from '../manager/csr/forked-worker.ts';
import { SigningQueue } from '../manager/csr/signing-queue.ts';
import type { Endpoint } from '../manager/endpoint.ts';
import type { EndpointDefinition, ReloadTarget } from '../manager/endpoint-definition.ts';
import type { EndpointDependencies } from '../manager/endpoint-dependencies.ts';
import { endpointSet } from '../manager/endpoint-set.ts';
import { StagedReplacements } from '../manager/replacement/staged-replacements.ts';
import { AuthorityEndpoint } from '../manager/truststore/authority-endpoint.ts';
import {
  type Configuration,
  contentLimitsOf,
  parseConfiguration,
  readConfiguration,
} from '../platform/configuration.ts';
import { debuggerNowhere } from '../platform/debug-signal.ts';
import { hostAddresses } from '../platform/host-addresses.ts';
import { OwedReloads } from '../platform/owed-reloads.ts';
import { announceReady, runProgram } from '../platform/process-life.ts';
import { makeReloader, type Reloader } from '../platform/reload.ts';
import { readSystemAccounts, type SystemAccounts } from '../platform/system-accounts.ts';
import { type ServingProfile, servingProfile, usualServingProfile } from '../tls/profile.ts';
import { setContentLimits } from '../x509/limits.ts';

/** How often endpoints look after what time changes. */
const maintenanceMilliseconds = 60_000;

const log = makeLog('certificate-manager');

await runProgram(log, async (fail) => {
  const configuration = readOptions();
  setContentLimits(contentLimitsOf(configuration));
  const accounts = readSystemAccounts();
  const bus = await connectBus(configuration.bus);
  const onLost = () => fail(new Error('the connection to the D-Bus is lost'));
  bus.onLost(onLost);

  const endpoints: Endpoint[] = [];
  const replacements = new StagedReplacements(log, configuration.replacement);
  const all = endpointSet(endpoints, replacements);
  const maintain = () => void all.maintain();
  const hostName = await watchHostName(bus, hostname, maintain);
  let hasNames = false;
  const reloader = reloaderOf(configuration, (unit, timeout) =>
    // Until then systemd may keep the unit waiting for the manager, and the job does not end
    hasNames ? reloadUnit(bus, unit, timeout) : queueReload(bus, unit, timeout),
  );
  const dependencies = dependenciesOf(configuration, reloader, hostName);
  endpoints.push(...makeEndpoints(configuration, dependencies, accounts));
  await claimFiles(bus, configuration.endpoints, log);

  const callers = await watchCallers(bus);
  callers.onDisconnect((caller) => void replacements.ownerLeft(caller));
  const audit = new Audit(log);
  const common = { busAddress: configuration.bus, callers, log, audit, onLost };
  const published = publishedEndpoints(configuration, endpoints, accounts);
  const services = await serveEndpoints(published, {
    ...common,
    uploadBytes: configuration.limits.uploadBytes,
    calls: callLimits(configuration),
    expiryThresholds: dependencies.expiryThresholds,
    now: dependencies.now,
    reloader,
    replacements,
  });
  await all.start();
  await Promise.all(services.map((service) => service.takeName()));
  hasNames = true;
  // Their services may not run yet; whoever calls need not wait for them
  void reloader.settle(endpoints.flatMap(({ definition }) => definition.reload));
  const stopSigning = await startSigning(configuration, {
    ...common,
    access: accessPolicy(configuration.access, accounts),
  });

  const stopMaintenance = maintainNowAndThen(maintain);
  log.info('certificate manager ready', { endpoints: endpoints.length });
  announceReady({ endpoints: endpoints.length });
  return async () => {
    stopMaintenance();
    await replacements.stop();
    all.stop();
    for (const service of services) service.close();
    stopSigning();
    bus.close();
  };
});

/** @returns what ends it */
function maintainNowAndThen(maintain: () => void): () => void {
  const timer = setInterval(maintain, maintenanceMilliseconds);
  const stopClock = watchClock({ now: Date.now, monotonic: () => performance.now() }, () => {
    log.warn('the clock was set');
    maintain();
  });
  return () => {
    clearInterval(timer);
    stopClock();
  };
}

type BusOptions = Pick<
  EndpointServiceOptions,
  'busAddress' | 'callers' | 'access' | 'log' | 'audit' | 'onLost'
>;

async function startSigning(
  { signing: { enabled, requestBytes, entries } }: Configuration,
  common: BusOptions,
): Promise<() => void> {
  if (!enabled) return () => undefined;
  return serveSigning({ ...common, queue: new SigningQueue({ requestBytes, entries }, log) });
}

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

/** All but how the service of an endpoint speaks TLS. */
type EndpointRules = Omit<EndpointDependencies, 'serving'>;

/** The rules of an endpoint that has some of its own. */
function withOwnRules(
  dependencies: EndpointRules,
  { requireCa, maxCertificates }: Configuration['endpoints'][number],
): EndpointRules {
  const { checks, limits } = dependencies;
  return {
    ...dependencies,
    checks: { ...checks, requireCa: requireCa ?? checks.requireCa },
    limits: { ...limits, authorities: maxCertificates ?? limits.authorities },
  };
}

/** Our own Redfish service serves with its profile; of other services the configuration knows no more than a level. */
function servingOf(
  { redfish }: Configuration,
  { type, name, securityLevel }: Configuration['endpoints'][number],
): ServingProfile {
  const isOurs = type === 'server' && name === redfish.endpoint;
  return isOurs
    ? servingProfile(redfish.tls.profile, securityLevel)
    : usualServingProfile(securityLevel);
}

function makeEndpoints(
  configuration: Configuration,
  dependencies: EndpointRules,
  accounts: SystemAccounts,
): readonly Endpoint[] {
  return configuration.endpoints.map((one) => {
    const definition = asDefinition(one, accounts);
    const rules = withOwnRules(dependencies, one);
    const all = { ...rules, serving: servingOf(configuration, one) };
    return definition.type === 'authority'
      ? new AuthorityEndpoint(definition, all)
      : new CredentialEndpoint(definition, all);
  });
}

/** An endpoint, who may change it, and one of its names. */
type PublishedEndpoint = Pick<EndpointServiceOptions, 'endpoint' | 'access' | 'name'>;

function serveEndpoints(
  published: readonly PublishedEndpoint[],
  common: Omit<EndpointServiceOptions, keyof PublishedEndpoint | 'findEndpoint'>,
): Promise<EndpointService[]> {
  const byRoot = new Map(published.map((one) => [rootPath(one.name), one]));
  const findEndpoint = (root: string) => byRoot.get(root);
  return Promise.all(published.map((one) => serveEndpoint({ ...common, ...one, findEndpoint })));
}

/** Each endpoint under each of its names. */
function publishedEndpoints(
  configuration: Configuration,
  endpoints: readonly Endpoint[],
  accounts: SystemAccounts,
): readonly PublishedEndpoint[] {
  return configuration.endpoints.flatMap(({ type, name, alias, access: own }, at) => {
    const endpoint = endpoints[at];
    if (!endpoint) return [];
    const access = accessPolicy(own ?? configuration.access, accounts);
    const names = [name, ...(alias === undefined ? [] : [alias])];
    return names.map((one) => ({ endpoint, access, name: { type, name: one } }));
  });
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

/** Room for a few of the largest uploads that wait for their turn. */
function callLimits({ limits }: Configuration): CallLimits {
  return { calls: limits.busCalls, bytes: 4 * limits.uploadBytes };
}

function accessPolicy(access: Configuration['access'], accounts: SystemAccounts): CallerPolicy {
  return {
    users: [0, process.getuid?.() ?? 0, ...access.users.map(accounts.userId)],
    groups: access.groups.map(accounts.groupId),
  };
}

function reloaderOf(
  { reload, runtimeDirectory }: Configuration,
  tell: (unit: string, timeout: number) => Promise<void>,
): Reloader {
  const attemptMilliseconds = reload.attemptSeconds * 1000;
  return makeReloader({
    log,
    attemptMilliseconds,
    attempts: reload.attempts,
    now: Date.now,
    owed: owedReloads(runtimeDirectory),
    reloadUnit: (unit) => tell(unit, attemptMilliseconds),
  });
}

/** Under systemd they are in the directory of the unit; the configured one may be the Redfish service's. */
function owedReloads(runtimeDirectory: string): OwedReloads {
  const directory = process.env.RUNTIME_DIRECTORY ?? runtimeDirectory;
  let isTold = false;
  return new OwedReloads(join(directory, 'owed-reloads'), (error) => {
    if (!isTold) log.warn('reloads that are due cannot be noted', { reason: reasonOf(error) });
    isTold = true;
  });
}

function dependenciesOf(
  { limits, checks, selfSigned, expiry, watch }: Configuration,
  reloader: Reloader,
  hostName: () => string,
): EndpointRules {
  return {
    log,
    limits: {
      uploadBytes: limits.uploadBytes,
      chain: limits.chainCertificates,
      authorities: limits.authorities,
      pending: { requests: limits.pendingRequests, days: limits.pendingDays },
      queuedRequests: limits.queuedRequests,
      refusedFiles: limits.refusedFiles,
    },
    checks,
    selfSigned,
    expiryThresholds: expiry.thresholdDays,
    watch: { settle: watch.settleMilliseconds, grace: watch.graceMilliseconds },
    now: Date.now,
    elapsed: () => performance.now(),
    identity: () => ({ hostName: hostName(), addresses: hostAddresses() }),
    csrWorker: forkedWorker({
      script: fileURLToPath(new URL('./csr-worker.js', import.meta.url)),
      deadline: limits.requestSeconds * 1000,
      workers: limits.requestWorkers,
      nodeOptions: [...process.execArgv, debuggerNowhere],
    }),
    reload: ({ reload: targets }) => reloader.reload(targets),
    oweReload: ({ reload: targets }) => reloader.owe(targets),
  };
}
