import { dirname } from 'node:path';
import { stateAccess } from '../../durable/access.ts';
import { makeDirectory } from '../../durable/directory.ts';
import { lock } from '../../durable/lock.ts';
import { SetupError } from '../../platform/configuration.ts';

/** Longer than a write takes, however slow the disk is. */
const patience = 10_000;

/**
 * Does what reads the file of accounts and writes it anew, while no other program does such a thing: of two
 * changes at once, one would be lost.
 * @throws SetupError when another program does not come to its end
 */
export async function withAccountsLocked<T>(path: string, work: () => Promise<T>): Promise<T> {
  await makeDirectory(dirname(path), await stateAccess(path));
  const locked = await lock({ file: `${path}.lock` }, patience);
  if (locked === 'taken') throw new SetupError(`Another program changes the file ${path}.`);
  // Where nothing can be locked, the programs have to come one after the other by themselves
  if (locked === 'unable') return work();
  try {
    return await work();
  } finally {
    locked.release();
  }
}
