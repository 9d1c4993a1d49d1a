import { CertError, reasonOf } from '../../core/cert-error.ts';
import { Listeners } from '../../core/listeners.ts';
import { readAttempts } from '../../storage/retry.ts';
import type { StagedChange } from '../change.ts';
import { type Change, ChangeQueue, type Holder, stageChange } from '../change.ts';
import { CsrService } from '../csr/csr-service.ts';
import { PendingRequests } from '../csr/pending-requests.ts';
import type { Endpoint } from '../endpoint.ts';
import type { EndpointDefinition } from '../endpoint-definition.ts';
import type { EndpointDependencies } from '../endpoint-dependencies.ts';
import type { EndpointEvent } from '../endpoint-event.ts';
import { ExpiryWatch } from '../expiry.ts';
import type { InstalledCertificate } from '../installed-certificate.ts';
import { RootCa } from '../upgrade/root-ca.ts';
import type { UploadSource } from '../upload.ts';
import { type Authority, AuthorityDirectory } from './authority-directory.ts';
import { bundleOf } from './authority-layout.ts';
import {
  type AuthoritySet,
  planAdd,
  planDelete,
  planInstall,
  planInstallAll,
  planReplace,
  planReplaceAll,
  type SetPlan,
} from './authority-plans.ts';

/** A truststore: any number of CAs up to a limit, each under an id that is never given out again. */
export class AuthorityEndpoint implements Endpoint {
  readonly definition: EndpointDefinition;
  readonly requests: CsrService;
  readonly #dependencies: EndpointDependencies;
  readonly #directory: AuthorityDirectory;
  readonly #queue: ChangeQueue;
  readonly #listeners: Listeners<EndpointEvent>;
  readonly #expiry: ExpiryWatch;
  readonly #rootCa: RootCa;
  #authorities: readonly Authority[] = [];
  /** Not before the start: what is there may be to be undone. */
  #mayLoad = false;
  #started = false;
  /** False until everything that an earlier run or installation left has been looked at. */
  #isSettled = false;
  /** How often the directory was read, or tried to. */
  #loads = 0;
  /** Whether a staged replacement was undone of which its services know nothing yet. */
  #isRecovered = false;

