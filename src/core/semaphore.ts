/** Permits for work of which only so much may run at once; the rest waits in line. */
export class Semaphore {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(permits: number) {
    this.#free = permits;
  }

  /**
   * @param signal leaves the line
   * @returns gives the permit back; to be called once
   * @throws the reason of the signal when it comes before the permit
   */
  acquire(signal?: AbortSignal): Promise<() => void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(begin), 1);
        reject(signal?.reason);
      };
      const begin = () => {
        signal?.removeEventListener('abort', leave);
        resolve(() => this.#release());
      };
      if (signal?.aborted) {
        reject(signal.reason);
      } else if (this.#free > 0) {
        this.#free -= 1;
        begin();
      } else {
        this.#waiting.push(begin);
        signal?.addEventListener('abort', leave, { once: true });
      }
    });
  }

  #release(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#free += 1;
  }
}
