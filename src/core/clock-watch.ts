/** How far the clock may drift from the time that went by before that is a jump. */
const jumpMilliseconds = 5000;

const lookMilliseconds = 1000;

export interface Clock {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Milliseconds since some moment; this clock is never set. */
  readonly monotonic: () => number;
}

/**
 * Notices that the clock was set, as time synchronisation does some while after the boot of a
 * device that has no clock of its own.
 * @returns how to stop
 */
export function watchClock(clock: Clock, jumped: () => void): () => void {
  let offset = clock.now() - clock.monotonic();
  const timer = setInterval(() => {
    const next = clock.now() - clock.monotonic();
    const jump = Math.abs(next - offset) > jumpMilliseconds;
    if (!jump) return;
    offset = next;
    jumped();
  }, lookMilliseconds);
  timer.unref();
  return () => clearInterval(timer);
}
