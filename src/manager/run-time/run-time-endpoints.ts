import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CertError, reasonOf } from '../../core/cert-error.ts';
import { Listeners } from '../../core/listeners.ts';
import type { EventLog } from '../../core/log.ts';
import { Mutex } from '../../core/mutex.ts';
import { noFollow, tryReadRegularFile } from '../../storage/regular-file.ts';
import type { Certificate } from '../../x509/certificate.ts';
import { publicKeyHash, publicKeyInfo } from '../../x509/keys.ts';
import type { StagedChange } from '../change.ts';
import { asStorageError } from '../change.ts';
import type { MadeRequest } from '../csr/csr-service.ts';
import type { CsrParameters } from '../csr/parameters.ts';
import type { Endpoint } from '../endpoint.ts';
import type { ReplacementPart, StagedReplacements } from '../replacement/staged-replacements.ts';
import { bundleFile } from '../upgrade/upstream-authorities.ts';
import { parseUpload, type UploadContent } from '../upload.ts';
import { EndpointDirectory, type EndpointKey } from './endpoint-directory.ts';
import { checkEndpointId } from './endpoint-id.ts';
import { wasAbsent, withCreation, withRemoval } from './staged-creation.ts';

export interface RunTimeEndpointsOptions {
  readonly directory: string;
  /** @param path of its files */
  readonly makeEndpoint: (key: EndpointKey, path: string) => Endpoint;
  readonly replacements: StagedReplacements;
  /** The most that may be there, or have keys that wait for a certificate. */
  readonly maxEndpoints: () => number;
  readonly log: EventLog;
}

export interface StagePart extends EndpointKey {
  /** Whether the endpoint comes with it, and is not there yet; else it must be there. */
  readonly create: boolean;
  /** Absent to take all certificates away. */
  readonly content: UploadContent | undefined;
  /** Whether the endpoint goes with them, and its pending keys. */
  readonly remove?: boolean;
  /** The id of the pending key that the certificate must be for; absent for any. */
  readonly request?: string;
}

/** An endpoint came or went. */
export interface RunTimeEndpointEvent {
  readonly kind: 'added' | 'removed';
  readonly endpoint: Endpoint;
}

interface Member {
  readonly key: EndpointKey;
  readonly endpoint: Endpoint;
  isPresent: boolean;
}

/**
 * The endpoints that come and go while the manager runs, and stay over its restarts. One that is not there may have keys
 * that wait for its first certificate; it comes by `add`, or with that certificate in a replacement.
 */
export class RunTimeEndpoints {
  readonly #options: RunTimeEndpointsOptions;
  readonly #directory: EndpointDirectory;
  readonly #members = new Map<string, Member>();
  readonly #listeners: Listeners<RunTimeEndpointEvent>;
  /** Who is there is decided in turn. */
  readonly #turn = new Mutex();
  #hasStarted = false;

  constructor(options: RunTimeEndpointsOptions) {
    this.#options = options;
    this.#directory = new EndpointDirectory(options.directory);
    this.#listeners = new Listeners(options.log);
  }

