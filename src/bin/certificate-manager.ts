import '../platform/debug-signal.ts';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Audit } from '../core/audit.ts';
import { reasonOf } from '../core/cert-error.ts';
import { watchClock } from '../core/clock-watch.ts';
import { makeLog } from '../core/log.ts';
import { EndpointHost } from '../dbus/certs/endpoint-host.ts';
import { type SigningServiceOptions, serveSigning } from '../dbus/certs/signing-service.ts';
import { watchHostName } from '../dbus/peers/host-name.ts';
import { queueReload, reloadUnit } from '../dbus/peers/systemd.ts';
import type { CallerPolicy } from '../dbus/server/caller-policy.ts';
import { connectBus } from '../dbus/transport/bus.ts';
import { watchCallers } from '../dbus/transport/bus-driver.ts';
import { configuredClientIdentities } from '../identity/peer-certificates/client-identities.ts';
import { CredentialEndpoint } from '../manager/credential/credential-endpoint.ts';
import { type CsrWorker, forkedWorker } from '../manager/csr/forked-worker.ts';
import { SigningQueue } from '../manager/csr/signing-queue.ts';
import type { EndpointDependencies } from '../manager/endpoint-dependencies.ts';
import { endpointSet } from '../manager/endpoint-set.ts';
import { StagedReplacements } from '../manager/replacement/staged-replacements.ts';
import { AuthorityEndpoint } from '../manager/truststore/authority-endpoint.ts';
import {
  type Configuration,
  type ConfigurationText,
  contentLimitsOf,
  inText,
  parseConfiguration,
} from '../platform/configuration.ts';
import { followConfiguration } from '../platform/configuration-reload.ts';
import { debuggerNowhere } from '../platform/debug-signal.ts';
import { hostAddresses } from '../platform/host-addresses.ts';
import { OwedReloads } from '../platform/owed-reloads.ts';
import { announceReady, runProgram } from '../platform/process-life.ts';
import { makeReloader, type Reloader } from '../platform/reload.ts';
import { readSystemAccounts } from '../platform/system-accounts.ts';
import { setContentLimits } from '../x509/limits.ts';
import { readCommandLine } from './manager/command-line.ts';
import { ConfiguredEndpoints } from './manager/configured-endpoints.ts';
import {
  accessPolicy,
  type EndpointSettings,
  endpointSettings,
} from './manager/endpoint-settings.ts';

/** How often endpoints look after what time changes. */
const maintenanceMilliseconds = 60_000;

const log = makeLog('certificate-manager');

/** What the configuration says, once names of users and groups are numbers. */
interface Settings {
  readonly configuration: Configuration;
  readonly endpoints: readonly EndpointSettings[];
  /** Who may have requests signed. */
  readonly signers: CallerPolicy;
}

await runProgram(log, async (fail, onReload) => {
  const { from, file, check } = readCommandLine();
  let settings = await readSettings(parseConfiguration(from.text, from.source), from);
  if (check) process.exit(0);
  const { configuration } = settings;
  setContentLimits(contentLimitsOf(configuration));
  const bus = await connectBus(configuration.bus);
  const onLost = () => fail(new Error('the connection to the D-Bus is lost'));
  bus.onLost(onLost);
  const replacements = new StagedReplacements(log, () => settings.configuration.replacement);
  const set = endpointSet([], replacements);
  const maintain = () => void set.maintain();
  const hostName = await watchHostName(bus, hostname, maintain);
  let hasNames = false;
  const reloader = reloaderOf(
    () => settings.configuration,
    // Until then systemd may keep the unit waiting for the manager, and the job does not end
    (unit, timeout) => (hasNames ? reloadUnit : queueReload)(bus, unit, timeout),
  );
  const callers = await watchCallers(bus);
  callers.onDisconnect((caller) => void replacements.ownerLeft(caller));
  const common = { busAddress: configuration.bus, callers, log, audit: new Audit(log), onLost };
  const host = new EndpointHost({
    ...common,
    endpoints: set,
    bus,
    now: Date.now,
    reloader,
    replacements,
  });
  const makeEndpoint = endpointMaker(reloader, hostName);
  const endpoints = new ConfiguredEndpoints({ host, bus, makeEndpoint, log });
  await (await endpoints.prepare(settings.endpoints))();
  hasNames = true;
  // Their services may not run yet; whoever calls need not wait for them
  void reloader.settle(endpoints.reloadTargets);
  const stopSigning = await startSigning(configuration, {
    ...common,
    access: () => settings.signers,
  });
  const stopMaintenance = maintainNowAndThen(maintain);
  if (file !== undefined) {
    const program = 'certificate-manager';
    const reload = followConfiguration(
      { program, file, from, configuration, log },
      async (...next) => {
        const found = await readSettings(...next);
        const apply = await endpoints.prepare(found.endpoints);
        return async () => {
          settings = found;
          setContentLimits(contentLimitsOf(found.configuration));
          await apply();
        };
      },
    );
    onReload(reload);
  }
  log.info('certificate manager ready', { endpoints: endpoints.size });
  announceReady({ endpoints: endpoints.size });
  return async () => {
    stopMaintenance();
    await replacements.stop();
    set.stop();
    host.close();
    stopSigning();
    bus.close();
  };
});

