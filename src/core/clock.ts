/** A time before this was told by a clock that was not set yet. */
const unsetClock = Date.UTC(2020);

/** @param time milliseconds since 1970 */
export function isClockSet(time: number): boolean {
  return time >= unsetClock;
}
