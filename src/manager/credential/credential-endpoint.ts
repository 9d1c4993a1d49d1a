import { CertError } from '../../core/cert-error.ts';
import { modificationTime, setModificationTime } from '../../storage/modification-time.ts';
import type { Certificate } from '../../x509/certificate.ts';
import { ChangeQueue, type StagedChange, stageChange } from '../change.ts';
import type { CredentialCandidate } from '../checks/checks.ts';
import { CsrService } from '../csr/csr-service.ts';
import { PendingRequests } from '../csr/pending-requests.ts';
import type { Endpoint } from '../endpoint.ts';
import type { EndpointDefinition } from '../endpoint-definition.ts';
import type { EndpointDependencies } from '../endpoint-dependencies.ts';
import type { EndpointEvent } from '../endpoint-event.ts';
import type { InstalledCertificate } from '../installed-certificate.ts';
import { OutsideChanges } from '../outside-changes.ts';
import { takeOverUpstreamKeys } from '../upgrade/upstream-keys.ts';
import { blocksOf, type UploadSource } from '../upload.ts';
import { watchFile } from '../watcher.ts';
import { ActiveCredential, asInstalled } from './active-credential.ts';
import { credentialAdmission } from './admission.ts';
import { copiedFile } from './copied-file.ts';
import { type Parts, removeCredential, storeCredential } from './credential-changes.ts';
import { credentialFile } from './credential-file.ts';
import { CredentialLoader } from './credential-loader.ts';
import type { CredentialParts } from './credential-parts.ts';
import { CredentialUpkeep } from './credential-upkeep.ts';
import { CredentialFileFollower } from './file-follower.ts';
import type { KeySource } from './pairing.ts';

/** Server or client: one certificate with its key in one file. A server is never without one. */
export class CredentialEndpoint implements Endpoint {
  readonly definition: EndpointDefinition;
  readonly requests: CsrService;
  readonly #parts: Parts;
  readonly #upkeep: CredentialUpkeep;
  readonly #outside: OutsideChanges;
  /** Whether a staged replacement was undone of which its services know nothing yet. */
  #isRecovered = false;

