import type { BundleClock } from '../../src/trust-bundle/poll-timer.ts';

interface Sleeper {
  readonly until: number;
  readonly wake: () => void;
}

/** A clock that stands still until a test moves it. */
export class ManualClock implements BundleClock {
  #passed = 0;
  #set: number;
  #sleepers: readonly Sleeper[] = [];

  constructor(now: number) {
    this.#set = now;
  }

  now = (): number => this.#set + this.#passed;
  monotonic = (): number => this.#passed;

  sleep = (milliseconds: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const sleeper = { until: this.#passed + milliseconds, wake: resolve };
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => this.#wake([sleeper]), { once: true });
      this.#sleepers = [...this.#sleepers, sleeper];
    });

  /** How long whoever sleeps goes on sleeping; `undefined` while nobody does. */
  get sleeping(): number | undefined {
    const left = this.#sleepers.map(({ until }) => until - this.#passed);
    return left.length === 0 ? undefined : Math.min(...left);
  }

  /** Lets time go by, until the sleepers that wake have begun to sleep again. */
  async pass(milliseconds: number): Promise<void> {
    const end = this.#passed + milliseconds;
    for (;;) {
      while (this.sleeping === undefined) await new Promise((resolve) => setTimeout(resolve, 1));
      const step = Math.min(this.sleeping, end - this.#passed);
      this.#passed += step;
      this.#wake(this.#sleepers.filter(({ until }) => until <= this.#passed));
      if (this.#passed >= end) return;
    }
  }

  /** As time synchronisation does. */
  setTo(now: number): void {
    this.#set = now - this.#passed;
  }

  #wake(sleepers: readonly Sleeper[]): void {
    this.#sleepers = this.#sleepers.filter((one) => !sleepers.includes(one));
    for (const { wake } of sleepers) wake();
  }
}
