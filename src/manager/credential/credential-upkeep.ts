import { reasonOf } from '../../core/cert-error.ts';
import type { ChangeQueue } from '../change.ts';
import type { CredentialCandidate } from '../checks/checks.ts';
import type { EndpointDefinition } from '../endpoint-definition.ts';
import type { EndpointDependencies } from '../endpoint-dependencies.ts';
import { tellOwned } from '../owned-files.ts';
import type { ActiveCredential } from './active-credential.ts';
import { type CredentialChanges, superseded } from './credential-changes.ts';
import type { CredentialFile } from './credential-file.ts';
import type { CredentialLoader } from './credential-loader.ts';
import { isGenerated, renewalReason } from './generated-certificate.ts';

export interface CredentialUpkeepOptions {
  readonly definition: EndpointDefinition;
  readonly dependencies: EndpointDependencies;
  readonly queue: ChangeQueue;
  readonly file: CredentialFile;
  readonly service: ActiveCredential;
  readonly stored: CredentialLoader;
  readonly changes: CredentialChanges;
}

/**
 * What the manager does to a credential by itself: it gives a server without a certificate one, renews one of its
 * own when its time has come, and keeps the file to itself and in its form.
 */
export class CredentialUpkeep {
  readonly #options: CredentialUpkeepOptions;
  /** Whether the file is still another user's after the manager wrote it. */
  #cannotOwn = false;

  constructor(options: CredentialUpkeepOptions) {
    this.#options = options;
  }

  /** Never rejects. */
  async run(): Promise<void> {
    const { service, definition } = this.#options;
    await this.makeOwn();
    await this.#putInForm();
    if (!service.pair && definition.type === 'server') {
      await this.#generate('there is no certificate', () => !service.pair);
    }
    const reason = this.#renewalReason();
    if (reason !== undefined)
      await this.#generate(reason, () => this.#renewalReason() !== undefined);
  }

  /** Why the certificate in service should make room; never for one that an operator installed. */
  #renewalReason(): string | undefined {
    const { identity, selfSigned, now } = this.#options.dependencies;
    const { pair } = this.#options.service;
    if (!pair || !isGenerated(pair.leaf)) return undefined;
    return renewalReason(pair.leaf, identity(), selfSigned, now());
  }

  /** Takes the file from others who may read or change it, see `faultsOf`. Never rejects. */
  async makeOwn(): Promise<void> {
    const { queue, definition, dependencies } = this.#options;
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
    const { queue, file, service, stored, changes, definition, dependencies } = this.#options;
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
      await changes.store(mustBeThere).write(pair);
      service.noteRestored();
    } else await file.writeAnew(text, mustBeThere);
    // A file system without owners, or of another machine, would have it written again at each look
    this.#cannotOwn = (await file.applyFileMode()) !== undefined;
    if (isOutOfForm) await dependencies.reload(definition);
    return faults.was;
  }

  /** Gives a file that no service could load the key that was kept elsewhere, and its right order. */
  async #putInForm(): Promise<void> {
    const { queue, service, stored, changes, definition, dependencies } = this.#options;
    if (!stored.isOutOfForm) return;
    const { log } = dependencies;
    const { path } = definition;
    try {
      await queue.run<CredentialCandidate>({
        ...changes.store(),
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
    const { queue, stored, changes, definition, dependencies } = this.#options;
    const { log } = dependencies;
    const { path } = definition;
    try {
      await queue.run({
        ...changes.store(async () => {
          // It may be the operator's certificate, which the follower of the file takes over in a moment
          if (await stored.hasOthers()) throw superseded;
        }),
        validate: async () => {
          if (!isNeeded()) throw superseded;
          return changes.makeCertificate();
        },
      });
      log.info('self-signed certificate generated', { path, reason });
    } catch (error) {
      if (error === superseded) return;
      log.error('no self-signed certificate', { path, reason: reasonOf(error) });
    }
  }
}
