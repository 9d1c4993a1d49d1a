/** Pauses that double up to a limit, in milliseconds; `jitter` (0 to 1) spreads them. */
export function* backoff(
  first: number,
  max: number,
  random: () => number = Math.random,
): Generator<number, never> {
  for (let pause = first; ; pause = Math.min(pause * 2, max)) {
    yield Math.round(pause * (0.9 + 0.2 * random()));
  }
}
