import { createHash } from 'node:crypto';
import { CertError, reasonOf } from '../../core/cert-error.ts';
import { classifyIoError } from '../../storage/io-errors.ts';
import type { CredentialCandidate } from '../checks/checks.ts';
import type { Finding } from '../outside-changes.ts';
import { type Parts, removeCredential, superseded } from './credential-changes.ts';
import type { CredentialUpkeep } from './credential-upkeep.ts';

/** Follows what others make of the file of a pair: takes over a good one, and puts a bad one right. */
export class CredentialFileFollower {
  readonly #parts: Parts;
  readonly #upkeep: CredentialUpkeep;
  #refusedDigest: string | undefined;

  constructor(parts: Parts, upkeep: CredentialUpkeep) {
    this.#parts = parts;
    this.#upkeep = upkeep;
  }

  /** @param final true when the file will not get better by itself */
  async look(final: boolean): Promise<Finding> {
    const { file, service, queue, admission, stored, definition, dependencies } = this.#parts;
    const { path } = definition;
    const { log } = dependencies;
    let text: string | undefined;
    // The last change counts
    const mustBeThere = async () => {
      if ((await this.#read()) !== text) throw superseded;
    };
    const stillThere = async <T>(validate: () => Promise<T>): Promise<T> => {
      await mustBeThere();
      return validate();
    };
    try {
      text = await this.#read();
      if (text === service.text) {
        if (text !== undefined) await this.#upkeep.makeOwn();
        return 'settled';
      }
      if (text === undefined) {
        if (!final) return 'doubtful';
        if (stored.isVacated) {
          await this.#putBack('');
          return 'changed';
        }
        const gone = removeCredential(this.#parts, () => undefined, mustBeThere);
        await queue.run({ ...gone, validate: () => stillThere(gone.validate) });
        log.warn('certificate file was removed', { path });
      } else {
        const changed = text;
        await queue.run<CredentialCandidate>({
          publish: (pair) => service.publish(pair),
          validate: () => stillThere(() => admission.admit(changed)),
          write: async (pair) => {
            await file.write(pair, mustBeThere);
            stored.noteServed();
          },
        });
        log.info('certificate file was changed', { path });
      }
      return 'changed';
    } catch (error) {
      // During a staged replacement, or without a disk, nothing can be done now: the next check looks again
      if (!(error instanceof CertError) || error === superseded) return 'settled';
      if (waits.includes(error.code) || classifyIoError(error.cause) !== undefined)
        return 'settled';
      if (!final) return 'doubtful';
      await this.#refuse(text ?? '', error);
      return 'changed';
    }
  }

  /** Puts the last good pair back in place of a file that no service could load at its next start. */
  async #refuse(text: string, error: CertError): Promise<void> {
    const { service, stored, dependencies, definition } = this.#parts;
    const digest = createHash('sha256').update(text).digest('hex');
    // Without a good one the bad one stays where it is, and is told of once
    if (!service.pair && digest === this.#refusedDigest) return;
    this.#refusedDigest = digest;
    const { path } = definition;
    const reason = reasonOf(error);
    dependencies.log.error('changed certificate file refused', { path, reason });
    service.listeners.tell({ kind: 'damaged', path, reason });
    if (service.pair) await this.#putBack(text);
    else stored.noteUnserved();
  }

  /** @param text what must still be there: a change in the meantime has put a good one there already */
  async #putBack(text: string): Promise<void> {
    const { file, service, queue, stored, dependencies, definition } = this.#parts;
    const mustBeThere = async () => {
      if ((await this.#readAnything()) !== text) throw superseded;
    };
    try {
      await queue.run<CredentialCandidate>({
        validate: async () => {
          await mustBeThere();
          if (!service.pair) throw superseded;
          return service.pair;
        },
        write: async (pair) => {
          // The bad one stays until the good one can take its place: a full disk must not leave neither
          await file.write(pair, async () => {
            await mustBeThere();
            await stored.putAside();
          });
          stored.noteServed();
        },
        publish: () => service.noteRestored(),
      });
    } catch (cause) {
      if (cause === superseded) return;
      dependencies.log.error('last good certificate not put back', {
        path: definition.path,
        reason: reasonOf(cause),
      });
    }
  }

  /** What others wrote has a limit; what the manager wrote itself may be beyond it. */
  #read(): Promise<string | undefined> {
    const { file, service, dependencies } = this.#parts;
    const { uploadBytes } = dependencies.limits;
    return file.read(Math.max(uploadBytes, Buffer.byteLength(service.text ?? '')));
  }

  /** The text of the file for a comparison, also of one that no endpoint would take. */
  async #readAnything(): Promise<string> {
    const text = this.#read().catch((error: unknown) => {
      if (error instanceof CertError && classifyIoError(error.cause) !== undefined) throw error;
      return undefined;
    });
    return (await text) ?? '';
  }
}

/** Failures after which the file may be as good as it was before. */
const waits: readonly string[] = [
  'replacement-in-progress',
  'storage',
  'storage-full',
  'not-found',
];
