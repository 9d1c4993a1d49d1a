import { join } from 'node:path';
import { reasonOf } from '../../core/cert-error.ts';
import type { Log } from '../../core/log.ts';
import { withAccountsLocked } from '../../identity/accounts/account-lock.ts';
import { removeTempFiles, tempFilesOf } from '../../storage/temp-files.ts';
import { copyName } from './identity.ts';
import { sourceFile } from './other-users.ts';

/** The files that nobody writes but the service that has claimed the directory. */
const ownFiles = [
  'access-settings.json',
  'account-certificates.json',
  'events.json',
  copyName,
  'sessions.json',
  sourceFile,
];

/**
 * Removes what a crash left unfinished beside the files of state: each may hold hashes or secret headers. What
 * other programs keep in the directory is theirs, and what one that sets a password is writing stays.
 */
export async function removeStaleTempFiles(stateDirectory: string, log: Log): Promise<void> {
  try {
    for (const name of ownFiles) await removeTempFiles(join(stateDirectory, name));
    const accounts = join(stateDirectory, 'accounts.json');
    if ((await tempFilesOf(accounts)).length === 0) return;
    await withAccountsLocked(accounts, () => removeTempFiles(accounts));
  } catch (error) {
    log.warn('unfinished files could not be removed', { reason: reasonOf(error) });
  }
}
