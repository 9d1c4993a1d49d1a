import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { Semaphore } from '../core/semaphore.ts';
import { unlessOver, withinTime } from './time-limit.ts';

/** How long the addresses of a name may take to be found. */
export interface LookupLimit {
  /** Of the lookup itself; what it waits for a permit does not count. */
  readonly milliseconds: number;
  /** Calls it off; it may live for long. */
  readonly signal: AbortSignal;
}

/** Finds the addresses of a name. @throws when there are none, or not in time */
export type LookUpName = (name: string, limit: LookupLimit) => Promise<readonly LookupAddress[]>;

/** More names than are called; a name that is forgotten waits in the other line once. */
const maxKnownNames = 1000;

/**
 * Looks names up by the system (getaddrinfo). A lookup cannot be called off and has one of the two threads
 * that libuv gives to what may wait long. So there are two lines, each with one thread: one for names that
 * were found in time when they were last looked up, and one for all others, among them names
 * without an answer; see docs/decisions/2026-11-29-requests-to-others.md.
 */
export function nameLookup(
  ask: (name: string) => Promise<readonly LookupAddress[]> = (name) => lookup(name, { all: true }),
): LookUpName {
  const known = new Set<string>();
  const knownNames = new Semaphore(1);
  const otherNames = new Semaphore(1);
  return async (name, { milliseconds, signal }) => {
    const line = known.has(name) ? knownNames : otherNames;
    const release = await line.acquire(signal);
    // The thread is busy until the system has an answer, also when nothing waits for it any more
    const found = Promise.resolve(name).then(ask).finally(release);
    try {
      const limit = { milliseconds, signal, late: 'its name was not found in time' };
      const addresses = await withinTime(limit, (over) => unlessOver(over, found));
      if (known.size >= maxKnownNames) known.clear();
      known.add(name);
      return addresses;
    } catch (error) {
      known.delete(name);
      throw error;
    }
  };
}
