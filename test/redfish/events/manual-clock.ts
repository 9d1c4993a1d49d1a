import type { EventClock } from '../../../src/redfish/events/event-clock.ts';

interface Timer {
  at: number;
  readonly run: () => void;
  readonly every?: number;
}

/** A clock that stands still until a test moves it. */
export class ManualClock implements EventClock {
  #time = 0;
  #began: number;
  readonly #timers = new Set<Timer>();

  /** @param time milliseconds since 1970 */
  constructor(time: number = Date.UTC(2026, 0, 1)) {
    this.#began = time;
  }

  now(): number {
    return this.#began + this.#time;
  }

  elapsed(): number {
    return this.#time;
  }

  /** Sets the time of day, as NTP does. @param now milliseconds since 1970 */
  set(now: number): void {
    this.#began = now - this.#time;
  }

  /** How long each of those who wait now has to wait yet, in milliseconds. */
  get pauses(): number[] {
    return [...this.#timers]
      .filter(({ every }) => every === undefined)
      .map(({ at }) => at - this.#time);
  }

  wait(milliseconds: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = { at: this.#time + milliseconds, run: resolve };
      this.#timers.add(timer);
      signal.addEventListener('abort', () => {
        this.#timers.delete(timer);
        reject(new Error('aborted'));
      });
    });
  }

  every(milliseconds: number, run: () => void): () => void {
    const timer = { at: this.#time + milliseconds, run, every: milliseconds };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  advance(milliseconds: number): void {
    this.#time += milliseconds;
    for (const timer of [...this.#timers]) {
      if (timer.at > this.#time) continue;
      if (timer.every === undefined) this.#timers.delete(timer);
      else timer.at = this.#time + timer.every;
      timer.run();
    }
  }
}

/** Lets everything run that waits for nothing but its turn, until something holds. */
export async function eventually(what: string, holds: () => boolean): Promise<void> {
  for (let round = 0; round < 20_000; round += 1) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  throw new Error(`never: ${what}`);
}
