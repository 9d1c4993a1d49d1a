import { RedfishError } from '../messages/redfish-error.ts';

/** Lets one task after the other touch the same thing. */
export class KeyedMutex {
  readonly #maxOfUser: number;
  readonly #last = new Map<string, Promise<unknown>>();
  /** Tasks that have not ended, by key and user. */
  readonly #shares = new Map<string, number>();

  /**
   * @param maxOfUser how many tasks one user may have at a key, that at work included: who is to lose his account must
   *   not put that off with changes of his own
   */
  constructor(maxOfUser = Number.POSITIVE_INFINITY) {
    this.#maxOfUser = maxOfUser;
  }

  /**
   * Runs `task` when every earlier one of this key has ended, however they ended.
   * @throws RedfishError 503 when the user has his share of them already
   */
  async take<T>(key: string, userName: string, task: () => Promise<T>): Promise<T> {
    const share = JSON.stringify([key, userName]);
    const held = this.#shares.get(share) ?? 0;
    if (held >= this.#maxOfUser) {
      const detail = 'Changes of the resource by this user wait already';
      const message = { id: 'ServiceTemporarilyUnavailable', args: ['5'], detail } as const;
      throw new RedfishError(503, message, { 'Retry-After': '5' });
    }
    this.#shares.set(share, held + 1);
    const before = this.#last.get(key) ?? Promise.resolve();
    const mine = before.then(task, task);
    const settled = mine.catch(() => undefined);
    this.#last.set(key, settled);
    try {
      return await mine;
    } finally {
      if (this.#last.get(key) === settled) this.#last.delete(key);
      const left = (this.#shares.get(share) ?? 0) - 1;
      if (left > 0) this.#shares.set(share, left);
      else this.#shares.delete(share);
    }
  }

  get size(): number {
    return this.#last.size + this.#shares.size;
  }
}
