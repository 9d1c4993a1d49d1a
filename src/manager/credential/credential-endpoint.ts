import { CertError } from '../../core/cert-error.ts';
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
import { blocksOf, type UploadContent, type UploadSource } from '../upload.ts';
import { watchFile } from '../watcher.ts';
import { ActiveCredential, asInstalled } from './active-credential.ts';
import { type CredentialAdmission, credentialAdmission } from './admission.ts';
import { CredentialChanges } from './credential-changes.ts';
import { type CredentialFile, credentialFile } from './credential-file.ts';
import { CredentialLoader } from './credential-loader.ts';
import { CredentialUpkeep } from './credential-upkeep.ts';
import { CredentialFileFollower } from './file-follower.ts';
import type { KeySource } from './pairing.ts';

/** Server or client: one certificate with its key in one file. A server is never without one. */
export class CredentialEndpoint implements Endpoint {
  readonly definition: EndpointDefinition;
  readonly requests: CsrService;
  readonly #dependencies: EndpointDependencies;
  readonly #file: CredentialFile;
  readonly #admission: CredentialAdmission;
  readonly #queue: ChangeQueue;
  readonly #service: ActiveCredential;
  readonly #stored: CredentialLoader;
  readonly #changes: CredentialChanges;
  readonly #upkeep: CredentialUpkeep;
  readonly #outside: OutsideChanges;
  /** Whether a staged replacement was undone of which its services know nothing yet. */
  #isRecovered = false;

  constructor(definition: EndpointDefinition, dependencies: EndpointDependencies) {
    const { limits, log, watch, now } = dependencies;
    const { path, group, type } = definition;
    const service = new ActiveCredential(dependencies);
    const file = credentialFile({ path, group, maxAside: limits.refusedFiles });
    const pending = new PendingRequests(`${path}.requests`, limits.pending);
    const role = type === 'server' ? type : 'client';
    const admission = credentialAdmission(role, dependencies, waitingKeys(pending, service));
    const requests = new CsrService({
      pending,
      dependencies,
      inService: () => service.pair,
      emit: (event) => service.listeners.tell(event),
    });
    const open = async () => {
      await requests.start();
      await file.open();
      await takeOverUpstreamKeys(path, pending, new Date(now()), log);
    };
    const stored = new CredentialLoader({ path, dependencies, file, service, admission, open });
    const queue = new ChangeQueue(
      () => dependencies.reload(definition),
      () => dependencies.oweReload(definition),
    );
    const changes = new CredentialChanges({ type, dependencies, file, service, admission, stored });
    const parts = { dependencies, queue, file, service, stored, changes };
    const upkeep = new CredentialUpkeep({ ...parts, definition });
    const follower = new CredentialFileFollower({ ...parts, path, admission, upkeep });
    this.definition = definition;
    this.requests = requests;
    this.#dependencies = dependencies;
    this.#file = file;
    this.#admission = admission;
    this.#queue = queue;
    this.#service = service;
    this.#stored = stored;
    this.#changes = changes;
    this.#upkeep = upkeep;
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
    await this.#queue.run(this.#changes.removal(() => this.#service.mustBe(id)));
  }

  async deleteAll(): Promise<void> {
    await this.#queue.run(this.#changes.removal(() => undefined));
  }

  stage(content: UploadContent): Promise<StagedChange> {
    return stageChange(this.#queue, {
      definition: this.definition,
      validate: async () => {
        await this.#stored.mustBeRead();
        return this.#admission.admit(content);
      },
      save: (directory, replacement) => this.#file.save(directory, this.#service.text, replacement),
      forward: this.#changes.store(),
      confirm: async (pair) => {
        if (!pair || (await this.#file.holds(pair))) return;
        await this.#changes.store().write(pair);
      },
      released: () => this.#outside.check(),
      backward: () => {
        const before = this.#service.pair;
        return { ...this.#changes.store(), validate: async () => before };
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
    await this.#upkeep.run();
  }

  async #putInService(
    source: UploadSource,
    precondition: () => void,
  ): Promise<InstalledCertificate> {
    const pair = await this.#queue.run<CredentialCandidate>({
      ...this.#changes.store(),
      validate: async () => {
        await this.#stored.mustBeRead();
        precondition();
        return this.#admission.admit(await blocksOf(source));
      },
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
