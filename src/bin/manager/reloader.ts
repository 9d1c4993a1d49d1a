import { join } from 'node:path';
import { reasonOf } from '../../core/cert-error.ts';
import type { Log } from '../../core/log.ts';
import type { Configuration } from '../../platform/configuration.ts';
import { OwedReloads } from '../../platform/owed-reloads.ts';
import { makeReloader, type Reloader, type ReloadOptions } from '../../platform/reload.ts';

/** @param reloadUnit as that of a reloader, within so many milliseconds */
export function configuredReloader(
  configuration: () => Configuration,
  reloadUnit: (unit: string, timeout: number) => ReturnType<ReloadOptions['reloadUnit']>,
  log: Log,
): Reloader {
  const limits = () => {
    const { attemptSeconds, attempts, replyMilliseconds } = configuration().reload;
    return { attemptMilliseconds: attemptSeconds * 1000, attempts, replyMilliseconds };
  };
  return makeReloader({
    ...{ log, limits },
    now: Date.now,
    owed: owedReloads(configuration().runtimeDirectory, log),
    reloadUnit: (unit) => reloadUnit(unit, limits().attemptMilliseconds),
  });
}

/** Under systemd they are in the directory of the unit; the configured one may be the Redfish service's. */
function owedReloads(runtimeDirectory: string, log: Log): OwedReloads {
  const directory = process.env.RUNTIME_DIRECTORY ?? runtimeDirectory;
  let isTold = false;
  return new OwedReloads(join(directory, 'owed-reloads'), (error) => {
    if (!isTold) log.warn('reloads that are due cannot be noted', { reason: reasonOf(error) });
    isTold = true;
  });
}