/** @throws SetupError that names the place of what is wrong, also in what only other programs use */
function readSettings(configuration: Configuration, from: ConfigurationText): Promise<Settings> {
  const accounts = readSystemAccounts();
  return inText(from, async () => {
    configuredClientIdentities(configuration);
    return {
      configuration,
      endpoints: endpointSettings(configuration, accounts),
      signers: accessPolicy(configuration.access, '/access', accounts),
    };
  });
}

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

async function startSigning(
  { signing: { enabled, requestBytes, entries } }: Configuration,
  common: Omit<SigningServiceOptions, 'queue'>,
): Promise<() => void> {
  if (!enabled) return () => undefined;
  return serveSigning({ ...common, queue: new SigningQueue({ requestBytes, entries }, log) });
}

function reloaderOf(
  configuration: () => Configuration,
  tell: (unit: string, timeout: number) => Promise<void>,
): Reloader {
  const attemptMilliseconds = () => configuration().reload.attemptSeconds * 1000;
  return makeReloader({
    log,
    limits: () => ({
      attemptMilliseconds: attemptMilliseconds(),
      attempts: configuration().reload.attempts,
    }),
    now: Date.now,
    owed: owedReloads(configuration().runtimeDirectory),
    reloadUnit: (unit) => tell(unit, attemptMilliseconds()),
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

/** @returns what makes an endpoint as it is configured */
function endpointMaker(reloader: Reloader, hostName: () => string) {
  const workers = new Map<string, CsrWorker>();
  const workerOf = (limits: EndpointSettings['worker']) => {
    const key = JSON.stringify(limits);
    const worker = workers.get(key) ?? csrWorker(limits);
    workers.set(key, worker);
    return worker;
  };
  return ({ definition, names, access, calls, uploadBytes, rules, worker }: EndpointSettings) => {
    const dependencies: EndpointDependencies = {
      ...rules,
      log,
      now: Date.now,
      elapsed: () => performance.now(),
      identity: () => ({ hostName: hostName(), addresses: hostAddresses() }),
      csrWorker: workerOf(worker),
      reload: ({ reload: targets }) => reloader.reload(targets),
      oweReload: ({ reload: targets }) => reloader.owe(targets),
    };
    const endpoint =
      definition.type === 'authority'
        ? new AuthorityEndpoint(definition, dependencies)
        : new CredentialEndpoint(definition, dependencies);
    const { expiryThresholds } = rules;
    return { endpoint, names, access, calls, uploadBytes, expiryThresholds };
  };
}

function csrWorker(limits: EndpointSettings['worker']): CsrWorker {
  return forkedWorker({
    ...limits,
    script: fileURLToPath(new URL('./csr-worker.js', import.meta.url)),
    nodeOptions: [...process.execArgv, debuggerNowhere],
  });
}
