import { unanswered } from '../durable/disk-answer.ts';
import { type Change, ChangeQueue, patience, stageChange } from './change.ts';
import type { KeyedCandidate } from './checks.ts';
import type {
  Endpoint,
  EndpointDefinition,
  EndpointEvent,
  InstalledCertificate,
  StagedChange,
} from './endpoint.ts';
import { CertError, reasonOf } from './errors.ts';
import { generateCertificate, isGenerated, renewalReason } from './generated-certificate.ts';
import { OutsideChanges } from './outside-changes.ts';
import { type PairAdmission, pairAdmission } from './pair-admission.ts';
import { PairFollower } from './pair-follower.ts';
import { asInstalled, PairInService } from './pair-in-service.ts';
import type { KeySource } from './pairing.ts';
import { RequestDesk } from './request-desk.ts';
import { type PairFile, pairFile } from './store/pair-file.ts';
import { PendingRequests } from './store/pending-requests.ts';
import { takeOverUpstreamKeys } from './store/upstream-keys.ts';
import { watchFile } from './store/watcher.ts';
import type { Surroundings } from './surroundings.ts';
import { textOf, type UploadSource } from './upload.ts';

/** Server or client: one certificate with its key in one file. A server is never without one. */
export class PairEndpoint implements Endpoint {
  readonly definition: EndpointDefinition;
  readonly requests: RequestDesk;
  readonly #surroundings: Surroundings;
  readonly #file: PairFile;
  readonly #pending: PendingRequests;
  readonly #admission: PairAdmission;
  readonly #queue: ChangeQueue;
  readonly #service: PairInService;
  readonly #outside: OutsideChanges;
  #state: 'new' | 'unread' | 'ready' = 'new';
  #isOpen = false;
  /** How often the file was tried in vain. */
  #failedReads = 0;

