import { reasonOf } from '../../core/cert-error.ts';
import type { CredentialCandidate } from '../checks/checks.ts';
import { tellOwned } from '../owned-files.ts';
import {
  generates,
  makeCredential,
  type Parts,
  storeCredential,
  superseded,
} from './credential-changes.ts';
import { isGenerated, renewalReason } from './generated-certificate.ts';

/**
 * What the manager does to a credential by itself: it gives a server without a certificate one, renews one of its
 * own when its time has come, and keeps the file to itself and in its form.
 */
export class CredentialUpkeep {
  readonly #parts: Parts;
  /** Whether the file is still another user's after the manager wrote it. */
  #cannotOwn = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Never rejects. */
  async run(): Promise<void> {
    const { service } = this.#parts;
    await this.makeOwn();
    await this.#putInForm();
    if (!service.pair && generates(this.#parts)) {
      await this.#generate('there is no certificate', () => !service.pair);
    }
    const reason = this.#renewalReason();
    if (reason !== undefined)
      await this.#generate(reason, () => this.#renewalReason() !== undefined);
  }

  /** Why the certificate in service should make room; never for one that an operator installed. */
  #renewalReason(): string | undefined {
    const { identity, selfSigned, now } = this.#parts.dependencies;
    const { pair } = this.#parts.service;
    if (!pair || !isGenerated(pair.leaf)) return undefined;
    return renewalReason(pair.leaf, identity(), selfSigned, now());
  }

  /** Takes the file from others who may read or change it, see `faultsOf`. Never rejects. */
  async makeOwn(): Promise<void> {
    const { queue, definition, dependencies } = this.#parts;
    const { log } = dependencies;
    const { path } = definition;
    try {
      const was = await queue.during(() => this.#writeOwn());
      if (was !== undefined) tellOwned(log)(path, was);
    } catch (error) {
      if (error === superseded) return;
      log.error('stored key not made the property of the manager', {
        path,
        reason: reasonOf(error),
      });
    }
  }

  /** @returns why others could read or change it, `undefined` when nothing was written */
  async #writeOwn(): Promise<string | undefined> {
    const { queue, file, service, stored, definition, dependencies } = this.#parts;
    const faults = await file.applyFileMode();
    const { pair, text } = service;
    if (!faults || !pair || text === undefined || queue.isHeld || this.#cannotOwn) return;
    const mustBeThere = async () => {
      if ((await file.read()) !== text) throw superseded;
    };
    await mustBeThere();
    const { isOutOfForm } = stored;
    if (isOutOfForm || faults.isLinked) {
      // A link may lead to a file with more secrets than the key and its certificate
      await storeCredential(this.#parts, mustBeThere).write(pair);
      service.noteRestored();
    } else await file.writeAnew(text, mustBeThere);
    // A file system without owners, or of another machine, would have it written again at each look
    this.#cannotOwn = (await file.applyFileMode()) !== undefined;
    if (isOutOfForm) await dependencies.reload(definition);
    return faults.was;
  }

  /** Gives a file that no service could load the key that was kept elsewhere, and its right order. */
  async #putInForm(): Promise<void> {
    const { queue, service, stored, definition, dependencies } = this.#parts;
    if (!stored.isOutOfForm) return;
    const { log } = dependencies;
    const { path } = definition;
    try {
      await queue.run<CredentialCandidate>({
        ...storeCredential(this.#parts),
        validate: async () => {
          const { pair } = service;
          if (!pair || !stored.isOutOfForm) throw superseded;
          return pair;
        },
        publish: () => service.noteRestored(),
      });
      log.info('certificate file completed', { path });
    } catch (error) {
      if (error === superseded) return;
      log.error('certificate file not completed', { path, reason: reasonOf(error) });
    }
  }

  /** @param isNeeded asked when its turn has come: an operator may have been faster */
  async #generate(reason: string, isNeeded: () => boolean): Promise<void> {
    const { queue, stored, definition, dependencies } = this.#parts;
    const { log } = dependencies;
    const { path } = definition;
    try {
      await queue.run({
        ...storeCredential(this.#parts, async () => {
          // It may be the operator's certificate, which the follower of the file takes over in a moment
          if (await stored.hasOthers()) throw superseded;
        }),
        validate: async () => {
          if (!isNeeded()) throw superseded;
          return makeCredential(this.#parts);
        },
      });
      log.info('self-signed certificate generated', { path, reason });
    } catch (error) {
      if (error === superseded) return;
      log.error('no self-signed certificate', { path, reason: reasonOf(error) });
    }
  }
}
