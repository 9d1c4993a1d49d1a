import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { type NameLimit, tooLate } from './name-limit.ts';
import { unlessOver, withinTime } from './time-limit.ts';

interface SharedLookup {
  /** How many wait for it. */
  wanted: number;
  isRunning: boolean;
  /** In an object, for what comes of it may take long yet. */
  readonly begun: Promise<{ readonly found: Promise<readonly LookupAddress[]> }>;
  readonly begin: (found: Promise<readonly LookupAddress[]>) => void;
}

/** As many threads as libuv gives to what may wait long, half of its four: logins go on in the others. */
const maxAtOnce = 2;

/**
 * Lookups by the system (getaddrinfo). Nobody can call one off, and each has a thread that all of the
 * program shares. So there is one for each name at most, few run at once, and the others wait in line; the
 * time of an attempt begins with its lookup.
 */
export class SystemLookups {
  readonly #ask: (name: string) => Promise<readonly LookupAddress[]>;
  /** By name, in the order in which they came. */
  readonly #all = new Map<string, SharedLookup>();
  #running = 0;

  constructor(ask = (name: string) => lookup(name, { all: true })) {
    this.#ask = ask;
  }

  async addressesOf(
    name: string,
    { milliseconds, signal }: NameLimit,
  ): Promise<readonly LookupAddress[]> {
    const own = this.#all.get(name) ?? this.#add(name);
    own.wanted += 1;
    this.#work();
    try {
      const { found } = await unlessOver(signal, own.begun);
      return await withinTime({ milliseconds, signal, late: tooLate }, (over) =>
        unlessOver(over, found),
      );
    } finally {
      own.wanted -= 1;
      if (own.wanted === 0 && !own.isRunning) this.#forget(name, own);
    }
  }

  #add(name: string): SharedLookup {
    let begin: SharedLookup['begin'] = () => undefined;
    const begun = new Promise<{ found: Promise<readonly LookupAddress[]> }>((resolve) => {
      begin = (found) => resolve({ found });
    });
    const added = { wanted: 0, isRunning: false, begun, begin };
    this.#all.set(name, added);
    return added;
  }

  #work(): void {
    for (const [name, one] of this.#all) {
      if (this.#running >= maxAtOnce) return;
      if (one.isRunning) continue;
      one.isRunning = true;
      this.#running += 1;
      const found = this.#ask(name);
      one.begin(found);
      const end = () => {
        this.#running -= 1;
        this.#forget(name, one);
        this.#work();
      };
      // Whoever still waits for it hears of a failure himself
      found.then(end, end);
    }
  }

  #forget(name: string, one: SharedLookup): void {
    if (this.#all.get(name) === one) this.#all.delete(name);
  }
}
