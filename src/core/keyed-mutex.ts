import { Mutex } from './mutex.ts';

interface Entry {
  readonly mutex: Mutex;
  /** Works that have not ended, by their owners. */
  readonly owners: Map<string, number>;
}

/** One Mutex for each key, which is there for as long as work on the key is under way or waits. */
export class KeyedMutex {
  readonly #maxOfOwner: number;
  readonly #entries = new Map<string, Entry>();

  /** @param maxOfOwner works that one owner may have at a key, that under way included */
  constructor(maxOfOwner = Number.POSITIVE_INFINITY) {
    this.#maxOfOwner = maxOfOwner;
  }

  /** Whether the owner may have one more work at the key. */
  hasRoom(key: string, owner: string): boolean {
    return (this.#entries.get(key)?.owners.get(owner) ?? 0) < this.#maxOfOwner;
  }

  /** Begins `work` when every earlier one of this key has ended, however they ended. Ask `hasRoom` before. */
  async run<T>(key: string, owner: string, work: () => Promise<T>): Promise<T> {
    const entry = this.#entries.get(key) ?? { mutex: new Mutex(), owners: new Map() };
    const { mutex, owners } = entry;
    this.#entries.set(key, entry);
    owners.set(owner, (owners.get(owner) ?? 0) + 1);
    try {
      return await mutex.run(work);
    } finally {
      const left = (owners.get(owner) ?? 0) - 1;
      if (left > 0) owners.set(owner, left);
      else owners.delete(owner);
      if (owners.size === 0) this.#entries.delete(key);
    }
  }

  /** Whether a work at the key would have to wait. */
  isTaken(key: string): boolean {
    return this.#entries.has(key);
  }
}
