import { createHash } from 'node:crypto';
import { type Change, ChangeQueue, stageChange } from './change.ts';
import type { KeyedCandidate } from './checks.ts';
import type {
  Endpoint,
  EndpointDefinition,
  EndpointEvent,
  InstalledCertificate,
  StagedChange,
} from './endpoint.ts';
import { CertError, reasonOf } from './errors.ts';
import { ExpiryWatch } from './expiry.ts';
import { generateCertificate, isGenerated, renewalReason } from './generated-certificate.ts';
import { Listeners } from './listeners.ts';
import { type Finding, OutsideChanges } from './outside-changes.ts';
import { type PairAdmission, pairAdmission } from './pair-admission.ts';
import type { KeySource } from './pairing.ts';
import { RequestDesk } from './request-desk.ts';
import { type PairFile, pairFile, pairText } from './store/pair-file.ts';
import { PendingRequests } from './store/pending-requests.ts';
import { takeOverUpstreamKeys } from './store/upstream-keys.ts';
import { watchFile } from './store/watcher.ts';
import type { Surroundings } from './surroundings.ts';
import { textOf, type UploadSource } from './upload.ts';
import { publicKeyHash, publicKeyInfo } from './x509/keys.ts';

const onlyId = '1';

/** Server or client: one certificate with its key in one file. A server is never without one. */
export class PairEndpoint implements Endpoint {
  readonly definition: EndpointDefinition;
  readonly requests: RequestDesk;
  readonly #surroundings: Surroundings;
  readonly #file: PairFile;
  readonly #pending: PendingRequests;
  readonly #admission: PairAdmission;
  readonly #queue: ChangeQueue;
  readonly #listeners: Listeners<EndpointEvent>;
  readonly #expiry: ExpiryWatch;
  readonly #outside: OutsideChanges;
  #pair: KeyedCandidate | undefined;
  /** What stands in the file as far as the manager knows. */
  #text: string | undefined;
  #refusedDigest: string | undefined;
  #state: 'new' | 'unread' | 'ready' = 'new';

