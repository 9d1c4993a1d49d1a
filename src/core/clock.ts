/** A time before this was told by a clock that was not set yet. */
const unsetClock = Date.UTC(2020);

/** How far the clock may move against the time that went by before it counts as set. */
const jumpMilliseconds = 60_000;

/** How long the clock must have gone evenly before anything is given up for its age. */
const settledMilliseconds = 86_400_000;

/**
 * The time, for what is given up when it is too old: a key that a wrong clock made old would be lost for
 * ever, so the clock must not have been set for a day.
 * @param now milliseconds since 1970
 * @param elapsed milliseconds since some moment; this clock is never set
 * @param wasSet told by how many milliseconds the clock was set since the last question
 * @returns the time to judge ages by; undefined while they are not to be judged
 */
export function settledClock(
  now: () => number,
  elapsed: () => number,
  wasSet: (by: number) => void = () => undefined,
): () => Date | undefined {
  let offset = now() - elapsed();
  let since = elapsed();
  return () => {
    const next = now() - elapsed();
    const by = next - offset;
    // What the time service corrects in small steps is no jump
    offset = next;
    if (Math.abs(by) > jumpMilliseconds) {
      since = elapsed();
      wasSet(by);
    }
    return elapsed() - since < settledMilliseconds ? undefined : new Date(now());
  };
}

/** @param time milliseconds since 1970 */
export function isClockSet(time: number): boolean {
  return time >= unsetClock;
}
