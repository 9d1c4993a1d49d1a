import { basename, dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SetupError } from '../../core/setup-error.ts';
import { type Claim, claimName } from '../../storage/claim-socket.ts';
import { makeDirectory } from '../../storage/directory.ts';
import { stateAccess } from '../../storage/file-mode.ts';
import { classifyIoError } from '../../storage/io-errors.ts';

/** Longer than a write takes, however slow the disk is. */
const maxWaitMilliseconds = 10_000;
const pauseMilliseconds = 20;

/**
 * Does what reads the file of accounts and writes it anew, while no other program does such a thing: of two
 * changes at once, one would be lost.
 * @throws SetupError when another program does not come to its end
 */
export async function withAccountsLocked<T>(path: string, work: () => Promise<T>): Promise<T> {
  await makeDirectory(dirname(path), await stateAccess(path));
  const claim = await claimPatiently(path);
  try {
    return await work();
  } finally {
    claim?.release();
  }
}

/** @returns `undefined` where no socket can be: there the programs have to come one after the other by themselves */
async function claimPatiently(path: string): Promise<Claim | undefined> {
  const end = performance.now() + maxWaitMilliseconds;
  for (;;) {
    const claimed = await claimName(dirname(path), `${basename(path)}.lock`).catch(
      (error: unknown) => {
        if (classifyIoError(error) !== undefined) throw error;
        return undefined;
      },
    );
    if (claimed === undefined || 'release' in claimed) return claimed;
    if (performance.now() > end) {
      const other = claimed.takenBy === 0 ? '' : ` (process ${claimed.takenBy})`;
      throw new SetupError(`Another program${other} changes the file ${path}.`);
    }
    await sleep(pauseMilliseconds);
  }
}
