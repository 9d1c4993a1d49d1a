import type { AuthorityPlans, SetPlan } from './authority-plans.ts';
import type { Change, ChangeQueue } from './change.ts';
import { CertError, reasonOf } from './errors.ts';
import type { Finding } from './outside-changes.ts';
import type {
  Authority,
  AuthorityDirectory,
  ScannedDirectory,
} from './store/authority-directory.ts';
import type { Log } from './surroundings.ts';

export interface AuthorityFollowerOptions {
  readonly path: string;
  readonly directory: AuthorityDirectory;
  readonly queue: ChangeQueue;
  readonly plans: AuthorityPlans;
  /** Those in service. */
  readonly inService: () => readonly Authority[];
  readonly publish: (plan: SetPlan) => void;
  readonly log: Log;
}

/** Follows what others make of the directory of a truststore, and puts right what our own failures left. */
export class AuthorityFollower {
  readonly #options: AuthorityFollowerOptions;

  constructor(options: AuthorityFollowerOptions) {
    this.#options = options;
  }

  /**
   * Takes over what somebody else put into the directory, took from it, or changed there.
   * @param final true when the files will not get better by themselves
   */
  async look(final: boolean): Promise<Finding> {
    const { directory, log, path } = this.#options;
    try {
      // What our own failure left there is nobody's wish
      await this.putRight();
      if (directory.isOutOfStep) return 'settled';
      if (isUntouched(await directory.scan())) return 'settled';
      if (!final) return 'doubtful';
      await this.#commit(() => this.#planAdoption());
      log.info('truststore was changed from outside', { path });
      return 'changed';
    } catch (error) {
      // During a trial, or without a disk, nothing can be done now: the next check looks again
      if (!(error instanceof CertError) || error === nothingToDo) return 'settled';
      if (['on-trial', 'storage'].includes(error.code)) return 'settled';
      log.error('changed truststore refused', { path, reason: reasonOf(error) });
      await this.#putBack().catch((cause: unknown) => {
        log.error('last good truststore not put back', { path, reason: reasonOf(cause) });
      });
      return 'changed';
    }
  }

  /** After a change that failed, and could not be undone, on a disk that refused both. */
  async putRight(): Promise<void> {
    const { directory, log, path } = this.#options;
    if (!directory.isOutOfStep) return;
    await this.#putBack().catch((error: unknown) => {
      log.error('truststore not put right', { path, reason: reasonOf(error) });
    });
  }

  /** Looks again when its turn has come: a change of our own may have been under way. */
  async #planAdoption(): Promise<SetPlan> {
    const { directory, plans, inService } = this.#options;
    const found = await directory.scan();
    if (isUntouched(found)) throw nothingToDo;
    // Somebody took the path away: what it led to is in memory
    return found ? plans.adopt(found) : { next: inService(), asked: [] };
  }

  #putBack(): Promise<unknown> {
    return this.#commit(async () => ({ next: this.#options.inService(), asked: [] }));
  }

  #commit(validate: Change<SetPlan>['validate']): Promise<unknown> {
    const { directory, queue, publish } = this.#options;
    return queue.run({ validate, write: ({ next }) => directory.commitAfresh(next), publish });
  }
}

export function isUntouched(found: ScannedDirectory | undefined): boolean {
  return found !== undefined && found.foreign.length === 0 && found.inStep;
}

/** Thrown where there is nothing to change after all; nobody sees it. */
const nothingToDo = new CertError('not-found', 'nothing was changed');
