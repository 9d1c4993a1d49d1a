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
import type { Certificate } from './x509/certificate.ts';

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
      if (await this.#clearForeign((found) => this.#isInService(found))) {
        log.info('certificate in the truststore already, its file put aside', { path });
        return 'changed';
      }
      await this.#commit(() => this.#planAdoption());
      log.info('truststore was changed from outside', { path });
      return 'changed';
    } catch (error) {
      if (!(error instanceof CertError) || error === nothingToDo) return 'settled';
      // During a trial nothing can be done now: the next check looks again
      if (error.code === 'on-trial') return 'settled';
      const reason = reasonOf(error);
      if (error.code === 'storage') {
        log.error('changed truststore cannot be taken over', { path, reason });
        return 'settled';
      }
      log.error('changed truststore refused', { path, reason });
      await this.#refuse().catch((cause: unknown) => {
        log.error('last good truststore not put back', { path, reason: reasonOf(cause) });
      });
      return 'changed';
    }
  }

  /** After a change that failed, and could not be undone, on a disk that refused both. */
  async putRight(): Promise<void> {
    const { directory, log, path } = this.#options;
    if (!directory.isOutOfStep) return;
    await this.#putBack(true).catch((error: unknown) => {
      log.error('truststore not put right', { path, reason: reasonOf(error) });
    });
  }

  /** Looks again when its turn has come: a change of our own may have been under way. */
  async #planAdoption(): Promise<SetPlan> {
    const { directory, plans, inService } = this.#options;
    const found = await directory.scan();
    if (isUntouched(found)) throw nothingToDo;
    if (found) return plans.adopt(found);
    const inPlace = await directory.readInPlace();
    // Somebody took the path away, or left there what names nobody to trust: what it led to is in memory
    return inPlace.length > 0 ? plans.exchange(inPlace) : { next: inService(), asked: [] };
  }

  #isInService({ fingerprint }: Certificate): boolean {
    return this.#options.inService().some((one) => one.certificate.fingerprint === fingerprint);
  }

  /**
   * Where the files of others are all that changed, they merely go: no service has to hear of that.
   * @returns false when there is more to do
   */
  #clearForeign(mayGo: (found: Certificate) => boolean): Promise<boolean> {
    const { directory, queue } = this.#options;
    return queue.quietly(async () => {
      const found = await directory.scan();
      if (!found?.inStep || found.foreign.length === 0 || !found.foreign.every(mayGo)) return false;
      await directory.clearForeign();
      return true;
    });
  }

  async #refuse(): Promise<void> {
    if (!(await this.#clearForeign(() => true))) await this.#putBack();
  }

  #putBack(carries = false): Promise<unknown> {
    return this.#commit(async () => ({ next: this.#options.inService(), asked: [] }), carries);
  }

  #commit(validate: Change<SetPlan>['validate'], carries = false): Promise<unknown> {
    const { directory, queue, publish } = this.#options;
    const write = ({ next }: SetPlan) => directory.commitAfresh(next, carries);
    return queue.run({ validate, write, publish });
  }
}

function isUntouched(found: ScannedDirectory | undefined): boolean {
  return found !== undefined && found.foreign.length === 0 && found.inStep;
}

/** Thrown where there is nothing to change after all; nobody sees it. */
const nothingToDo = new CertError('not-found', 'nothing was changed');
