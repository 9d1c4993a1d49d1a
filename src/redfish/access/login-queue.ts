/** Too many logins wait already. */
export class LoginQueueFull extends Error {
  override readonly name = 'LoginQueueFull';
}

interface Waiting {
  readonly run: () => Promise<void>;
  readonly refuse: (reason: Error) => void;
}

/**
 * One password check at a time, for each takes 16 MiB. The addresses take turns, and when the queue is
 * full, a newcomer takes the place of the last one of the address that waits most: a flood from one
 * address keeps nobody else out.
 */
export class LoginQueue {
  readonly #most: number;
  readonly #waiting = new Map<string, Waiting[]>();
  #running = false;

  /** @param most how many may wait, the one that is being checked not counted */
  constructor(most: number) {
    this.#most = most;
  }

  /** @throws LoginQueueFull */
  take<T>(address: string, check: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const run = () => check().then(resolve, reject);
      if (this.#length() >= this.#most && !this.#makeRoom(address)) {
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
    const [turn] = this.#waiting;
    if (!turn) return undefined;
    const [address, [first, ...others]] = turn;
    this.#waiting.delete(address);
    if (others.length > 0) this.#waiting.set(address, others);
    return first;
  }

  #makeRoom(newcomer: string): boolean {
    const own = this.#waiting.get(newcomer)?.length ?? 0;
    const [most] = [...this.#waiting].sort(([, a], [, b]) => b.length - a.length);
    if (!most || most[1].length <= own + 1) return false;
    most[1].pop()?.refuse(new LoginQueueFull('too many logins'));
    return true;
  }

  #length(): number {
    return [...this.#waiting.values()].reduce((sum, list) => sum + list.length, 0);
  }
}
