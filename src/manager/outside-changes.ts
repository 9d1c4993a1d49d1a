import type { FileWatcher } from './watcher.ts';

/** What was found when the files were looked at. */
export type Finding = 'settled' | 'changed' | 'doubtful';

export interface OutsideChangesOptions {
  /** Begins to watch the files. */
  readonly watch: (changed: () => void) => FileWatcher;
  /** Milliseconds without an event after which files are looked at. */
  readonly settle: number;
  /** Milliseconds without an event after which a missing or bad file is taken for what it is. */
  readonly grace: number;
  /**
   * Takes over what the files hold now and answers `changed`, or `doubtful` for one that is missing or bad.
   * @param final true when nothing more is to be waited for
   */
  readonly look: (final: boolean) => Promise<Finding>;
  /** Milliseconds of a clock that nobody sets. */
  readonly monotonic?: () => number;
}

/**
 * Follows changes of files that others make. A program that writes in place, or deletes first and creates
 * then, leaves a bad or missing file for a while; only one that stays so is judged.
 */
export class OutsideChanges {
  readonly #options: OutsideChangesOptions;
  #watcher: FileWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<unknown> | undefined;
  readonly #monotonic: () => number;
  /** Milliseconds to wait after an event; longer while changes follow each other. */
  #pace: number;
  #lastChange = Number.NEGATIVE_INFINITY;

  constructor(options: OutsideChangesOptions) {
    this.#options = options;
    this.#monotonic = options.monotonic ?? (() => performance.now());
    this.#pace = options.settle;
  }

  start(): void {
    this.#watcher = this.#options.watch(() => {
      const isPause = this.#monotonic() - this.#lastChange >= pause;
      // What is written while a change is taken over may follow from it, however long that takes
      if (isPause && !this.#looking) this.#pace = this.#options.settle;
      this.#wait(this.#pace, false);
    });
  }

  /** Looks without an event too: a watch may have been lost, or never come about. */
  check(): void {
    this.#watcher?.renew();
    if (this.#watcher && !this.#timer) this.#wait(0, false);
  }

  /** Looks at nothing any more. @returns when the look that is under way has ended */
  async stop(): Promise<void> {
    this.#watcher?.close();
    this.#watcher = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#looking;
  }

  #wait(milliseconds: number, final: boolean): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#look(final);
    }, milliseconds);
    this.#timer.unref();
  }

  async #look(final: boolean): Promise<void> {
    // Never two looks at once: whatever one waits for, more of them would wait for too
    if (this.#looking) return this.#wait(this.#pace, final);
    const look = this.#options.look(final);
    this.#looking = look.catch(() => undefined);
    const finding = await look.finally(() => {
      this.#looking = undefined;
    });
    if (finding === 'changed') this.#slowDown();
    // An event in the meantime has begun a new wait of its own
    if (finding !== 'doubtful' || final || this.#timer || !this.#watcher) return;
    this.#wait(this.#options.grace, true);
  }

  /** A service that writes another file at each reload must not keep the device busy. */
  #slowDown(): void {
    this.#pace = Math.min(this.#pace * 2, Math.max(longestPace, this.#options.settle));
    this.#lastChange = this.#monotonic();
  }
}

/** Milliseconds after a change, from which on the next one does not follow from it. */
const pause = 2000;
const longestPace = 60_000;
