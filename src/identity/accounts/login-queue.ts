/** Too many logins wait already. */
export class LoginQueueFull extends Error {
  override readonly name = 'LoginQueueFull';
}

interface Waiting {
  readonly run: () => Promise<void>;
  readonly refuse: (reason: Error) => void;
}

/**
 * One password check at a time, for each takes 16 MiB. Addresses that have not failed go before those that
 * have, and take turns among themselves. When the queue is full, a newcomer takes the place of the last one
 * of the address that failed most, or waits most: a flood from one address keeps no other client out, and one
 * from many keeps out only clients that guess themselves.
 */
export class LoginQueue {
  readonly #max: number;
  readonly #failures: (address: string) => number;
  readonly #waiting = new Map<string, Waiting[]>();
  #running = false;

  /**
   * @param most how many may wait, the one that is being checked not counted
   * @param failures how often an address has failed of late
   */
  constructor(max: number, failures: (address: string) => number = () => 0) {
    this.#max = max;
    this.#failures = failures;
  }

  /** @throws LoginQueueFull */
  take<T>(address: string, check: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const run = () => check().then(resolve, reject);
      if (this.#length() >= this.#max && !this.#makeRoom(address)) {
        reject(new LoginQueueFull('too many logins'));
        return;
      }
      const own = this.#waiting.get(address) ?? [];
      own.push({ run, refuse: reject });
      this.#waiting.set(address, own);
      void this.#work();
    });
  }

  async #work(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    for (let next = this.#next(); next; next = this.#next()) await next.run();
    this.#running = false;
  }

  /** The address goes to the end of the line of addresses. */
  #next(): Waiting | undefined {
    const [turn] = this.#addresses().sort((a, b) => a.failures - b.failures);
    if (!turn) return undefined;
    const { address, list } = turn;
    const [first, ...others] = list;
    this.#waiting.delete(address);
    if (others.length > 0) this.#waiting.set(address, others);
    return first;
  }

  #makeRoom(newcomer: string): boolean {
    const own = this.#waiting.get(newcomer)?.length ?? 0;
    const failures = this.#failures(newcomer);
    const [guesser] = this.#addresses().sort(
      (a, b) => b.failures - a.failures || b.list.length - a.list.length,
    );
    if (!guesser || guesser.failures < failures) return false;
    if (guesser.failures === failures && guesser.list.length <= own + 1) return false;
    guesser.list.pop()?.refuse(new LoginQueueFull('too many logins'));
    if (guesser.list.length === 0) this.#waiting.delete(guesser.address);
    return true;
  }

  #addresses() {
    return [...this.#waiting].map(([address, list]) => {
      return { address, list, failures: this.#failures(address) };
    });
  }

  #length(): number {
    return [...this.#waiting.values()].reduce((sum, list) => sum + list.length, 0);
  }
}
