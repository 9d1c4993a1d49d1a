import { rm } from 'node:fs/promises';
import { reasonOf } from '../core/cert-error.ts';
import type { EventLog } from '../core/log.ts';
import { Mutex } from '../core/mutex.ts';
import { writeFileAtomic } from '../storage/atomic-file.ts';
import { worldReadable } from '../storage/file-mode.ts';
import { removeTempFiles } from '../storage/temp-files.ts';

export interface TextfileSettings {
  readonly path: string;
  /** Milliseconds between two looks at whether there is something new to write. */
  readonly every: number;
  /** Milliseconds after which it is written in any case: its age tells whether the manager is alive. */
  readonly refresh: number;
}

export interface TextfileOptions {
  readonly text: () => Promise<string>;
  /** Milliseconds since some moment, by a clock that cannot be set. */
  readonly elapsed: () => number;
  readonly log: EventLog;
}

/** Keeps a file as the textfile collector of node_exporter reads it, while its settings say where. */
export class Textfile {
  readonly #options: TextfileOptions;
  readonly #turn = new Mutex();
  #settings: TextfileSettings | undefined;
  #timer: NodeJS.Timeout | undefined;
  #written: { readonly text: string; readonly at: number } | undefined;
  #isFailing = false;

  constructor(options: TextfileOptions) {
    this.#options = options;
  }

  /** Writes at once, and from then on. Without settings there is no file. Never rejects. */
  follow(settings: TextfileSettings | undefined): Promise<void> {
    return this.#turn.run(async () => {
      clearTimeout(this.#timer);
      const before = this.#settings;
      this.#settings = settings;
      this.#written = undefined;
      this.#isFailing = false;
      // What it says would be taken for the present
      if (before && before.path !== settings?.path)
        await rm(before.path, { force: true }).catch((error: unknown) =>
          this.#options.log.warn('metrics not removed', {
            path: before.path,
            reason: reasonOf(error),
          }),
        );
      if (!settings) return;
      await removeTempFiles(settings.path).catch(() => undefined);
      await this.#writeNews(settings);
      this.#wait(settings);
    });
  }

  /** Writes what the end of the program has changed. The file stays. Never rejects. */
  stop(): Promise<void> {
    return this.#turn.run(async () => {
      clearTimeout(this.#timer);
      if (this.#settings) await this.#writeNews(this.#settings);
      this.#settings = undefined;
    });
  }

  #wait(settings: TextfileSettings): void {
    const look = async () => {
      if (this.#settings !== settings) return;
      await this.#writeNews(settings);
      this.#wait(settings);
    };
    this.#timer = setTimeout(() => void this.#turn.run(look), settings.every);
    this.#timer.unref();
  }

  async #writeNews({ path, refresh }: TextfileSettings): Promise<void> {
    const { text: collect, elapsed, log } = this.#options;
    try {
      const text = await collect();
      const at = elapsed();
      const isFresh = this.#written !== undefined && at - this.#written.at < refresh;
      if (isFresh && text === this.#written?.text) return;
      await writeFileAtomic(path, text, worldReadable);
      this.#written = { text, at };
      if (this.#isFailing) log.info('metrics are written again', { path });
      this.#isFailing = false;
    } catch (error) {
      // Once, until it can be written again: it is tried at each look
      if (!this.#isFailing) log.warn('metrics not written', { path, reason: reasonOf(error) });
      this.#isFailing = true;
    }
  }
}
