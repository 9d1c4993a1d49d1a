import { join } from 'node:path';
import { reasonOf } from '../../core/cert-error.ts';
import type { Log } from '../../core/log.ts';
import type { Configuration } from '../../platform/configuration.ts';
import { readStateText, writeStateText } from '../../storage/state-file.ts';
import type { KeptSessions } from './kept-sessions.ts';
import type { OrphanedUserData } from './orphaned-user-data.ts';

/** A file that says whose users counted last, `file` or `bus`. */
export const sourceFile = 'users-source';

/**
 * Ends the sessions and certificates of users where the configuration names another source of users than at the last
 * start: a name may be another person's now. In memory they end before this returns; the promise settles when the files
 * say so too. A crash, or a disk that fails, before that leaves the record as it was, and the next start ends them again.
 * @throws SetupError when the record is there and cannot be read
 */
export function endOtherUsers(
  { users, redfish }: Configuration,
  { certificates, sessions, kept }: OrphanedUserData & { readonly kept: KeptSessions },
  log: Log,
): Promise<void> {
  const path = join(redfish.directory, sourceFile);
  const { source } = users;
  if ((readStateText(path)?.trim() ?? 'file') === source) return Promise.resolve();
  log.info('other users count than before', { source });
  sessions.endAll();
  certificates.clear();
  const store = async () => {
    await Promise.all([kept.store(), certificates.store()]);
    await writeStateText(path, source);
  };
  return store().catch((error: unknown) => {
    log.error('not written whose users count', { reason: reasonOf(error) });
  });
}