  /** Undoes what an earlier manager left half done, and starts what is there. Never rejects; `maintain` tries again. */
  start(): Promise<void> {
    return this.#turn.run(async () => {
      try {
        if (!this.#hasStarted) await this.#start();
      } catch (error) {
        const { directory: path, log } = this.#options;
        log.error('endpoints of run time not read', { path, reason: reasonOf(error) });
      }
    });
  }

  async #start(): Promise<void> {
    await this.#directory.open();
    for (const key of await this.#directory.list()) this.#memberOf(key);
    if (!(await this.#recover())) return;
    for (const member of this.#members.values()) {
      member.isPresent = await this.#directory.isPresent(member.key);
      if (!member.isPresent) await this.#directory.clear(member.key);
    }
    await this.#forgetUnused();
    const members = [...this.#members.values()];
    await Promise.all(members.map(({ endpoint }) => endpoint.start()));
    this.#hasStarted = true;
    for (const { isPresent, endpoint } of members)
      if (isPresent) this.#listeners.tell({ kind: 'added', endpoint });
  }

  /** @returns whether nothing is left that is to be undone */
  async #recover(): Promise<boolean> {
    const { replacements } = this.#options;
    const names = await readdir(this.#directory.replacements);
    const journals = new Set(names.map((name) => name.split('.')[0] ?? name));
    const endpoints = [...this.#members.values()].map(({ endpoint }) => endpoint);
    let isDone = await replacements.recover(endpoints);
    for (const name of journals) {
      const path = join(this.#directory.replacements, name);
      const find = (key: EndpointKey) => {
        const member = this.#memberOf(key);
        return { recover: (from: string) => this.#recoverPart(member, from) };
      };
      isDone = (await replacements.recoverAt(path, find)) && isDone;
    }
    return isDone;
  }

  async #recoverPart({ key, endpoint }: Member, from: string): Promise<void> {
    if (await wasAbsent(from)) return this.#directory.makeAbsent(key);
    if (!(await this.#directory.isPresent(key))) await this.#directory.makePresent(key);
    await endpoint.recover(from);
  }

  /** Those that are there. */
  list(): readonly Endpoint[] {
    return [...this.#members.values()]
      .filter(({ isPresent }) => isPresent)
      .map(({ endpoint }) => endpoint);
  }

  /** The CAs of all authorities that are there. */
  authorities(): readonly Certificate[] {
    const authorities = this.list().filter(({ definition }) => definition.type === 'authority');
    return authorities.flatMap((one) => one.list().map(({ certificate }) => certificate));
  }

  /** `undefined` when it is not there. */
  find(key: EndpointKey): Endpoint | undefined {
    const member = this.#members.get(nameOf(key));
    return member?.isPresent ? member.endpoint : undefined;
  }

  /** Also one that is not there, whose keys wait for its first certificate. */
  findWithKeys(key: EndpointKey): Endpoint | undefined {
    return this.#members.get(nameOf(key))?.endpoint;
  }

  /**
   * The text of the file of a server or client, or of the CAs of an authority; `undefined` where there is none.
   * @throws when the disk does not tell
   */
  readFile(key: EndpointKey): Promise<string | undefined> {
    const path = this.#directory.pathOf(key);
    return tryReadRegularFile(key.type === 'authority' ? join(path, bundleFile) : path, noFollow);
  }

  /**
   * Begins a request at an endpoint, which need not be there.
   * @throws CertError `argument-invalid`, `limit-reached`, `storage`, and why the request could not be made
   */
  async generate(key: EndpointKey, parameters: CsrParameters): Promise<MadeRequest> {
    // An endpoint at which a request was begun is not forgotten; others need not wait for it
    const { making } = await this.#turn.run(async () => {
      const { endpoint } = await this.#known(key);
      return { making: endpoint.requests.generate(parameters) };
    });
    return making;
  }

  /** @throws CertError `already-installed`, `argument-invalid`, `limit-reached`, `replacement-in-progress`, `storage` */
  add(key: EndpointKey): Promise<Endpoint> {
    return this.#turn.run(async () => {
      const member = await this.#known(key);
      this.#mustBe(member, false);
      this.#refuseReplaced(member);
      await this.#appear(member).catch(asStorageError);
      return member.endpoint;
    });
  }

  /**
   * Takes it away with its files and its keys, all at once.
   * @throws CertError `not-found`, `replacement-in-progress`, `storage`
   */
  async remove(key: EndpointKey): Promise<void> {
    // Not in turn: a key may take minutes on a small device
    await this.find(key)?.requests.settled();
    await this.#turn.run(async () => {
      const member = await this.#known(key);
      this.#mustBe(member, true);
      this.#refuseReplaced(member);
      this.#hide(member);
      const { endpoint } = member;
      await endpoint.drain();
      endpoint.stop();
      this.#members.delete(nameOf(key));
      await this.#directory.remove(key).catch(async (error: unknown) => {
        // All of it is where it was
        const again = this.#memberOf(key);
        await again.endpoint.start();
        this.#show(again);
        asStorageError(error);
      });
    });
  }

  /**
   * Finds all parts good and keeps others out of their endpoints; see `StagedReplacements`.
   * @returns the name of the replacement. @throws CertError; then nothing is held
   */
  stage(owner: string, parts: readonly StagePart[], seconds: number): Promise<string> {
    return this.#turn.run(async () => {
      const staged: ReplacementPart[] = [];
      const issuers = parts.filter(({ type }) => type === 'authority').flatMap(certificatesOf);
      for (const part of parts) {
        const member = await this.#known(part);
        this.#mustBe(member, !part.create);
        staged.push(this.#staged(member, part, issuers));
      }
      const journal = join(this.#directory.replacements, randomBytes(8).toString('hex'));
      return this.#options.replacements.stage(owner, staged, seconds, journal);
    });
  }

  #staged(
    member: Member,
    { create, content, remove, request }: StagePart,
    issuers: readonly Certificate[],
  ): ReplacementPart {
    if (request !== undefined) mustBeFor(request, content);
    const { endpoint, key } = member;
    const appear = () => this.#appear(member);
    const wrapped = (change: StagedChange): StagedChange => {
      if (create) {
        const disappear = async () => {
          if (member.isPresent) this.#hide(member);
          await this.#directory.makeAbsent(key);
        };
        return withCreation(change, { appear, disappear });
      }
      if (!remove) return change;
      const disappear = async () => {
        await this.#directory.unmark(key);
        this.#hide(member);
      };
      return withRemoval(change, { appear, disappear, forget: () => void this.#forget(member) });
    };
    return {
      endpoint: {
        definition: endpoint.definition,
        stage: async (staged) => wrapped(await endpoint.stage(staged, issuers)),
      },
      content,
    };
  }

  /** With its keys; what fails now is done by the next start. Never rejects. */
  async #forget(member: Member): Promise<void> {
    const { key, endpoint } = member;
    await endpoint.requests.settled();
    await this.#turn.run(async () => {
      if (member.isPresent || this.#members.get(nameOf(key)) !== member) return;
      endpoint.stop();
      this.#members.delete(nameOf(key));
      await this.#directory.remove(key).catch(() => undefined);
    });
  }

  /** Looks after what time changes; to be called now and then. Never rejects. */
  async maintain(): Promise<void> {
    await this.start();
    if (!this.#hasStarted) return;
    await Promise.all([...this.#members.values()].map(({ endpoint }) => endpoint.maintain()));
    await this.#turn.run(() => this.#forgetUnused()).catch(() => undefined);
  }

  /** Has staged replacements undone and lets what is under way end. */
  async drain(): Promise<void> {
    const endpoints = [...this.#members.values()].map(({ endpoint }) => endpoint);
    await Promise.all(
      endpoints.map(async (endpoint) => {
        await this.#options.replacements.endpointLeaves(endpoint.definition);
        await endpoint.drain();
      }),
    );
  }

  stop(): void {
    for (const { endpoint } of this.#members.values()) endpoint.stop();
  }

  /** @returns how to unsubscribe */
  subscribe(listener: (event: RunTimeEndpointEvent) => void): () => void {
    return this.#listeners.add(listener);
  }

  /** @throws CertError */
  async #known(key: EndpointKey): Promise<Member> {
    if (!this.#hasStarted)
      throw new CertError('storage', 'the endpoints could not be read; nothing changed');
    checkEndpointId(key.name);
    const known = this.#members.get(nameOf(key));
    if (known) return known;
    const max = this.#options.maxEndpoints();
    if (this.#members.size >= max) await this.#forgetUnused().catch(asStorageError);
    if (this.#members.size >= max)
      throw new CertError('limit-reached', `there are ${max} endpoints already`);
    const member = this.#memberOf(key);
    await member.endpoint.start();
    return member;
  }

  #memberOf({ type, name }: EndpointKey): Member {
    const key = { type, name };
    const known = this.#members.get(nameOf(key));
    if (known) return known;
    const endpoint = this.#options.makeEndpoint(key, this.#directory.pathOf(key));
    const member = { key, endpoint, isPresent: false };
    this.#members.set(nameOf(key), member);
    return member;
  }

  /** Those that are not there, and of which nothing is kept or under way. */
  async #forgetUnused(): Promise<void> {
    for (const [name, { key, endpoint, isPresent }] of this.#members) {
      const isReplaced = this.#options.replacements.stateOf(endpoint.definition) !== 'none';
      if (isPresent || isReplaced || !(await endpoint.requests.isEmpty())) continue;
      endpoint.stop();
      this.#members.delete(name);
      await this.#directory.remove(key).catch(() => undefined);
    }
  }

  async #appear(member: Member): Promise<void> {
    await this.#directory.makePresent(member.key);
    this.#show(member);
  }

  #show(member: Member): void {
    member.isPresent = true;
    this.#listeners.tell({ kind: 'added', endpoint: member.endpoint });
  }

  #hide(member: Member): void {
    member.isPresent = false;
    this.#listeners.tell({ kind: 'removed', endpoint: member.endpoint });
  }

  #mustBe({ key, isPresent }: Member, wanted: boolean): void {
    if (isPresent === wanted) return;
    if (wanted) throw new CertError('not-found', `there is no endpoint ${nameOf(key)}`);
    throw new CertError('already-installed', `there is an endpoint ${nameOf(key)} already`);
  }

  #refuseReplaced({ endpoint: { definition } }: Member): void {
    if (this.#options.replacements.stateOf(definition) === 'none') return;
    throw new CertError(
      'replacement-in-progress',
      'a staged replacement of the endpoint is in progress; it must be committed or undone first',
    );
  }
}

function certificatesOf({ content }: StagePart): readonly Certificate[] {
  return content === undefined ? [] : parseUpload(content, Number.POSITIVE_INFINITY).certificates;
}

/** @throws CertError `key-mismatch` */
function mustBeFor(request: string, content: UploadContent = []): void {
  const { certificates, keyBlocks } = parseUpload(content, Number.POSITIVE_INFINITY);
  const isFor = certificates.some(
    ({ publicKey }) => publicKeyHash(publicKeyInfo(publicKey)) === request,
  );
  if (isFor && keyBlocks.length === 0) return;
  throw new CertError('key-mismatch', `the certificate is not for the pending key ${request}`);
}

function nameOf({ type, name }: EndpointKey): string {
  return `${type}/${name}`;
}
