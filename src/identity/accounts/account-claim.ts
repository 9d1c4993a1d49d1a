import { basename, dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SetupError } from '../../core/setup-error.ts';
import { type Claim, claimName, type Taken } from '../../storage/claim-socket.ts';
import { makeDirectory } from '../../storage/directory.ts';
import { stateAccess } from '../../storage/file-mode.ts';

/**
 * Claims the file of accounts, which one program at a time may write: the account manager for as long as it runs, or a
 * command that sets a password while it does not.
 * @throws SetupError when the directory cannot be made, or takes no socket
 */
export async function claimAccounts(path: string): Promise<Claim | Taken> {
  const directory = dirname(path);
  try {
    await makeDirectory(directory, await stateAccess(path));
    return await claimName(directory, `${basename(path)}.lock`);
  } catch (cause) {
    throw new SetupError(`The directory of accounts ${directory} cannot be used.`, { cause });
  }
}

/** Longer than a command takes to set a password on a slow device. */
const maxWaitMilliseconds = 10_000;
const pauseMilliseconds = 100;

/** Waits for the claim. @throws SetupError when another program does not give it up */
export async function holdAccounts(path: string): Promise<Claim> {
  const end = performance.now() + maxWaitMilliseconds;
  for (;;) {
    const claimed = await claimAccounts(path);
    if ('release' in claimed) return claimed;
    if (performance.now() > end) {
      const process = claimed.takenBy === 0 ? '' : ` (process ${claimed.takenBy})`;
      throw new SetupError(`The accounts in ${dirname(path)} belong to another program${process}.`);
    }
    await sleep(pauseMilliseconds);
  }
}
