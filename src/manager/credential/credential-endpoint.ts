import { CertError, reasonOf } from '../../core/cert-error.ts';
import type { StagedChange } from '../change.ts';
import { type Change, ChangeQueue, stageChange } from '../change.ts';
import type { CredentialCandidate } from '../checks/checks.ts';
import { CsrService } from '../csr/csr-service.ts';
import { PendingRequests } from '../csr/pending-requests.ts';
import type { Endpoint } from '../endpoint.ts';
import type { EndpointDefinition } from '../endpoint-definition.ts';
import type { EndpointDependencies } from '../endpoint-dependencies.ts';
import type { EndpointEvent } from '../endpoint-event.ts';
import type { InstalledCertificate } from '../installed-certificate.ts';
import { OutsideChanges } from '../outside-changes.ts';
import { tellOwned } from '../owned-files.ts';
import { takeOverUpstreamKeys } from '../upgrade/upstream-keys.ts';
import { textOf, type UploadSource } from '../upload.ts';
import { watchFile } from '../watcher.ts';
import { ActiveCredential, asInstalled } from './active-credential.ts';
import { type CredentialAdmission, credentialAdmission } from './admission.ts';
import { type CredentialFile, credentialFile } from './credential-file.ts';
import { CredentialLoader } from './credential-loader.ts';
import { CredentialFileFollower } from './file-follower.ts';
import {
  curveFor,
  generateCertificate,
  isGenerated,
  renewalReason,
} from './generated-certificate.ts';
import type { KeySource } from './pairing.ts';

/** Server or client: one certificate with its key in one file. A server is never without one. */
export class CredentialEndpoint implements Endpoint {
  readonly definition: EndpointDefinition;
  readonly requests: CsrService;
  readonly #dependencies: EndpointDependencies;
  readonly #file: CredentialFile;
  readonly #pending: PendingRequests;
  readonly #admission: CredentialAdmission;
  readonly #queue: ChangeQueue;
  readonly #service: ActiveCredential;
  readonly #outside: OutsideChanges;
  readonly #stored: CredentialLoader;
  /** Whether the file is still another user's after the manager wrote it. */
  #cannotOwn = false;
  /** Whether a trial was undone of which its services know nothing yet. */
  #isRecovered = false;

