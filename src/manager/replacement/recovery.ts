import { isStorageError, reasonOf } from '../../core/cert-error.ts';
import type { EventLog } from '../../core/log.ts';
import { readAttempts } from '../../storage/retry.ts';
import { tellOwned } from '../owned-files.ts';
import { type FindRecoverable, ReplacementJournal } from './journal.ts';

/** Undoes what was staged when a manager stopped, or gives it up where the disk does not let it. */
export class ReplacementRecovery {
  readonly #log: EventLog;
  /** How often the disk kept it from undoing what is recorded at a path. */
  readonly #failures = new Map<string, number>();

  constructor(log: EventLog) {
    this.#log = log;
  }

  /**
   * @param path where the replacement was staged
   * @param find the endpoints that may have a part in it
   * @returns false when the disk kept it from that, and may not do so for long: then it is to be called again
   */
  async recover(path: string, find: FindRecoverable): Promise<boolean> {
    const journal = new ReplacementJournal(path, tellOwned(this.#log));
    try {
      const undone = await journal.recover(find);
      if (undone) this.#log.warn('staged replacement undone after a restart', { path });
      return true;
    } catch (error) {
      this.#log.error('staged replacement cannot be undone', { path, reason: reasonOf(error) });
      const failures = this.#failures.get(path) ?? 0;
      this.#failures.set(path, failures + 1);
      if (isStorageError(error) && failures < readAttempts) return false;
      return this.#giveUp(path, journal);
    }
  }

  /** @returns false when it is still there, and would undo what is changed from now on */
  async #giveUp(path: string, journal: ReplacementJournal): Promise<boolean> {
    try {
      await journal.putAside();
      return true;
    } catch (error) {
      this.#log.error('record of a staged replacement not put aside', {
        path,
        reason: reasonOf(error),
      });
      return false;
    }
  }
}
