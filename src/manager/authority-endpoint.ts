import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { exists } from '../durable/atomic-file.ts';
import { type Change, ChangeQueue, stageChange } from './change.ts';
import { authorityChecks, enforce } from './checks.ts';
import type {
  Endpoint,
  EndpointDefinition,
  EndpointEvent,
  InstalledCertificate,
  StagedChange,
} from './endpoint.ts';
import { CertError, reasonOf } from './errors.ts';
import { ExpiryWatch } from './expiry.ts';
import { Listeners } from './listeners.ts';
import { type Finding, OutsideChanges } from './outside-changes.ts';
import { RequestDesk } from './request-desk.ts';
import { type Authority, AuthorityDirectory } from './store/authority-directory.ts';
import { PendingRequests } from './store/pending-requests.ts';
import { distinct } from './store/upstream-authorities.ts';
import { watchDirectory } from './store/watcher.ts';
import type { Surroundings } from './surroundings.ts';
import { parseUpload, readUploadFile, textOf, type Upload, type UploadSource } from './upload.ts';
import type { Certificate } from './x509/certificate.ts';

/** A new set of authorities, and which of them the caller asked about. */
interface SetPlan {
  readonly next: readonly Authority[];
  readonly asked: readonly Authority[];
}

/** A truststore: any number of CAs up to a limit, each under an id that is never given out again. */
export class AuthorityEndpoint implements Endpoint {
  readonly definition: EndpointDefinition;
  readonly requests: RequestDesk;
  readonly #surroundings: Surroundings;
  readonly #directory: AuthorityDirectory;
  readonly #queue: ChangeQueue;
  readonly #listeners: Listeners<EndpointEvent>;
  readonly #expiry: ExpiryWatch;
  readonly #outside: OutsideChanges;
  #authorities: readonly Authority[] = [];
  #started = false;