  constructor(definition: EndpointDefinition, dependencies: EndpointDependencies) {
    this.definition = definition;
    this.#dependencies = dependencies;
    this.#directory = new AuthorityDirectory(
      definition.path,
      dependencies.log.warn,
      dependencies.limits.content,
    );
    this.#listeners = new Listeners(dependencies.log);
    this.#expiry = new ExpiryWatch(dependencies.expiryThresholds);
    this.requests = new CsrService({
      type: definition.type,
      pending: new PendingRequests(
        `${definition.path}.requests`,
        dependencies.limits.pendingRequests,
      ),
      dependencies,
      inService: () => undefined,
      emit: (event) => this.#listeners.tell(event),
    });
    this.#queue = new ChangeQueue(definition, dependencies);
    this.#rootCa = new RootCa({
      truststore: definition.path,
      install: (text) => this.install(text),
      dependencies,
    });
  }

  async start(): Promise<void> {
    this.#mayLoad = true;
    await this.#tryLoad();
    this.#started = true;
    if (this.#isRecovered) void this.#dependencies.reload(this.definition);
  }

  /** A disk that fails now may be well at the next look; what it holds must not be lost until then. */
  async #tryLoad(): Promise<void> {
    const holder: Holder = Symbol('load');
    const areRequestsOpen = await this.#openRequests();
    try {
      await this.#queue.hold(holder, async () => {
        if (!this.#directory.isLoaded) await this.#load();
      });
    } catch (error) {
      const { path } = this.definition;
      this.#dependencies.log.error('truststore is not readable', { path, reason: reasonOf(error) });
      return;
    } finally {
      this.#queue.release(holder);
    }
    const isTakenOver = await this.#rootCa.takeOver();
    this.#isSettled = isTakenOver && areRequestsOpen;
  }

  /** A fault of the pending CSRs is no reason to trust no authority. */
  async #openRequests(): Promise<boolean> {
    try {
      await this.requests.start();
      return true;
    } catch (error) {
      const path = `${this.definition.path}.requests`;
      this.#dependencies.log.error('directory of requests cannot be used', {
        path,
        reason: reasonOf(error),
      });
      return false;
    }
  }

  async #load(): Promise<void> {
    this.#loads += 1;
    const treatUnreadableAsLost = this.#loads > readAttempts;
    const { authorities, unreadable } = await this.#directory.load(treatUnreadableAsLost);
    for (const path of unreadable) {
      this.#dependencies.log.error('stored authority is not readable', { path });
      this.#listeners.tell({ kind: 'damaged', path, reason: 'it holds no certificate' });
    }
    this.#publish(authorities);
  }

  async drain(): Promise<void> {
    await this.#queue.during(async () => undefined);
    await this.requests.settled();
  }

  stop(): void {
    this.#listeners.clear();
  }

  list(): readonly InstalledCertificate[] {
    return this.#authorities.map(asInstalled);
  }

  async install(source: UploadSource): Promise<InstalledCertificate> {
    return first(await this.#apply((set) => planInstall(set, source)));
  }

  installAll(source: UploadSource): Promise<readonly InstalledCertificate[]> {
    return this.#apply((set) => planInstallAll(set, source));
  }

  add(source: UploadSource): Promise<readonly InstalledCertificate[]> {
    return this.#apply((set) => planAdd(set, source));
  }

  async replace(id: string, source: UploadSource): Promise<InstalledCertificate> {
    return first(await this.#apply((set) => planReplace(set, id, source)));
  }

  replaceAll(source: UploadSource): Promise<readonly InstalledCertificate[]> {
    return this.#apply((set) => planReplaceAll(set, source));
  }

  async delete(id: string): Promise<void> {
    await this.#apply((set) => planDelete(set, id));
  }

  async deleteAll(): Promise<void> {
    await this.#apply(() => ({ next: [], asked: [] }));
  }

  /** The bundle takes the place of everything, as with `replaceAll`. */
  stage(source: UploadSource | undefined): Promise<StagedChange> {
    return stageChange(this.#queue, {
      definition: this.definition,
      validate: async () => {
        const set = await this.#read();
        return source === undefined ? { next: [], asked: [] } : planReplaceAll(set, source);
      },
      save: (directory) => this.#directory.save(directory),
      forward: this.#store(),
      confirm: ({ next }) => this.#commit(next),
      backward: () => {
        const before = this.#authorities;
        return { ...this.#store(), validate: async () => ({ next: before, asked: [] }) };
      },
    });
  }

  async recover(directory: string): Promise<void> {
    // A manager that ended in between told the services nothing, or of the authorities that were staged
    this.#dependencies.oweReload(this.definition);
    this.#isRecovered = true;
    await this.#directory.recover(directory);
  }

  /** Authorities are the operator's: the manager never makes or renews one. */
  async maintain(): Promise<void> {
    if (!this.#started) return;
    if (!this.#isSettled && !this.#queue.isHeld) await this.#tryLoad();
    await this.#repair();
    this.#tellExpiry();
    await this.requests.maintain();
  }

  /** When others took the path away. */
  async #repair(): Promise<void> {
    try {
      if (this.#queue.isHeld || !(await this.#directory.isBroken())) return;
      await this.#queue.run({
        ...this.#store(),
        validate: async () => ({ next: this.#authorities, asked: [] }),
      });
    } catch (error) {
      const { path } = this.definition;
      this.#dependencies.log.error('truststore not put right', { path, reason: reasonOf(error) });
    }
  }

  subscribe(listener: (event: EndpointEvent) => void): () => void {
    return this.#listeners.add(listener);
  }

  /** @returns those that the caller asked about */
  async #apply(
    plan: (set: AuthoritySet) => SetPlan | Promise<SetPlan>,
  ): Promise<readonly InstalledCertificate[]> {
    const { asked } = await this.#queue.run({
      ...this.#store(),
      validate: async () => plan(await this.#read()),
    });
    return asked.map(asInstalled);
  }

  /** A disk that failed at the start may be there now; what it holds must not be lost. */
  async #read(): Promise<AuthoritySet> {
    if (!this.#mayLoad)
      throw new CertError('storage', 'the truststore was not read yet; nothing changed');
    if (!this.#directory.isLoaded) await this.#load();
    const { nextId } = this.#directory;
    return { current: this.#authorities, nextId, dependencies: this.#dependencies };
  }

  #store(): Omit<Change<SetPlan>, 'validate'> {
    return {
      write: ({ next }) => this.#commit(next),
      publish: ({ next }) => this.#publish(next),
    };
  }

  /** Services that read copies have them before these are in service, as with `copiedFile`. */
  async #commit(next: readonly Authority[]): Promise<void> {
    const { copyFile } = this.#dependencies;
    const commit = () => this.#directory.commit(next);
    if (!copyFile) return commit();
    const before = this.#authorities;
    await copyFile(bundleOf(next), async () => bundleOf(before), commit);
  }

  #publish(next: readonly Authority[]): void {
    const before = new Map(this.#authorities.map((one) => [one.id, one]));
    const staying = new Set(next.map(({ id }) => id));
    this.#authorities = next;
    for (const one of before.values()) {
      if (!staying.has(one.id))
        this.#listeners.tell({ kind: 'removed', installed: asInstalled(one) });
    }
    for (const one of next) {
      const previous = before.get(one.id);
      if (previous === one) continue;
      const installed = asInstalled(one);
      if (!previous) this.#listeners.tell({ kind: 'added', installed });
      else this.#listeners.tell({ kind: 'changed', installed, previous: asInstalled(previous) });
    }
    this.#tellExpiry();
  }

  #tellExpiry(): void {
    const news = this.#expiry.look(this.list(), this.#dependencies.now());
    for (const one of news) this.#listeners.tell({ kind: 'expiry', ...one });
  }
}

function asInstalled({ id, certificate }: Authority): InstalledCertificate {
  return { id: String(id), certificate, chain: [] };
}

function first<T>(list: readonly T[]): T {
  const [one] = list;
  if (one === undefined) throw new TypeError('the list is empty');
  return one;
}
