import { type FileWatcher, watchFile } from './store/watcher.ts';

/** What was found when the file was looked at. */
export type Finding = 'settled' | 'doubtful';

export interface OutsideChangesOptions {
  readonly path: string;
  /** Milliseconds without an event after which a file is looked at. */
  readonly settle: number;
  /** Milliseconds without an event after which a missing or bad file is taken for what it is. */
  readonly grace: number;
  /**
   * Takes over what the file holds now, or answers `doubtful` for a file that is missing or bad.
   * @param final true when nothing more is to be waited for
   */
  readonly look: (final: boolean) => Promise<Finding>;
}

/**
 * Follows changes of a file that others make. Whoever writes in place, or deletes first and creates
 * then, leaves a bad or missing file for a while; only one that stays so is judged.
 */
export class OutsideChanges {
  readonly #options: OutsideChangesOptions;
  #watcher: FileWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: OutsideChangesOptions) {
    this.#options = options;
  }

  start(): void {
    this.#watcher = watchFile(this.#options.path, () => this.#wait(this.#options.settle, false));
  }

  /** Looks without an event too: a watch may have been lost, or never come about. */
  check(): void {
    this.#watcher?.renew();
    if (this.#watcher && !this.#timer) this.#wait(0, false);
  }

  stop(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
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
    const finding = await this.#options.look(final);
    // An event in the meantime has begun a new wait of its own
    if (finding === 'settled' || final || this.#timer || !this.#watcher) return;
    this.#wait(this.#options.grace, true);
  }
}
