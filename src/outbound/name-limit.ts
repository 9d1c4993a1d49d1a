import type { LookupAddress } from 'node:dns';

/** How long the addresses of a name may take to be found. */
export interface NameLimit {
  /** Of the lookup itself; what it waits for a turn does not count. */
  readonly milliseconds: number;
  /** Calls it off; it may live for long. */
  readonly signal: AbortSignal;
}

/** Finds the addresses of a name. @throws when there are none, or not in time */
export type LookUpName = (name: string, limit: NameLimit) => Promise<readonly LookupAddress[]>;

export const tooLate = 'its name was not found in time';