  constructor(definition: EndpointDefinition, surroundings: Surroundings) {
    this.definition = definition;
    this.#surroundings = surroundings;
    this.#directory = new AuthorityDirectory(definition.path);
    this.#listeners = new Listeners(surroundings.log);
    this.#expiry = new ExpiryWatch(surroundings.expiryThresholds);
    this.requests = new RequestDesk({
      pending: new PendingRequests(`${definition.path}.requests`, surroundings.limits.pending),
      surroundings,
      // An authority has no key here
      keyInService: () => undefined,
      emit: (event) => this.#listeners.tell(event),
    });
    this.#queue = new ChangeQueue(() => surroundings.reload(definition));
    this.#outside = new OutsideChanges({
      ...surroundings.watch,
      watch: (changed) => watchDirectory(definition.path, changed),
      look: (final) => this.#lookAtFiles(final),
    });
  }

  async start(): Promise<void> {
    await this.requests.start();
    await this.#load().catch((error: unknown) => {
      const { path } = this.definition;
      this.#surroundings.log.error('truststore is not readable', { path, reason: reasonOf(error) });
    });
    await this.#takeOverRootCa();
    this.#outside.start();
    this.#started = true;
  }

  async #load(): Promise<void> {
    const { authorities, unreadable } = await this.#directory.load();
    for (const path of unreadable) {
      this.#surroundings.log.error('stored authority is not readable', { path });
    }
    this.#publish(authorities);
  }

  /** Installs the one authority of early OpenBMC releases, and removes its file as upstream does. */
  async #takeOverRootCa(): Promise<void> {
    const { log, limits } = this.#surroundings;
    const path = join(dirname(this.definition.path), 'Root-CA.pem');
    try {
      if (!(await exists(path))) return;
      await this.install(await readUploadFile(path, limits.uploadBytes)).catch((error: unknown) => {
        if (!(error instanceof CertError) || error.code !== 'already-installed') throw error;
      });
      await rm(path);
      log.info('root certificate of an earlier installation taken over', { path });
    } catch (error) {
      const reason = reasonOf(error);
      log.warn('root certificate of an earlier installation left in place', { path, reason });
    }
  }

  stop(): void {
    this.#outside.stop();
    this.#listeners.clear();
  }

  list(): readonly InstalledCertificate[] {
    return this.#authorities.map(asInstalled);
  }

  async install(source: UploadSource): Promise<InstalledCertificate> {
    const { asked } = await this.#apply(async () => {
      this.#refuseMoreThanLimit(this.#authorities.length + 1);
      const certificate = this.#checkOne(await textOf(source));
      this.#refuseDuplicate(certificate);
      const authority = { id: await this.#directory.reserveIds(1), certificate };
      return { next: [...this.#authorities, authority], asked: [authority] };
    });
    return asInstalled(first(asked));
  }

  async installAll(source: UploadSource): Promise<readonly InstalledCertificate[]> {
    const { asked } = await this.#apply(async () => {
      if (this.#authorities.length > 0) {
        throw new CertError(
          'not-empty',
          'authorities are installed; replace them or delete them first',
        );
      }
      return this.#planSet(await textOf(source));
    });
    return asked.map(asInstalled);
  }

  async replace(id: string, source: UploadSource): Promise<InstalledCertificate> {
    const { asked } = await this.#apply(async () => {
      const previous = this.#byId(id);
      const certificate = this.#checkOne(await textOf(source));
      this.#refuseDuplicate(certificate, previous);
      const authority = { id: previous.id, certificate };
      const next = this.#authorities.map((one) => (one === previous ? authority : one));
      return { next, asked: [authority] };
    });
    return asInstalled(first(asked));
  }

  async replaceAll(source: UploadSource): Promise<readonly InstalledCertificate[]> {
    const { asked } = await this.#apply(async () => this.#planSet(await textOf(source)));
    return asked.map(asInstalled);
  }

  async delete(id: string): Promise<void> {
    await this.#apply(async () => {
      const gone = this.#byId(id);
      return { next: this.#authorities.filter((one) => one !== gone), asked: [] };
    });
  }

  async deleteAll(): Promise<void> {
    await this.#apply(async () => ({ next: [], asked: [] }));
  }

  /** The bundle takes the place of everything, as with `replaceAll`. */
  stage(text: string): Promise<StagedChange> {
    return stageChange(this.#queue, {
      definition: this.definition,
      validate: () => this.#planSet(text),
      save: (directory) => this.#directory.save(directory),
      forward: this.#store(),
      backward: () => {
        const before = this.#authorities;
        return { ...this.#store(), validate: async () => ({ next: before, asked: [] }) };
      },
    });
  }

  recover(directory: string): Promise<void> {
    return this.#directory.recover(directory);
  }

  /** Authorities are the operator's: the manager never makes or renews one. */
  async maintain(): Promise<void> {
    if (!this.#started) return;
    this.#outside.check();
    this.#tellExpiry();
    await this.requests.maintain();
  }

  subscribe(listener: (event: EndpointEvent) => void): void {
    this.#listeners.add(listener);
  }

  #apply(validate: Change<SetPlan>['validate']): Promise<SetPlan> {
    return this.#queue.run({
      ...this.#store(),
      validate: async () => {
        // A disk that failed at the start may be there now; what it holds must not be lost
        if (!this.#directory.isLoaded) await this.#load();
        return validate();
      },
    });
  }

  #store(): Omit<Change<SetPlan>, 'validate'> {
    return {
      write: ({ next }) => this.#directory.commit(next),
      publish: ({ next }) => this.#publish(next),
    };
  }

  /** Takes over what somebody else put into the directory, took from it, or changed there. */
  async #lookAtFiles(final: boolean): Promise<Finding> {
    const { log } = this.#surroundings;
    const { path } = this.definition;
    try {
      const found = await this.#directory.scan();
      if (found && found.foreign.length === 0 && found.inStep) return 'settled';
      if (!final) return 'doubtful';
      await this.#queue.run({ ...this.#storeAfresh(), validate: () => this.#planScan() });
      log.info('truststore was changed from outside', { path });
    } catch (error) {
      // During a trial, or without a disk, nothing can be done now: the next check looks again
      if (!(error instanceof CertError) || ['on-trial', 'storage'].includes(error.code)) {
        return 'settled';
      }
      log.error('changed truststore refused', { path, reason: reasonOf(error) });
      const back = async () => ({ next: this.#authorities, asked: [] });
      await this.#queue.run({ ...this.#storeAfresh(), validate: back }).catch((cause: unknown) => {
        log.error('last good truststore not put back', { path, reason: reasonOf(cause) });
      });
    }
    return 'settled';
  }

  /** A number that was given to another certificate, or to none, counts for nothing here. */
  async #planScan(): Promise<SetPlan> {
    const found = await this.#directory.scan();
    // Somebody took the path away, which leads to what is in memory and nowhere else
    if (!found) return { next: this.#authorities, asked: [] };
    const { authorities, damaged, foreign } = found;
    if (damaged) {
      throw new CertError('certificate-malformed', 'a file of the truststore was damaged');
    }
    const ours = new Map(this.#authorities.map((one) => [one.id, one]));
    const staying = authorities.flatMap((found) => {
      const known = ours.get(found.id);
      if (!known) return [];
      return known.certificate.fingerprint === found.certificate.fingerprint ? known : found;
    });
    const strange = authorities.filter(({ id }) => !ours.has(id));
    const candidates = [...strange.map(({ certificate }) => certificate), ...foreign];
    const known = new Set(staying.map(({ certificate }) => certificate.fingerprint));
    const fresh = distinct(candidates).filter(({ fingerprint }) => !known.has(fingerprint));
    this.#refuseMoreThanLimit(staying.length + fresh.length);
    for (const one of [...staying.map(({ certificate }) => certificate), ...fresh]) {
      this.#check(one, [one]);
    }
    const id = fresh.length > 0 ? await this.#directory.reserveIds(fresh.length) : 0;
    const added = fresh.map((certificate, at) => ({ id: id + at, certificate }));
    return { next: [...staying, ...added], asked: added };
  }

  #storeAfresh(): Omit<Change<SetPlan>, 'validate'> {
    return { ...this.#store(), write: ({ next }) => this.#directory.commitAfresh(next) };
  }

  /** The whole bundle is checked before anything of it counts. What is installed keeps its id. */
  async #planSet(text: string): Promise<SetPlan> {
    const { certificates } = this.#parseBundle(text);
    const set = distinct(certificates);
    for (const certificate of set) this.#check(certificate, set);
    const known = new Map(this.#authorities.map((one) => [one.certificate.fingerprint, one]));
    const fresh = set.filter(({ fingerprint }) => !known.has(fingerprint));
    let id = fresh.length > 0 ? await this.#directory.reserveIds(fresh.length) : 0;
    const next = set.map((certificate) => {
      const kept = known.get(certificate.fingerprint);
      if (kept) return kept;
      id += 1;
      return { id: id - 1, certificate };
    });
    const byFingerprint = new Map(next.map((one) => [one.certificate.fingerprint, one]));
    // The reply has an entry for each block of the file, as upstream's
    const asked = certificates.flatMap(({ fingerprint }) => byFingerprint.get(fingerprint) ?? []);
    return { next: [...next].sort((a, b) => a.id - b.id), asked };
  }

  /** Counts before it reads, so that a bundle over the limit costs nothing. */
  #parseBundle(text: string): Upload {
    const limit = this.#surroundings.limits.authorities;
    const count = text.split('-----BEGIN CERTIFICATE-----').length - 1;
    this.#refuseMoreThanLimit(count);
    return parseUpload(text, limit);
  }

  /** The file may hold more: its first certificate is what it is about, and a key is never taken. */
  #checkOne(text: string): Certificate {
    const { certificates } = parseUpload(text, this.#surroundings.limits.chain);
    const certificate = first(certificates);
    this.#check(certificate, certificates);
    return certificate;
  }

  #check(leaf: Certificate, company: readonly Certificate[]): void {
    const { checks, now } = this.#surroundings;
    enforce(authorityChecks, { leaf, company, now: Math.floor(now() / 1000), policy: checks });
  }

  #refuseDuplicate({ fingerprint }: Certificate, except?: Authority): void {
    const twin = this.#authorities.find(
      (one) => one !== except && one.certificate.fingerprint === fingerprint,
    );
    if (twin)
      throw new CertError('already-installed', `the certificate is installed as ${twin.id}`);
  }

  #refuseMoreThanLimit(count: number): void {
    const limit = this.#surroundings.limits.authorities;
    if (count > limit) {
      throw new CertError(
        'limit-reached',
        `${count} authorities are more than the limit of ${limit}`,
      );
    }
  }

  #byId(id: string): Authority {
    const found = this.#authorities.find((one) => String(one.id) === id);
    if (!found) throw new CertError('not-found', `there is no certificate ${id}`);
    return found;
  }

  #publish(next: readonly Authority[]): void {
    const before = new Map(this.#authorities.map((one) => [one.id, one]));
    const staying = new Set(next.map(({ id }) => id));
    this.#authorities = next;
    this.#outside.follow();
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
    const news = this.#expiry.look(this.list(), this.#surroundings.now());
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
