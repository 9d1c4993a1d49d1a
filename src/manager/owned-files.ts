import type { TellOwned } from '../storage/ownership.ts';
import type { Log } from './endpoint-dependencies.ts';

/** Says once that a key was open to others: from then on it is not. */
export function tellOwned(log: Log): TellOwned {
  return (path, was) => log.warn('stored key made the property of the manager', { path, was });
}
