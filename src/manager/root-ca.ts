import { dirname, join } from 'node:path';
import { removeSynced } from '../durable/atomic-file.ts';
import { exists } from '../durable/disk-answer.ts';
import { clearUnfinished } from '../durable/unfinished.ts';
import { CertError, isStorageError, reasonOf } from './errors.ts';
import type { Surroundings } from './surroundings.ts';
import { readUploadFile } from './upload.ts';

/**
 * Installs the one authority of early OpenBMC releases, and removes its file as upstream does.
 * @param truststore the path of the truststore, beside which that file lies
 * @returns false when the disk refused it, so that it may be tried again
 */
export async function takeOverRootCa(
  truststore: string,
  install: (text: string) => Promise<unknown>,
  { log, limits }: Surroundings,
): Promise<boolean> {
  const path = join(dirname(truststore), 'Root-CA.pem');
  try {
    await clearUnfinished(path);
    if (!(await exists(path))) return true;
    await install(await readUploadFile(path, limits.uploadBytes)).catch((error: unknown) => {
      if (!(error instanceof CertError) || error.code !== 'already-installed') throw error;
    });
    // It must not come back once the authority was deleted
    await removeSynced(path);
    log.info('root certificate of an earlier installation taken over', { path });
    return true;
  } catch (error) {
    const reason = reasonOf(error);
    log.warn('root certificate of an earlier installation left in place', { path, reason });
    return !isStorageError(error);
  }
}
