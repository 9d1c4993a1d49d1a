import type { Log } from '../../core/log.ts';
import type { Configuration } from '../../platform/configuration.ts';
import { makeReloader, type Reloader, type ReloadOptions } from '../../platform/reload.ts';
import { runtimeNotes } from './runtime-notes.ts';

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
    owed: runtimeNotes(configuration(), 'owed-reloads', log),
    reloadUnit: (unit) => reloadUnit(unit, limits().attemptMilliseconds),
  });
}
