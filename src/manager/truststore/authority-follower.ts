import { CertError, reasonOf } from '../../core/cert-error.ts';
import type { EventLog } from '../../core/log.ts';
import type { Certificate } from '../../x509/certificate.ts';
import type { Change, ChangeQueue } from '../change.ts';
import type { Finding } from '../outside-changes.ts';
import {
  type Authority,
  type AuthorityDirectory,
  nothingSeen,
  type ScannedDirectory,
  type Seen,
} from './authority-directory.ts';
import type { AuthorityPlans, SetPlan } from './authority-plans.ts';

export interface AuthorityFollowerOptions {
  readonly path: string;
  readonly directory: AuthorityDirectory;
  readonly queue: ChangeQueue;
  readonly plans: AuthorityPlans;
  /** Those in service. */
  readonly inService: () => readonly Authority[];
  readonly publish: (plan: SetPlan) => void;
  readonly log: EventLog;
}

/** What is judged goes with the change; what came since is yet to be looked at. */
interface JudgedPlan extends SetPlan {
  readonly seen: Seen;
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
    let seen = nothingSeen;
    try {
      // What our own failure left there is nobody's wish
      await this.putRight();
      if (directory.isOutOfStep) return 'settled';
      if (isUntouched(await directory.scan())) return 'settled';
      if (!final) return 'doubtful';
      if (await this.#clearKnown()) {
        log.info('certificate in the truststore already, its file put aside', { path });
        return 'changed';
      }
      await this.#commit(() =>
        this.#planAdoption((found) => {
          seen = found.seen;
        }),
      );
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
      await this.#refuse(seen).catch((cause: unknown) => {
        log.error('last good truststore not put back', { path, reason: reasonOf(cause) });
      });
      return 'changed';
    }
  }

  /** After a change that failed, and could not be undone, on a disk that refused both. */
  async putRight(): Promise<void> {
    const { directory, log, path } = this.#options;
    if (!directory.isOutOfStep) return;
    await this.#putBack(nothingSeen).catch((error: unknown) => {
      log.error('truststore not put right', { path, reason: reasonOf(error) });
    });
  }

  /**
   * Looks again when its turn has come: a change of our own may have been under way.
   * @param judges told what the plan is about before it is made
   */
  async #planAdoption(judges: (found: ScannedDirectory) => void): Promise<JudgedPlan> {
    const { directory, plans, inService } = this.#options;
    const found = await directory.scan();
    if (isUntouched(found)) throw nothingToDo;
    if (found) {
      judges(found);
      return { ...(await plans.adopt(found)), seen: found.seen };
    }
    const inPlace = await directory.readInPlace();
    // Somebody took the path away, or left there what names nobody to trust: what it led to is in memory
    const plan =
      inPlace.length > 0 ? await plans.exchange(inPlace) : { next: inService(), asked: [] };
    return { ...plan, seen: nothingSeen };
  }

  #isInService({ fingerprint }: Certificate): boolean {
    return this.#options.inService().some((one) => one.certificate.fingerprint === fingerprint);
  }

  #clearKnown(): Promise<boolean> {
    return this.#clearForeign(({ foreign, seen }) =>
      foreign.every((one) => this.#isInService(one)) ? seen : undefined,
    );
  }

  /**
   * Where the files of others are all that changed, they merely go: no service has to hear of that.
   * @param choose which of them
   * @returns false when there is more to do
   */
  #clearForeign(choose: (found: ScannedDirectory) => Seen | undefined): Promise<boolean> {
    const { directory, queue } = this.#options;
    return queue.quietly(async () => {
      const found = await directory.scan();
      if (!found?.inStep || found.foreign.length === 0) return false;
      const chosen = choose(found);
      if (chosen === undefined) return false;
      await directory.clearForeign(chosen);
      return true;
    });
  }

  async #refuse(seen: Seen): Promise<void> {
    if (!(await this.#clearForeign(() => seen))) await this.#putBack(seen);
  }

  #putBack(seen: Seen): Promise<unknown> {
    return this.#commit(async () => ({ next: this.#options.inService(), asked: [], seen }));
  }

  #commit(validate: Change<JudgedPlan>['validate']): Promise<unknown> {
    const { directory, queue, publish } = this.#options;
    const write = ({ next, seen }: JudgedPlan) => directory.commitAfresh(next, seen);
    return queue.run({ validate, write, publish });
  }
}

function isUntouched(found: ScannedDirectory | undefined): boolean {
  return found !== undefined && found.foreign.length === 0 && found.inStep;
}

/** Thrown where there is nothing to change after all; nobody sees it. */
const nothingToDo = new CertError('not-found', 'nothing was changed');
