/** Pauses that double up to a limit, in milliseconds; `jitter` (0 to 1) spreads them. */
export function* backoff(
  first: number,
  most: number,
  random: () => number = Math.random,
): Generator<number, never> {
  for (let pause = first; ; pause = Math.min(pause * 2, most)) {
    yield Math.round(pause * (0.9 + 0.2 * random()));
  }
}
