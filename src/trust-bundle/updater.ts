import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { checkAllSettings } from './bundle-settings.ts';
import type { BundleClock } from './poll-timer.ts';
import type { BundleSettings } from './settings.ts';
import { type BundleDependencies, SignedBundle } from './signed-bundle.ts';
import type { BundleUpdater } from './trust-bundle.ts';

export type { BundleDependencies };

export const systemClock: BundleClock = {
  now: Date.now,
  monotonic: () => performance.now(),
  sleep: (milliseconds, signal) =>
    wait(milliseconds, undefined, { signal, ref: false }).catch(() => undefined),
};

/**
 * Keeps the copies of all bundles and the groups that follow them.
 * @param directory of the state: each bundle has a directory of its name there
 * @throws BundleFault `setting`, SetupError, and what the file system throws
 */
export async function startBundleUpdater(
  settings: readonly BundleSettings[],
  directory: string,
  dependencies: BundleDependencies,
): Promise<BundleUpdater> {
  checkAllSettings(settings);
  const bundles = new Map<string, SignedBundle>();
  const apply = async (next: readonly BundleSettings[]): Promise<void> => {
    for (const [name, bundle] of bundles) {
      if (next.some((one) => one.name === name)) continue;
      bundles.delete(name);
      await bundle.close();
    }
    for (const one of next) {
      const there = bundles.get(one.name);
      if (there) await there.configure(one);
      else
        bundles.set(
          one.name,
          await SignedBundle.open(one, join(directory, one.name), dependencies),
        );
    }
  };
  await apply(settings);
  return {
    list: () => [...bundles.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    find: (name) => bundles.get(name),
    prepare: (next) => {
      checkAllSettings(next);
      return () => apply(next);
    },
    close: async () => {
      await Promise.all([...bundles.values()].map((bundle) => bundle.close()));
      bundles.clear();
    },
  };
}