  constructor(definition: EndpointDefinition, dependencies: EndpointDependencies) {
    const { path } = definition;
    const pending = new PendingRequests(`${path}.requests`, dependencies.limits.pendingRequests);
    const own = partsOf(definition, dependencies, pending);
    const { file, service } = own;
    const requests = new CsrService({
      type: definition.type,
      pending,
      dependencies,
      inService: () => service.pair,
      emit: (event) => service.listeners.tell(event),
    });
    const stored = new CredentialLoader(own, async () => {
      await requests.start();
      await file.open();
      await takeOverUpstreamKeys(path, pending, new Date(dependencies.now()), dependencies.log);
    });
    this.definition = definition;
    this.requests = requests;
    this.#parts = { ...own, stored };
    this.#upkeep = new CredentialUpkeep(this.#parts);
    const follower = new CredentialFileFollower(this.#parts, this.#upkeep);
    this.#outside = new OutsideChanges({
      ...dependencies.watch,
      watch: (changed) => watchFile(path, changed),
      look: (final) => follower.look(final),
    });
  }

  async start(): Promise<void> {
    this.#parts.stored.begin();
    await this.maintain();
    // The manager may have ended between the switch and this note
    const { pair } = this.#parts.service;
    if (pair) await this.requests.noteInstalled(pair, true);
    this.#outside.start();
    this.#outside.check();
    if (this.#isRecovered) void this.#parts.dependencies.reload(this.definition);
  }

  async drain(): Promise<void> {
    await this.#outside.stop();
    await this.#parts.queue.during(async () => undefined);
    await this.requests.settled();
  }

  stop(): void {
    void this.#outside.stop();
    this.#parts.service.listeners.clear();
  }

  list(): readonly InstalledCertificate[] {
    return this.#parts.service.list();
  }

  async install(source: UploadSource): Promise<InstalledCertificate> {
    return this.#putInService(source, () => {
      if (!this.#parts.service.pair) return;
      throw new CertError('already-installed', 'a certificate is installed; replace that one');
    });
  }

  async installAll(): Promise<never> {
    throw this.#notAuthority();
  }

  async add(): Promise<never> {
    throw this.#notAuthority();
  }

  async replace(id: string, source: UploadSource): Promise<InstalledCertificate> {
    return this.#putInService(source, () => this.#parts.service.mustBe(id));
  }

  async replaceAll(): Promise<never> {
    throw this.#notAuthority();
  }

  async delete(id: string): Promise<void> {
    await this.#parts.queue.run(
      removeCredential(this.#parts, () => this.#parts.service.mustBe(id)),
    );
  }

  async deleteAll(): Promise<void> {
    await this.#parts.queue.run(removeCredential(this.#parts, () => undefined));
  }

  stage(source: UploadSource | undefined, issuers?: readonly Certificate[]): Promise<StagedChange> {
    const removal = removeCredential(this.#parts, () => undefined);
    return stageChange<CredentialCandidate | undefined>(this.#parts.queue, {
      definition: this.definition,
      validate: async () => {
        if (source === undefined) return removal.validate();
        await this.#parts.stored.mustBeRead();
        const { content } = this.#parts.dependencies.limits;
        return this.#parts.admission.admit(await blocksOf(source, content), issuers);
      },
      save: (directory, replacement) =>
        this.#parts.file.save(directory, this.#parts.service.text, replacement),
      forward: source === undefined ? removal : storeCredential(this.#parts),
      confirm: async (pair) => {
        if (!pair) return;
        if (!(await this.#parts.file.holds(pair))) await storeCredential(this.#parts).write(pair);
        await this.requests.noteInstalled(pair);
      },
      released: () => this.#outside.check(),
      backward: () => {
        const before = this.#parts.service.pair;
        const store = storeCredential(this.#parts);
        const { path } = this.definition;
        const written = modificationTime(path);
        const write = async (pair: typeof before) => {
          await store.write(pair);
          // What is in service again is as old as it was
          if (pair) await setModificationTime(path, written);
        };
        return { ...store, write, validate: async () => before };
      },
    });
  }

  async recover(directory: string): Promise<void> {
    // A program that ended in between has told no service
    this.#parts.dependencies.oweReload(this.definition);
    this.#isRecovered = true;
    await this.#parts.file.recover(directory);
  }

  subscribe(listener: (event: EndpointEvent) => void): () => void {
    return this.#parts.service.listeners.add(listener);
  }

  async maintain(): Promise<void> {
    if (!this.#parts.stored.hasBegun) return;
    try {
      await this.#parts.queue.during(() => this.#parts.stored.mustBeRead());
    } catch {
      // The log says why; a disk that fails now may be well at the next look
      return;
    }
    this.#outside.check();
    this.#parts.service.tellExpiry();
    await this.requests.maintain();
    if (this.#parts.queue.isHeld) return;
    await this.#upkeep.run();
  }

  async #putInService(
    source: UploadSource,
    precondition: () => void,
  ): Promise<InstalledCertificate> {
    const pair = await this.#parts.queue.run<CredentialCandidate>({
      ...storeCredential(this.#parts),
      validate: async () => {
        await this.#parts.stored.mustBeRead();
        precondition();
        const { content } = this.#parts.dependencies.limits;
        return this.#parts.admission.admit(await blocksOf(source, content));
      },
      finish: (installed) => this.requests.noteInstalled(installed),
    });
    return asInstalled(pair);
  }

  #notAuthority(): CertError {
    return new CertError(
      'wrong-endpoint-type',
      `a ${this.definition.type} endpoint holds one certificate, not a list of authorities`,
    );
  }
}

function partsOf(
  definition: EndpointDefinition,
  dependencies: EndpointDependencies,
  pending: PendingRequests,
): CredentialParts {
  const { path, group, type } = definition;
  const service = new ActiveCredential(dependencies);
  const role = type === 'server' ? type : 'client';
  const file = credentialFile({ path, group });
  return {
    definition,
    dependencies,
    service,
    queue: new ChangeQueue(definition, dependencies),
    file: dependencies.copyFile ? copiedFile(file, dependencies.copyFile) : file,
    admission: credentialAdmission(role, dependencies, waitingKeys(pending, service)),
  };
}

/** Pending requests, and the key in service: a renewal may be for either. */
function waitingKeys(pending: PendingRequests, service: ActiveCredential): KeySource {
  return {
    find: async (hash) => {
      const { pair, keyHash } = service;
      return pair && keyHash === hash ? pair.key : pending.find(hash);
    },
    isEmpty: () => pending.isEmpty(),
  };
}
