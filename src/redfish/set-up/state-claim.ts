import { ownerOnly } from '../../durable/access.ts';
import { makeDirectory } from '../../durable/directory.ts';
import { type Lock, lock } from '../../durable/lock.ts';
import { SetupError } from '../../platform/configuration.ts';
import type { Log } from '../../platform/log.ts';

/**
 * Keeps every other service from the files of a state directory, from before they are touched until this one
 * ends: what a second one takes for left over, the first one may be at. A port cannot do that, for the second
 * may have another one.
 * @throws SetupError when another service has them
 */
export async function claimState(directory: string, log: Log): Promise<Lock> {
  // Where it cannot be made, nobody has anything in it
  await makeDirectory(directory, ownerOnly).catch(() => undefined);
  const claimed = await lock({ directory });
  if (claimed === 'taken') {
    throw new SetupError(`The state directory ${directory} belongs to another Redfish service.`);
  }
  if (claimed !== 'unable') return claimed;
  log.warn('the files of state are not kept from other services', { directory });
  return { release: () => undefined };
}
