import { hour } from './schedule.ts';

export interface BundleClock {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Milliseconds since some moment; this clock is never set. */
  readonly monotonic: () => number;
  /** Resolves after so many milliseconds, or as soon as the signal says so. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/**
 * Does something when its time has come. It waits by the clock that is never set, so setting the other one brings no burst
 * of polls and no year without one, and in steps of an hour, for a timer of Node takes no more than 24 days.
 */
export class PollTimer {
  readonly #clock: BundleClock;
  readonly #look: () => Promise<void>;
  readonly #poll: () => Promise<void>;
  #due: number | undefined;
  #wake = new AbortController();
  #isClosed = false;
  #ended: Promise<void> | undefined;

  /**
   * @param look comes before each wait
   * @param poll sets the timer anew; like `look` it does not reject
   */
  constructor(clock: BundleClock, look: () => Promise<void>, poll: () => Promise<void>) {
    this.#clock = clock;
    this.#look = look;
    this.#poll = poll;
  }

  /** @param pause in milliseconds; `undefined` for never */
  set(pause: number | undefined): void {
    this.#due = pause === undefined ? undefined : this.#clock.monotonic() + pause;
    this.#wake.abort();
  }

  /** Milliseconds until it is time. */
  get left(): number | undefined {
    return this.#due === undefined ? undefined : Math.max(0, this.#due - this.#clock.monotonic());
  }

  start(): void {
    this.#ended ??= this.#run();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#wake.abort();
    await this.#ended;
  }

  async #run(): Promise<void> {
    while (!this.#isClosed) {
      this.#wake = new AbortController();
      const { signal } = this.#wake;
      await this.#look();
      if (signal.aborted) continue;
      if (this.left === 0) {
        this.#due = undefined;
        await this.#poll();
      } else await this.#clock.sleep(Math.min(this.left ?? hour, hour), signal);
    }
  }
}
