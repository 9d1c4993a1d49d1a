import { createHash } from 'node:crypto';
import type { Change, ChangeQueue } from './change.ts';
import type { KeyedCandidate } from './checks.ts';
import { CertError, reasonOf } from './errors.ts';
import type { Finding } from './outside-changes.ts';
import type { PairAdmission } from './pair-admission.ts';
import type { PairInService } from './pair-in-service.ts';
import type { PairFile } from './store/pair-file.ts';
import type { Log } from './surroundings.ts';

export interface PairFollowerOptions {
  readonly path: string;
  readonly file: PairFile;
  readonly service: PairInService;
  readonly queue: ChangeQueue;
  readonly admission: PairAdmission;
  /** What puts a pair into service, or takes it out. */
  readonly store: Omit<Change<KeyedCandidate | undefined>, 'validate'>;
  readonly removal: () => Change<KeyedCandidate | undefined>;
  /** Keeps a bad file under another name. */
  readonly putAside: () => Promise<boolean>;
  readonly log: Log;
}

/** Follows what others make of the file of a pair: takes over a good one, and puts a bad one right. */
export class PairFollower {
  readonly #options: PairFollowerOptions;
  #refusedDigest: string | undefined;

  constructor(options: PairFollowerOptions) {
    this.#options = options;
  }

  /** @param final true when the file will not get better by itself */
  async look(final: boolean): Promise<Finding> {
    const { file, service, queue, admission, store, removal, log, path } = this.#options;
    let text: string | undefined;
    // Whoever used the bus in the meantime has the last word
    const stillThere = async <T>(validate: () => Promise<T>): Promise<T> => {
      if ((await file.read()) !== text) throw superseded;
      return validate();
    };
    try {
      text = await file.read();
      if (text === service.text) return 'settled';
      if (text === undefined) {
        if (!final) return 'doubtful';
        const gone = removal();
        await queue.run({ ...gone, validate: () => stillThere(gone.validate) });
        log.warn('certificate file was removed', { path });
      } else {
        const changed = text;
        await queue.run({ ...store, validate: () => stillThere(() => admission.admit(changed)) });
        log.info('certificate file was changed', { path });
      }
      return 'changed';
    } catch (error) {
      // During a trial, or without a disk, nothing can be done now: the next check looks again
      if (!(error instanceof CertError) || error === superseded) return 'settled';
      if (waits.includes(error.code)) return 'settled';
      if (!final) return 'doubtful';
      await this.#refuse(text ?? '', error);
      return 'changed';
    }
  }

  /** Puts the last good pair back in place of a file that no service could load at its next start. */
  async #refuse(text: string, error: CertError): Promise<void> {
    const { file, service, queue, putAside, log, path } = this.#options;
    const digest = createHash('sha256').update(text).digest('hex');
    // Without a good one the bad one stays where it is, and is told of once
    if (!service.pair && digest === this.#refusedDigest) return;
    this.#refusedDigest = digest;
    log.error('changed certificate file refused', { path, reason: reasonOf(error) });
    try {
      await queue.run<KeyedCandidate>({
        validate: async () => {
          // Whoever came in the meantime has put a good one there already
          if (!service.pair || (await this.#readAnything()) !== text) throw superseded;
          return service.pair;
        },
        write: async (pair) => {
          await putAside();
          await file.write(pair);
        },
        publish: () => service.noteRestored(),
      });
    } catch (cause) {
      if (cause === superseded) return;
      log.error('last good certificate not put back', { path, reason: reasonOf(cause) });
    }
  }

  /** The text of the file for a comparison, also of one that no endpoint would take. */
  async #readAnything(): Promise<string> {
    return (await this.#options.file.read().catch(() => undefined)) ?? '';
  }
}

/** Thrown where another change came first; nobody sees it. */
const superseded = new CertError('already-installed', 'another certificate came first');

/** Failures after which the file may be as good as it was before. */
const waits: readonly string[] = ['on-trial', 'storage', 'not-found'];