  constructor(definition: EndpointDefinition, surroundings: Surroundings) {
    const { limits, log, reload, watch } = surroundings;
    const { path, group, type } = definition;
    this.definition = definition;
    this.#surroundings = surroundings;
    this.#service = new PairInService(surroundings);
    this.#file = pairFile({
      path,
      group,
      mostBytes: limits.uploadBytes,
      mostAside: limits.refusedFiles,
    });
    this.#pending = new PendingRequests(`${path}.requests`, limits.pending);
    this.#admission = pairAdmission(type, surroundings, this.#waitingKeys());
    this.requests = new RequestDesk({
      pending: this.#pending,
      surroundings,
      inService: () => this.#service.pair,
      emit: (event) => this.#service.listeners.tell(event),
    });
    this.#queue = new ChangeQueue(
      () => reload(definition),
      () => surroundings.oweReload(definition),
    );
    const follower = new PairFollower({
      path,
      file: this.#file,
      service: this.#service,
      queue: this.#queue,
      admission: this.#admission,
      store: this.#store(),
      removal: () => this.#removal(() => undefined),
      putAside: () => this.#putAside(),
      log,
    });
    this.#outside = new OutsideChanges({
      ...watch,
      watch: (changed) => watchFile(path, changed),
      look: (final) => follower.look(final),
    });
  }

  async start(): Promise<void> {
    await this.#open();
    await this.#load();
    await this.maintain();
    this.#outside.start();
  }

  stop(): void {
    this.#outside.stop();
    this.#service.listeners.clear();
  }

  list(): readonly InstalledCertificate[] {
    return this.#service.list();
  }

  async install(source: UploadSource): Promise<InstalledCertificate> {
    return this.#putInService(source, () => {
      if (!this.#service.pair) return;
      throw new CertError('already-installed', 'a certificate is installed; replace that one');
    });
  }

  async installAll(): Promise<never> {
    throw this.#notAuthority();
  }

  async replace(id: string, source: UploadSource): Promise<InstalledCertificate> {
    return this.#putInService(source, () => this.#service.mustBe(id));
  }

  async replaceAll(): Promise<never> {
    throw this.#notAuthority();
  }

  async delete(id: string): Promise<void> {
    await this.#queue.run(this.#removal(() => this.#service.mustBe(id)));
  }

  async deleteAll(): Promise<void> {
    await this.#queue.run(this.#removal(() => undefined));
  }

  stage(text: string): Promise<StagedChange> {
    return stageChange(this.#queue, {
      definition: this.definition,
      validate: async () => {
        await this.#mustBeRead();
        return this.#admission.admit(text);
      },
      save: (directory) => this.#file.save(directory),
      forward: this.#store(),
      confirm: async (pair) => {
        if (!pair || (await this.#file.holds(pair))) return;
        await this.#putAside();
        await this.#file.write(pair);
      },
      released: () => this.#outside.check(),
      backward: () => {
        const before = this.#service.pair;
        return { ...this.#store(), validate: async () => before };
      },
    });
  }

  recover(directory: string): Promise<void> {
    return this.#file.recover(directory);
  }

  subscribe(listener: (event: EndpointEvent) => void): void {
    this.#service.listeners.add(listener);
  }

  /** Gives a server without a certificate one, and renews one of our own when its time has come. */
  async maintain(): Promise<void> {
    // What was never read must not be overwritten
    if (this.#state === 'new') return;
    if (!this.#isOpen) await this.#open();
    if (this.#state === 'unread') await this.#load();
    if (this.#state !== 'ready') return;
    this.#outside.check();
    this.#service.tellExpiry();
    await this.requests.maintain();
    if (this.#queue.isHeld) return;
    if (!this.#service.pair && this.definition.type === 'server') {
      await this.#generate('there is no certificate', () => !this.#service.pair);
    }
    const reason = this.#renewalReason();
    if (reason !== undefined)
      await this.#generate(reason, () => this.#renewalReason() !== undefined);
  }

  /** Why the certificate in service should make room; never for one that an operator installed. */
  #renewalReason(): string | undefined {
    const { identity, selfSigned, now } = this.#surroundings;
    const { pair } = this.#service;
    if (!pair || !isGenerated(pair.leaf)) return undefined;
    return renewalReason(pair.leaf, identity(), selfSigned, now());
  }

  async #open(): Promise<void> {
    const { log, now } = this.#surroundings;
    const { path } = this.definition;
    try {
      await this.requests.start();
      await this.#file.open();
      await takeOverUpstreamKeys(path, this.#pending, new Date(now()), log);
      this.#isOpen = true;
    } catch (error) {
      log.error('directory cannot be used', { path, reason: reasonOf(error) });
    }
  }

  /** Publishes what the file holds, if it can be served; a file that cannot is reported and kept aside. */
  async #load(): Promise<void> {
    const { log } = this.#surroundings;
    const { path } = this.definition;
    this.#state = 'ready';
    try {
      const text = await this.#file.read();
      if (text === undefined) return;
      this.#service.publish(await this.#admission.readStored(text), text);
    } catch (error) {
      log.error('stored certificate cannot be served', { path, reason: reasonOf(error) });
      if (this.#mayBeReadLater(error)) {
        this.#state = 'unread';
        return;
      }
      if (this.definition.type === 'server' && !(await this.#putAside())) this.#state = 'unread';
    }
  }

  /** A file that the disk cannot read for long is as good as lost; a busy program says nothing of it. */
  #mayBeReadLater(error: unknown): boolean {
    const cause = error instanceof CertError ? error.cause : error;
    const why = unanswered(cause);
    if (why === 'failing') this.#failedReads += 1;
    return why === 'busy' || (why === 'failing' && this.#failedReads <= patience);
  }

  /** What was never read must not be written over. @throws CertError `storage` */
  async #mustBeRead(): Promise<void> {
    if (this.#state === 'unread') await this.#load();
    if (this.#state === 'ready') return;
    throw new CertError('storage', 'the certificate in service cannot be read; nothing changed');
  }

  /** @returns false when the file could not be kept, so that it must stay where it is */
  async #putAside(): Promise<boolean> {
    const { log, now } = this.#surroundings;
    const { path } = this.definition;
    try {
      const to = await this.#file.putAside(new Date(now()));
      log.warn('stored file put aside', { path, to });
      return true;
    } catch (error) {
      log.error('stored file cannot be put aside', { path, reason: reasonOf(error) });
      return false;
    }
  }

  /** @param isNeeded asked when its turn has come: an operator may have been faster */
  async #generate(reason: string, isNeeded: () => boolean): Promise<void> {
    const { log, identity, selfSigned, now } = this.#surroundings;
    const { path } = this.definition;
    try {
      await this.#queue.run({
        ...this.#store(),
        validate: async () => {
          if (!isNeeded()) throw superseded;
          return generateCertificate(identity(), selfSigned, now());
        },
      });
      log.info('self-signed certificate generated', { path, reason });
    } catch (error) {
      if (error === superseded) return;
      log.error('no self-signed certificate', { path, reason: reasonOf(error) });
    }
  }

  async #putInService(
    source: UploadSource,
    precondition: () => void,
  ): Promise<InstalledCertificate> {
    const pair = await this.#queue.run<KeyedCandidate>({
      ...this.#store(),
      validate: async () => {
        await this.#mustBeRead();
        precondition();
        return this.#admission.admit(await textOf(source));
      },
    });
    return asInstalled(pair);
  }

  /** Pending requests, and the key in service: a renewal may be for either. */
  #waitingKeys(): KeySource {
    return {
      find: async (hash) => {
        const { pair, keyHash } = this.#service;
        return pair && keyHash === hash ? pair.key : this.#pending.find(hash);
      },
      isEmpty: () => this.#pending.isEmpty(),
    };
  }

  #store(): Omit<Change<KeyedCandidate | undefined>, 'validate'> {
    return {
      write: (pair) => (pair ? this.#file.write(pair) : this.#file.remove()),
      publish: (pair) => this.#service.publish(pair),
    };
  }

  /** A server goes from its certificate to a self-signed one in a single rename. */
  #removal(precondition: () => void): Change<KeyedCandidate | undefined> {
    const { identity, selfSigned, now } = this.#surroundings;
    return {
      ...this.#store(),
      validate: async () => {
        await this.#mustBeRead();
        precondition();
        if (this.definition.type !== 'server') return undefined;
        return generateCertificate(identity(), selfSigned, now());
      },
      publish: (successor) => {
        this.#service.publish(undefined);
        this.#service.publish(successor);
      },
    };
  }

  #notAuthority(): CertError {
    return new CertError(
      'wrong-endpoint-type',
      `a ${this.definition.type} endpoint holds one certificate, not a list of authorities`,
    );
  }
}

/** Thrown where a change of our own comes too late; nobody sees it. */
const superseded = new CertError('already-installed', 'another certificate came first');
