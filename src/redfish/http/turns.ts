/** Lets one task after the other touch the same thing. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Runs `task` when every earlier one of this key has ended, however they ended. */
  async take<T>(key: string, task: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const mine = before.then(task, task);
    const settled = mine.catch(() => undefined);
    this.#last.set(key, settled);
    try {
      return await mine;
    } finally {
      if (this.#last.get(key) === settled) this.#last.delete(key);
    }
  }

  get size(): number {
    return this.#last.size;
  }
}
