import type { EventLog } from '../core/log.ts';
import type { TellOwned } from '../storage/ownership.ts';

/** Says once that a key was open to others: from then on it is not. */
export function tellOwned(log: EventLog): TellOwned {
  return (path, was) => log.warn('stored key made the property of the manager', { path, was });
}
