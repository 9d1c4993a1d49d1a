import '../platform/debug-signal.ts';
import { statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Audit } from '../core/audit.ts';
import { reasonOf } from '../core/cert-error.ts';
import type { Log } from '../core/log.ts';
import { SetupError } from '../core/setup-error.ts';
import { BusEdgeEndpoints } from '../dbus/client/bus-edge-endpoints.ts';
import type { CallerPolicy } from '../dbus/server/caller-policy.ts';
import { serveBundles } from '../dbus/trust-bundle/bundle-objects.ts';
import { bundleName } from '../gnoi/certificate-store.ts';
import { nameLookup } from '../outbound/name-lookup.ts';
import { type Configuration, contentLimitsOf } from '../platform/configuration.ts';
import { openStateDirectory } from '../platform/state-directory.ts';
import { readSystemAccounts } from '../platform/system-accounts.ts';
import { claimName } from '../storage/claim-socket.ts';
import { BundleFault } from '../trust-bundle/bundle-fault.ts';
import { bundleSettings } from '../trust-bundle/configured.ts';
import type { BundleSettings } from '../trust-bundle/settings.ts';
import type { BundleUpdater } from '../trust-bundle/trust-bundle.ts';
import { startBundleUpdater, systemClock } from '../trust-bundle/updater.ts';
import { accessPolicy } from './set-up/access-policy.ts';
import { runConfigured, type Serving } from './set-up/configured-program.ts';
import { servedBundle } from './trust-bundle/served-bundle.ts';

/** How long the manager and the bus may take to answer before the bundles begin without them. */
const busMilliseconds = 2000;

interface Settings {
  readonly configuration: Configuration;
  readonly bundles: readonly BundleSettings[];
  readonly access: CallerPolicy;
}

void runConfigured({ program: 'bundle-updater', settings: settingsOf, start });

/** @throws InvalidMember */
function settingsOf(configuration: Configuration): Settings {
  const { access } = configuration.trustBundles;
  return {
    configuration,
    bundles: bundleSettings(configuration, [
      bundleName,
      ...configuration.netconf.clientAuthorities,
    ]),
    access: accessPolicy(access, '/trustBundles/access', readSystemAccounts()),
  };
}

async function start(first: Settings, log: Log): Promise<Serving<Settings>> {
  const { bus: busAddress, limits, trustBundles } = first.configuration;
  let inForce = first;
  const release = await claimDirectory(trustBundles.directory, log);
  const endpoints = new BusEdgeEndpoints({
    ...{ busAddress, log, uploadBytes: limits.uploadBytes },
    content: contentLimitsOf(first.configuration),
    requestTimeout: (limits.requestSeconds + 5) * 1000,
  });
  // What hangs must not keep the bundles from being polled
  await Promise.race([endpoints.start(), sleep(busMilliseconds)]);
  const updater = await startBundleUpdater(first.bundles, trustBundles.directory, {
    ...{ endpoints, lookUp: nameLookup(), log, clock: systemClock, random: Math.random },
    buildTime: statSync(fileURLToPath(import.meta.url)).mtime,
  });
  const serving = serveBundles({
    ...{ busAddress, uploadBytes: limits.uploadBytes, audit: new Audit(log), log },
    access: () => inForce.access,
    bundles: () => updater.list().map(servedBundle),
    codeOf: (error) => (error instanceof BundleFault ? error.code : undefined),
  });
  const follow = followed(updater, serving);
  await Promise.race([serving, sleep(busMilliseconds)]);
  follow();
  log.info('trust bundles ready', { bundles: updater.list().length });
  return {
    details: {},
    async prepare(next) {
      const apply = updater.prepare(next.bundles);
      return async () => {
        inForce = next;
        await apply();
        follow();
      };
    },
    async stop() {
      await updater.close();
      (await serving).close();
      endpoints.close();
      release();
    },
  };
}

/**
 * Two programs would write over each other's copies, and over the revision below which nothing is taken.
 * @returns how to give the directory back. @throws SetupError when another program has it
 */
async function claimDirectory(directory: string, log: Log): Promise<() => void> {
  openStateDirectory(directory);
  const claimed = await claimName(directory, 'updater.lock').catch((error: unknown) => {
    const reason = reasonOf(error);
    log.warn('the state directory is not kept from other services', { directory, reason });
  });
  if (!claimed) return () => undefined;
  if ('release' in claimed) return () => claimed.release();
  throw new SetupError(`The directory ${directory} belongs to another bundle-updater.`);
}

/** @returns what has the bus be told of bundles that are new, and from then on of all that happens to them */
function followed(updater: BundleUpdater, serving: ReturnType<typeof serveBundles>): () => void {
  const known = new WeakSet<object>();
  const tell = async (work: (objects: Awaited<typeof serving>) => void) => work(await serving);
  return () => {
    for (const bundle of updater.list().filter((one) => !known.has(one))) {
      known.add(bundle);
      bundle.subscribe((event) => {
        void tell((objects) => {
          if (event.kind === 'status') objects.changed();
          else if (event.kind === 'update failed')
            objects.failed(bundle.name, event.code, event.reason);
          else {
            const { from = 0, to, added, removed } = event;
            objects.updated(bundle.name, from, to, added, removed);
          }
        });
      });
    }
    void tell((objects) => objects.changed());
  };
}
