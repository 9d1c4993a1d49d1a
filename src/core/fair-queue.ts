/** Too much work waits already. */
export class QueueFull extends Error {
  override readonly name = 'QueueFull';
}

interface Waiting {
  readonly run: () => Promise<void>;
  readonly refuse: (reason: Error) => void;
}

/**
 * One work at a time, for each takes much. Owners that have not failed go before those that have, and take turns among
 * themselves. When the queue is full, a newcomer takes the place of the last one of the owner that failed most, or waits
 * most: a flood from one owner keeps no other out, and one from many keeps out only owners that fail themselves.
 */
export class FairQueue {
  readonly #max: number;
  readonly #failures: (owner: string) => number;
  readonly #waiting = new Map<string, Waiting[]>();
  #running = false;

  /**
   * @param max how many may wait, the one that is under way not counted
   * @param failures how often an owner has failed of late
   */
  constructor(max: number, failures: (owner: string) => number = () => 0) {
    this.#max = max;
    this.#failures = failures;
  }

  /** @throws QueueFull */
  take<T>(owner: string, work: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const run = () => work().then(resolve, reject);
      if (this.#length() >= this.#max && !this.#makeRoom(owner)) {
        reject(new QueueFull('too much work waits'));
        return;
      }
      const own = this.#waiting.get(owner) ?? [];
      own.push({ run, refuse: reject });
      this.#waiting.set(owner, own);
      void this.#work();
    });
  }

  async #work(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    for (let next = this.#next(); next; next = this.#next()) await next.run();
    this.#running = false;
  }

  /** The owner goes to the end of the line of owners. */
  #next(): Waiting | undefined {
    const [turn] = this.#owners().sort((a, b) => a.failures - b.failures);
    if (!turn) return undefined;
    const { owner, list } = turn;
    const [first, ...others] = list;
    this.#waiting.delete(owner);
    if (others.length > 0) this.#waiting.set(owner, others);
    return first;
  }

  #makeRoom(newcomer: string): boolean {
    const own = this.#waiting.get(newcomer)?.length ?? 0;
    const failures = this.#failures(newcomer);
    const [heaviest] = this.#owners().sort(
      (a, b) => b.failures - a.failures || b.list.length - a.list.length,
    );
    if (!heaviest || heaviest.failures < failures) return false;
    if (heaviest.failures === failures && heaviest.list.length <= own + 1) return false;
    heaviest.list.pop()?.refuse(new QueueFull('too much work waits'));
    if (heaviest.list.length === 0) this.#waiting.delete(heaviest.owner);
    return true;
  }

  #owners() {
    return [...this.#waiting].map(([owner, list]) => {
      return { owner, list, failures: this.#failures(owner) };
    });
  }

  #length(): number {
    return [...this.#waiting.values()].reduce((sum, list) => sum + list.length, 0);
  }
}