  constructor(definition: EndpointDefinition, dependencies: EndpointDependencies) {
    const { limits, log, reload, watch } = dependencies;
    const { path, group, type } = definition;
    this.definition = definition;
    this.#dependencies = dependencies;
    this.#service = new ActiveCredential(dependencies);
    this.#file = credentialFile({ path, group, maxAside: limits.refusedFiles });
    this.#pending = new PendingRequests(`${path}.requests`, limits.pending);
    const role = type === 'server' ? type : 'client';
    this.#admission = credentialAdmission(role, dependencies, this.#waitingKeys());
    this.requests = new CsrService({
      pending: this.#pending,
      dependencies,
      inService: () => this.#service.pair,
      emit: (event) => this.#service.listeners.tell(event),
    });
    this.#queue = new ChangeQueue(
      () => reload(definition),
      () => dependencies.oweReload(definition),
    );
    this.#stored = new CredentialLoader({
      path,
      dependencies,
      file: this.#file,
      service: this.#service,
      admission: this.#admission,
      open: () => this.#open(),
    });
    const follower = new CredentialFileFollower({
      path,
      maxBytes: limits.uploadBytes,
      file: this.#file,
      service: this.#service,
      queue: this.#queue,
      admission: this.#admission,
      removal: (lastLook) => this.#removal(() => undefined, lastLook),
      makeOwn: () => this.#makeOwn(),
      stored: this.#stored,
      log,
    });
    this.#outside = new OutsideChanges({
      ...watch,
      watch: (changed) => watchFile(path, changed),
      look: (final) => follower.look(final),
    });
  }

  async start(): Promise<void> {
    this.#stored.begin();
    await this.maintain();
    this.#outside.start();
    this.#outside.check();
    if (this.#isRecovered) void this.#dependencies.reload(this.definition);
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
        await this.#stored.mustBeRead();
        return this.#admission.admit(text);
      },
      save: (directory, trial) => this.#file.save(directory, this.#service.text, trial),
      forward: this.#store(),
      confirm: async (pair) => {
        if (!pair || (await this.#file.holds(pair))) return;
        await this.#store().write(pair);
      },
      released: () => this.#outside.check(),
      backward: () => {
        const before = this.#service.pair;
        return { ...this.#store(), validate: async () => before };
      },
    });
  }

  async recover(directory: string): Promise<void> {
    // Whoever ended in between has told nobody
    this.#dependencies.oweReload(this.definition);
    this.#isRecovered = true;
    await this.#file.recover(directory);
  }

  subscribe(listener: (event: EndpointEvent) => void): void {
    this.#service.listeners.add(listener);
  }

  /** Gives a server without a certificate one, and renews one of our own when its time has come. */
  async maintain(): Promise<void> {
    if (!this.#stored.hasBegun) return;
    try {
      await this.#queue.during(() => this.#stored.mustBeRead());
    } catch {
      // The log says why; a disk that fails now may be well at the next look
      return;
    }
    this.#outside.check();
    this.#service.tellExpiry();
    await this.requests.maintain();
    if (this.#queue.isHeld) return;
    await this.#makeOwn();
    await this.#putInForm();
    if (!this.#service.pair && this.definition.type === 'server') {
      await this.#generate('there is no certificate', () => !this.#service.pair);
    }
    const reason = this.#renewalReason();
    if (reason !== undefined)
      await this.#generate(reason, () => this.#renewalReason() !== undefined);
  }

  /** Why the certificate in service should make room; never for one that an operator installed. */
  #renewalReason(): string | undefined {
    const { identity, selfSigned, now } = this.#dependencies;
    const { pair } = this.#service;
    if (!pair || !isGenerated(pair.leaf)) return undefined;
    return renewalReason(pair.leaf, identity(), selfSigned, now());
  }

  async #open(): Promise<void> {
    const { log, now } = this.#dependencies;
    await this.requests.start();
    await this.#file.open();
    await takeOverUpstreamKeys(this.definition.path, this.#pending, new Date(now()), log);
  }

  /** Takes the file from others who may read or change it, see `faultsOf`. */
  async #makeOwn(): Promise<void> {
    const { log } = this.#dependencies;
    const { path } = this.definition;
    try {
      const was = await this.#queue.during(() => this.#writeOwn());
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
    const faults = await this.#file.applyFileMode();
    const { pair, text } = this.#service;
    if (!faults || !pair || text === undefined || this.#queue.isHeld || this.#cannotOwn) return;
    const mustBeThere = async () => {
      if ((await this.#file.read()) !== text) throw superseded;
    };
    await mustBeThere();
    const { isOutOfForm } = this.#stored;
    if (isOutOfForm || faults.isLinked) {
      // A link may lead to a file with more secrets than the key and its certificate
      await this.#store(mustBeThere).write(pair);
      this.#service.noteRestored();
    } else await this.#file.writeAnew(text, mustBeThere);
    // A file system without owners, or of another machine, would have it written again at each look
    this.#cannotOwn = (await this.#file.applyFileMode()) !== undefined;
    if (isOutOfForm) await this.#dependencies.reload(this.definition);
    return faults.was;
  }

  /** Gives a file that no service could load the key that was kept elsewhere, and its right order. */
  async #putInForm(): Promise<void> {
    if (!this.#stored.isOutOfForm) return;
    const { log } = this.#dependencies;
    const { path } = this.definition;
    try {
      await this.#queue.run<CredentialCandidate>({
        ...this.#store(),
        validate: async () => {
          const { pair } = this.#service;
          if (!pair || !this.#stored.isOutOfForm) throw superseded;
          return pair;
        },
        publish: () => this.#service.noteRestored(),
      });
      log.info('certificate file completed', { path });
    } catch (error) {
      if (error === superseded) return;
      log.error('certificate file not completed', { path, reason: reasonOf(error) });
    }
  }

  /** @param isNeeded asked when its turn has come: an operator may have been faster */
  async #generate(reason: string, isNeeded: () => boolean): Promise<void> {
    const { log } = this.#dependencies;
    const { path } = this.definition;
    try {
      await this.#queue.run({
        ...this.#store(async () => {
          // It may be the operator's certificate; whoever follows the file takes it over in a moment
          if (await this.#stored.hasOthers()) throw superseded;
        }),
        validate: async () => {
          if (!isNeeded()) throw superseded;
          return this.#makeCertificate();
        },
      });
      log.info('self-signed certificate generated', { path, reason });
    } catch (error) {
      if (error === superseded) return;
      log.error('no self-signed certificate', { path, reason: reasonOf(error) });
    }
  }

  /** A self-signed certificate that the service can serve. */
  #makeCertificate(): Promise<CredentialCandidate> {
    const { identity, selfSigned, serving, now } = this.#dependencies;
    const curve = curveFor(selfSigned.curve, serving.securityLevel);
    return this.#admission.admitGenerated(
      generateCertificate(identity(), { ...selfSigned, curve }, now()),
    );
  }

  async #putInService(
    source: UploadSource,
    precondition: () => void,
  ): Promise<InstalledCertificate> {
    const pair = await this.#queue.run<CredentialCandidate>({
      ...this.#store(),
      validate: async () => {
        await this.#stored.mustBeRead();
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

  /** @param lastLook what it throws leaves the file as it is */
  #store(
    lastLook: () => Promise<void> = async () => undefined,
  ): Omit<Change<CredentialCandidate | undefined>, 'validate'> {
    return {
      write: async (pair) => {
        const look = async () => {
          await lastLook();
          await this.#stored.keepOthers(pair);
        };
        if (pair) {
          await this.#file.write(pair, look);
        } else {
          await look();
          await this.#file.remove();
        }
        this.#stored.noteServed();
      },
      publish: (pair) => this.#service.publish(pair),
    };
  }

  /** A server goes from its certificate to a self-signed one in a single rename. */
  #removal(
    precondition: () => void,
    lastLook?: () => Promise<void>,
  ): Change<CredentialCandidate | undefined> {
    return {
      ...this.#store(lastLook),
      validate: async () => {
        await this.#stored.mustBeRead();
        precondition();
        if (this.definition.type !== 'server') return undefined;
        return this.#makeCertificate();
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