  constructor(definition: EndpointDefinition, surroundings: Surroundings) {
    const { limits, log, reload, expiryThresholds, watch } = surroundings;
    const { path, group, type } = definition;
    this.definition = definition;
    this.#surroundings = surroundings;
    this.#file = pairFile({
      path,
      group,
      mostBytes: limits.uploadBytes,
      mostAside: limits.refusedFiles,
    });
    this.#pending = new PendingRequests(`${path}.requests`, limits.pending);
    this.#admission = pairAdmission(type, surroundings, this.#waitingKeys());
    this.#listeners = new Listeners(log);
    this.#expiry = new ExpiryWatch(expiryThresholds);
    this.#outside = new OutsideChanges({
      ...watch,
      watch: (changed) => watchFile(path, changed),
      look: (final) => this.#lookAtFile(final),
    });
    this.requests = new RequestDesk({
      pending: this.#pending,
      surroundings,
      keyInService: () => this.#pair && keyHash(this.#pair),
      emit: (event) => this.#listeners.tell(event),
    });
    this.#queue = new ChangeQueue(() => reload(definition));
  }

  async start(): Promise<void> {
    await this.#open();
    await this.#load();
    await this.maintain();
    this.#outside.start();
  }

  stop(): void {
    this.#outside.stop();
    this.#listeners.clear();
  }

  list(): readonly InstalledCertificate[] {
    return this.#pair ? [asInstalled(this.#pair)] : [];
  }

  async install(source: UploadSource): Promise<InstalledCertificate> {
    return this.#putInService(source, () => {
      if (!this.#pair) return;
      throw new CertError('already-installed', 'a certificate is installed; replace that one');
    });
  }

  async installAll(): Promise<never> {
    throw this.#notAuthority();
  }

  async replace(id: string, source: UploadSource): Promise<InstalledCertificate> {
    return this.#putInService(source, () => this.#mustExist(id));
  }

  async replaceAll(): Promise<never> {
    throw this.#notAuthority();
  }

  async delete(id: string): Promise<void> {
    await this.#queue.run(this.#removal(() => this.#mustExist(id)));
  }

  async deleteAll(): Promise<void> {
    await this.#queue.run(this.#removal(() => undefined));
  }

  stage(text: string): Promise<StagedChange> {
    return stageChange(this.#queue, {
      definition: this.definition,
      validate: () => this.#admission.admit(text),
      save: (directory) => this.#file.save(directory),
      forward: this.#store(),
      backward: () => {
        const before = this.#pair;
        return { ...this.#store(), validate: async () => before };
      },
    });
  }

  recover(directory: string): Promise<void> {
    return this.#file.recover(directory);
  }

  subscribe(listener: (event: EndpointEvent) => void): void {
    this.#listeners.add(listener);
  }

  /** Gives a server without a certificate one, and renews one of our own when its time has come. */
  async maintain(): Promise<void> {
    // What was never read must not be overwritten
    if (this.#state === 'new') return;
    if (this.#state === 'unread') await this.#load();
    if (this.#state !== 'ready') return;
    this.#outside.check();
    this.#tellExpiry();
    await this.requests.maintain();
    if (this.#queue.isHeld) return;
    if (!this.#pair && this.definition.type === 'server') {
      await this.#generate('there is no certificate', () => !this.#pair);
    }
    const reason = this.#renewalReason();
    if (reason !== undefined)
      await this.#generate(reason, () => this.#renewalReason() !== undefined);
  }

  /** Why the certificate in service should make room; never for one that an operator installed. */
  #renewalReason(): string | undefined {
    const { identity, selfSigned, now } = this.#surroundings;
    if (!this.#pair || !isGenerated(this.#pair.leaf)) return undefined;
    return renewalReason(this.#pair.leaf, identity(), selfSigned, now());
  }

  async #open(): Promise<void> {
    const { log, now } = this.#surroundings;
    const { path } = this.definition;
    try {
      await this.requests.start();
      await this.#file.open();
      await takeOverUpstreamKeys(path, this.#pending, new Date(now()), log);
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
      this.#publish(await this.#admission.readStored(text));
      this.#text = text;
    } catch (error) {
      log.error('stored certificate cannot be served', { path, reason: reasonOf(error) });
      if (this.definition.type === 'server' && !(await this.#putAside())) this.#state = 'unread';
    }
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

  /** Takes over what somebody else wrote. @param final when the file will not get better by itself */
  async #lookAtFile(final: boolean): Promise<Finding> {
    const { log } = this.#surroundings;
    const { path } = this.definition;
    let text: string | undefined;
    // Whoever used the bus in the meantime has the last word
    const stillThere = async <T>(validate: () => Promise<T>): Promise<T> => {
      if ((await this.#file.read()) !== text) throw superseded;
      return validate();
    };
    try {
      text = await this.#file.read();
      if (text === this.#text) return 'settled';
      if (text === undefined) {
        if (!final) return 'doubtful';
        const removal = this.#removal(() => this.#mustExist(onlyId));
        await this.#queue.run({ ...removal, validate: () => stillThere(removal.validate) });
        log.warn('certificate file was removed', { path });
      } else {
        const changed = text;
        const validate = () => stillThere(() => this.#admission.admit(changed));
        await this.#queue.run({ ...this.#store(), validate });
        log.info('certificate file was changed', { path });
      }
      return 'settled';
    } catch (error) {
      // During a trial, or without a disk, nothing can be done now: the next check looks again
      if (!(error instanceof CertError) || error === superseded) return 'settled';
      if (waits.includes(error.code)) return 'settled';
      if (!final) return 'doubtful';
      await this.#refuse(text ?? '', error);
      return 'settled';
    }
  }

  /** Puts the last good pair back in place of a file that no service could load at its next start. */
  async #refuse(text: string, error: CertError): Promise<void> {
    const { log } = this.#surroundings;
    const { path } = this.definition;
    const digest = createHash('sha256').update(text).digest('hex');
    // Without a good one the bad one stays where it is, and is told of once
    if (!this.#pair && digest === this.#refusedDigest) return;
    this.#refusedDigest = digest;
    log.error('changed certificate file refused', { path, reason: reasonOf(error) });
    try {
      await this.#queue.run<KeyedCandidate>({
        validate: async () => {
          // Whoever came in the meantime has put a good one there already
          if (!this.#pair || (await this.#readAnything()) !== text) throw superseded;
          return this.#pair;
        },
        write: async (pair) => {
          await this.#putAside();
          await this.#file.write(pair);
        },
        publish: (pair) => {
          this.#text = pairText(pair);
        },
      });
    } catch (cause) {
      if (cause === superseded) return;
      log.error('last good certificate not put back', { path, reason: reasonOf(cause) });
    }
  }

  /** The text of the file for a comparison, also of one that no endpoint would take. */
  async #readAnything(): Promise<string> {
    return (await this.#file.read().catch(() => undefined)) ?? '';
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
        const current = this.#pair;
        return current && keyHash(current) === hash ? current.key : this.#pending.find(hash);
      },
      isEmpty: () => this.#pending.isEmpty(),
    };
  }

  #store(): Omit<Change<KeyedCandidate | undefined>, 'validate'> {
    return {
      write: (pair) => (pair ? this.#file.write(pair) : this.#file.remove()),
      publish: (pair) => this.#publish(pair),
    };
  }

  /** A server goes from its certificate to a self-signed one in a single rename. */
  #removal(precondition: () => void): Change<KeyedCandidate | undefined> {
    const { identity, selfSigned, now } = this.#surroundings;
    return {
      ...this.#store(),
      validate: async () => {
        precondition();
        if (this.definition.type !== 'server') return undefined;
        return generateCertificate(identity(), selfSigned, now());
      },
      publish: (successor) => {
        this.#publish(undefined);
        this.#publish(successor);
      },
    };
  }

  #publish(pair: KeyedCandidate | undefined): void {
    const previous = this.#pair && asInstalled(this.#pair);
    const installed = pair && asInstalled(pair);
    this.#pair = pair;
    this.#text = pair && pairText(pair);
    if (previous && installed) this.#listeners.tell({ kind: 'changed', installed, previous });
    else if (installed) this.#listeners.tell({ kind: 'added', installed });
    else if (previous) this.#listeners.tell({ kind: 'removed', installed: previous });
    this.#tellExpiry();
  }

  #tellExpiry(): void {
    const news = this.#expiry.look(this.list(), this.#surroundings.now());
    for (const one of news) this.#listeners.tell({ kind: 'expiry', ...one });
  }

  #mustExist(id: string): void {
    if (id !== onlyId || !this.#pair)
      throw new CertError('not-found', `there is no certificate ${id}`);
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

/** Failures after which the file may be as good as it was before. */
const waits: readonly string[] = ['on-trial', 'storage', 'not-found'];

function keyHash({ leaf }: KeyedCandidate): string {
  return publicKeyHash(publicKeyInfo(leaf.publicKey));
}

function asInstalled({ leaf, chain }: KeyedCandidate): InstalledCertificate {
  return { id: onlyId, certificate: leaf, chain };
}
