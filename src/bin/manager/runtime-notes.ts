import { join } from 'node:path';
import { reasonOf } from '../../core/cert-error.ts';
import type { Log } from '../../core/log.ts';
import type { Configuration } from '../../platform/configuration.ts';
import { RuntimeNotes } from '../../platform/runtime-notes.ts';

/** Notes in the directory of the unit, where there is one: the configured one may be the Redfish service's. */
export function runtimeNotes(
  { runtimeDirectory }: Configuration,
  name: 'owed-reloads' | 'error-entries',
  log: Log,
): RuntimeNotes {
  const directory = join(process.env.RUNTIME_DIRECTORY ?? runtimeDirectory, name);
  let isTold = false;
  return new RuntimeNotes(directory, (error) => {
    if (!isTold)
      log.warn('nothing noted for the next start', { directory, reason: reasonOf(error) });
    isTold = true;
  });
}
