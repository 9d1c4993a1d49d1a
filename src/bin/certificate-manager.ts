import '../platform/debug-signal.ts';
import { hostname } from 'node:os';
import { Audit } from '../core/audit.ts';
import { watchClock } from '../core/clock-watch.ts';
import type { Log } from '../core/log.ts';
import { EndpointHost } from '../dbus/certs/endpoint-host.ts';
import { type SigningServiceOptions, serveSigning } from '../dbus/certs/signing-service.ts';
import { followErrorLog } from '../dbus/peers/error-log.ts';
import { watchHostName } from '../dbus/peers/host-name.ts';
import { reloadUnit } from '../dbus/peers/systemd.ts';
import type { CallerPolicy } from '../dbus/server/caller-policy.ts';
import { connectBus } from '../dbus/transport/bus.ts';
import { watchCallers } from '../dbus/transport/bus-driver.ts';
import { configuredClientIdentities } from '../identity/peer-certificates/client-identities.ts';
import { SigningQueue } from '../manager/csr/signing-queue.ts';
import { endpointSet } from '../manager/endpoint-set.ts';
import { StagedReplacements } from '../manager/replacement/staged-replacements.ts';
import { Counts } from '../metrics/counts.ts';
import type { Configuration } from '../platform/configuration.ts';
import { readSystemAccounts } from '../platform/system-accounts.ts';
import { readCommandLine } from './manager/command-line.ts';
import { ConfiguredEndpoints } from './manager/configured-endpoints.ts';
import { type EndpointSettings, endpointSettings } from './manager/endpoint-settings.ts';
import { endpointMaker, hostedEndpoint } from './manager/make-endpoint.ts';
import { metricsTextfile } from './manager/metrics-textfile.ts';
import { tellReadOnlyPlaces } from './manager/read-only-places.ts';
import { configuredReloader } from './manager/reloader.ts';
import { RunTimeHost } from './manager/run-time-host.ts';
import { type RunTimeSettings, runTimeSettings } from './manager/run-time-settings.ts';
import { runtimeNotes } from './manager/runtime-notes.ts';
import { accessPolicy } from './set-up/access-policy.ts';
import { runConfigured, type Serving } from './set-up/configured-program.ts';
import { contentOpener } from './set-up/content-opener.ts';

/** How often endpoints look after what time changes. */
const maintenanceMilliseconds = 60_000;

/** What the configuration says, once names of users and groups are numbers. */
interface Settings {
  readonly configuration: Configuration;
  readonly endpoints: readonly EndpointSettings[];
  readonly runTime: RunTimeSettings | undefined;
  /** Who may have requests signed. */
  readonly signers: CallerPolicy;
}

void runConfigured({
  program: 'certificate-manager',
  readCommandLine,
  settings: settingsOf,
  start: startManager,
});

/** Puts the parts of the manager together; it is long because they are many, and in the order in which they start. */
async function startManager(
  settings: Settings,
  log: Log,
  fail: (error: Error) => void,
): Promise<Serving<Settings>> {
  const { configuration } = settings;
  let inForce = settings;
  const bus = await connectBus(configuration.bus);
  const onLost = () => fail(new Error('the connection to the D-Bus is lost'));
  bus.onLost(onLost);
  const replacements = new StagedReplacements(log, () => inForce.configuration.replacement);
  const set = endpointSet([], replacements);
  const maintain = () => void set.maintain();
  const hostName = await watchHostName(bus, hostname, maintain);
  const reload = reloadUnit.bind(undefined, bus);
  const reloader = configuredReloader(() => inForce.configuration, reload, log);
  const callers = await watchCallers(bus);
  callers.onDisconnect((caller) => void replacements.ownerLeft(caller));
  const openContent = contentOpener(configuration.limits);
  const common = { busAddress: configuration.bus, callers, log, audit: new Audit(log), onLost };
  const counts = new Counts();
  reloader.subscribe((...ended) => counts.reloadEnded(...ended));
  const served = { endpoints: set, bus, now: Date.now, reloader, replacements, counter: counts };
  const host = new EndpointHost({ ...common, ...served, openContent });
  const makeError = await followErrorLog({
    ...{ bus, log, made: runtimeNotes(configuration, 'error-entries', log) },
    limit: () => inForce.configuration.limits.errorEntries,
  });
  const makeEndpoint = endpointMaker(reloader, hostName, log, makeError);
  const endpoints = new ConfiguredEndpoints({
    ...{ host, bus, log },
    makeEndpoint: (one) => hostedEndpoint(one, makeEndpoint),
  });
  const runTime = new RunTimeHost({
    ...{ ...common, bus, replacements, reloader, makeEndpoint, openContent },
    counter: counts,
  });
  const metrics = metricsTextfile(
    {
      endpoints: () => [...endpoints.endpoints, ...runTime.endpoints],
      counts,
      reloader,
      replacements,
    },
    log,
  );
  tellReadOnlyPlaces(configuration, log);
  const applyFirst = await endpoints.prepare(settings.endpoints);
  await applyFirst();
  await runTime.apply(settings.runTime);
  // Their services may not run yet; callers need not wait for them
  void reloader.settle([
    ...settings.endpoints.flatMap(({ definition }) => definition.reload),
    ...(settings.runTime?.services.flatMap(({ reload }) => reload) ?? []),
  ]);
  const access = () => inForce.signers;
  const stopSigning = await startSigning(configuration, { ...common, access });
  const maintainAll = () => {
    maintain();
    void runTime.maintain();
  };
  const stopMaintenance = maintainNowAndThen(maintainAll, log);
  void metrics.follow(configuration);
  const details = { endpoints: settings.endpoints.length };
  log.info('certificate manager ready', details);
  return {
    details,
    async prepare(next) {
      const apply = await endpoints.prepare(next.endpoints);
      return async () => {
        inForce = next;
        tellReadOnlyPlaces(next.configuration, log);
        await apply();
        await runTime.apply(next.runTime);
        await metrics.follow(next.configuration);
      };
    },
    async stop() {
      stopMaintenance();
      await replacements.stop();
      await metrics.stop();
      await host.close();
      set.stop();
      runTime.stop();
      stopSigning();
      bus.close();
    },
  };
}

/** @throws InvalidMember, also in what only other programs use */
function settingsOf(configuration: Configuration): Settings {
  const accounts = readSystemAccounts();
  configuredClientIdentities(configuration);
  return {
    configuration,
    endpoints: endpointSettings(configuration, accounts),
    runTime: runTimeSettings(configuration, accounts),
    signers: accessPolicy(configuration.access, '/access', accounts),
  };
}

/** @returns what ends it */
function maintainNowAndThen(maintain: () => void, log: Log): () => void {
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
  const queue = new SigningQueue({ requestBytes, entries }, common.log);
  return serveSigning({ ...common, queue });
}
