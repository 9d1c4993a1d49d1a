/** When a bundle is polled, as functions of times and chance alone. All in milliseconds. */

export const minute = 60_000;
export const hour = 60 * minute;
export const day = 24 * hour;

/** Devices that start together must not ask together. */
const startSpread = 10 * minute;
const firstRetry = 5 * minute;

/** After a success. @param random 0 to 1 */
export function pollPause(intervalHours: number, jitterPercent: number, random: number): number {
  const spread = (jitterPercent / 100) * (2 * random - 1);
  return Math.round(intervalHours * hour * (1 + spread));
}

/** After so many failures in a row: 5, 10, 20 minutes …, and no longer than between two polls. */
export function retryPause(failures: number, intervalHours: number, random: number): number {
  const pause = firstRetry * 2 ** Math.min(Math.max(failures - 1, 0), 20);
  return Math.round(Math.min(pause, intervalHours * hour) * (0.9 + 0.2 * random));
}

/**
 * At the start: at once on a new device, soon where a poll is overdue, and else when it was to be. A time that is
 * further ahead than a whole interval was written by another clock.
 */
export function startPause(
  nextPoll: number | undefined,
  now: number,
  longest: number,
  random: number,
): number {
  if (nextPoll === undefined) return 0;
  if (nextPoll <= now) return Math.round(Math.min(startSpread, longest) * random);
  return Math.min(nextPoll - now, longest);
}

/** What the age of a copy depends on. */
export interface Confirmation {
  readonly lastSuccess: number;
  readonly nextUpdate: number;
}

/** A server that only repeats what it said must renew it by `nextUpdate`. */
export function stalenessOf(
  { lastSuccess, nextUpdate }: Confirmation,
  {
    warnAfterDays,
    refuseAfterDays,
  }: { readonly warnAfterDays: number; readonly refuseAfterDays: number },
  now: number,
): 'fresh' | 'stale' | 'refused' {
  if (now > Math.min(lastSuccess, nextUpdate) + refuseAfterDays * day) return 'refused';
  return now > nextUpdate || now > lastSuccess + warnAfterDays * day ? 'stale' : 'fresh';
}
