/** Work on one thing: each begins when those before it have ended, however they ended. */
export class Mutex {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /** When all that was asked for until now has ended. */
  async settled(): Promise<void> {
    await this.#last;
  }
}
