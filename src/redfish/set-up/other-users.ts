import { join } from 'node:path';
import { reasonOf } from '../../core/cert-error.ts';
import type { Log } from '../../core/log.ts';
import { Mutex } from '../../core/mutex.ts';
import type { Configuration } from '../../platform/configuration.ts';
import { readStateText, writeStateText } from '../../storage/state-file.ts';
import type { KeptSessions } from './kept-sessions.ts';
import type { OrphanedUserData } from './orphaned-user-data.ts';

/** A file that says whose users counted last, `file` or `bus`. */
export const sourceFile = 'users-source';

/**
 * Ends the sessions and certificates of users where the configuration names another source of users than at the last
 * start: a name may be another person's now. In memory they end before this returns.
 * @returns what has the files say so, and puts the source on record after that. It resolves when that is done, or cannot be
 *   done now: the next call tries again, and so does the next start
 * @throws SetupError when the record is there and cannot be read
 */
export function endOtherUsers(
  { users, redfish }: Configuration,
  { certificates, sessions, kept }: OrphanedUserData & { readonly kept: KeptSessions },
  log: Log,
): () => Promise<void> {
  const path = join(redfish.directory, sourceFile);
  const { source } = users;
  const turn = new Mutex();
  let isOnRecord = (readStateText(path)?.trim() ?? 'file') === source;
  if (!isOnRecord) {
    log.info('other users count than before', { source });
    sessions.endAll();
    certificates.clear();
  }
  return () =>
    turn.run(async () => {
      if (isOnRecord) return;
      try {
        await Promise.all([kept.store(), certificates.store()]);
        await writeStateText(path, source);
        isOnRecord = true;
      } catch (error) {
        log.error('not written whose users count', { reason: reasonOf(error) });
      }
    });
}
