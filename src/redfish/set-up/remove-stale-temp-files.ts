import { join } from 'node:path';
import { reasonOf } from '../../core/cert-error.ts';
import type { Log } from '../../core/log.ts';
import { removeTempFiles } from '../../storage/temp-files.ts';
import { copyName } from './identity.ts';
import { sourceFile } from './other-users.ts';

/** The files that only the service which has claimed the directory writes. */
const ownFiles = [
  'access-settings.json',
  'account-certificates.json',
  'events.json',
  'followed-renames.json',
  copyName,
  'sessions.json',
  sourceFile,
];

/**
 * Removes what a crash left unfinished beside the files of state: each may hold hashes of tokens or secret headers. What
 * other programs keep in the directory is theirs.
 */
export async function removeStaleTempFiles(stateDirectory: string, log: Log): Promise<void> {
  try {
    for (const name of ownFiles) await removeTempFiles(join(stateDirectory, name));
  } catch (error) {
    log.warn('unfinished files could not be removed', { reason: reasonOf(error) });
  }
}
