import { clearAllUnfinished } from '../../durable/unfinished.ts';
import { reasonOf } from '../../manager/errors.ts';
import type { Log } from '../../platform/log.ts';

/** Removes what a crash left unfinished beside the files of state: each may hold hashes or secret headers. */
export async function clearAfterCrash(stateDirectory: string, log: Log): Promise<void> {
  await clearAllUnfinished(stateDirectory).catch((error: unknown) => {
    log.warn('unfinished files could not be removed', { reason: reasonOf(error) });
  });
}
