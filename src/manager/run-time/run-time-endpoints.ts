import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CertError, reasonOf } from '../../core/cert-error.ts';
import { Mutex } from '../../core/mutex.ts';
import { noFollow, tryReadRegularFile } from '../../storage/regular-file.ts';
import type { Certificate } from '../../x509/certificate.ts';
import { publicKeyHash, publicKeyInfo } from '../../x509/keys.ts';
import type { StagedChange } from '../change.ts';
import { asStorageError } from '../change.ts';
import type { MadeRequest } from '../csr/csr-service.ts';
import type { CsrParameters } from '../csr/parameters.ts';
import type { Endpoint } from '../endpoint.ts';
import type { ReplacementPart } from '../replacement/staged-replacements.ts';
import { bundleFile } from '../upgrade/upstream-authorities.ts';
import { parseUpload, type UploadContent } from '../upload.ts';
import { EndpointDirectory, type EndpointKey } from './endpoint-directory.ts';
import {
  type Member,
  type RunTimeEndpointEvent,
  RunTimeMembers,
  type RunTimeMembersOptions,
} from './run-time-members.ts';
import { wasAbsent, withCreation, withRemoval } from './staged-creation.ts';

export interface RunTimeEndpointsOptions extends RunTimeMembersOptions {
  readonly directory: string;
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

/**
 * The endpoints that come and go while the manager runs, and stay over its restarts. One that is not there may have keys
 * that wait for its first certificate; it comes by `add`, or with that certificate in a replacement.
 */
export class RunTimeEndpoints {
  readonly #options: RunTimeEndpointsOptions;
  readonly #directory: EndpointDirectory;
  readonly #members: RunTimeMembers;
  /** Who is there is decided in turn. */
  readonly #turn = new Mutex();
  #hasStarted = false;

  constructor(options: RunTimeEndpointsOptions) {
    this.#options = options;
    this.#directory = new EndpointDirectory(options.directory);
    this.#members = new RunTimeMembers(this.#directory, options);
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
    for (const key of await this.#directory.list()) this.#members.at(key);
    if (!(await this.#recover())) return;
    for (const member of this.#members.all) {
      member.isPresent = await this.#directory.isPresent(member.key);
      if (!member.isPresent) await this.#directory.clear(member.key);
    }
    await this.#members.forgetUnused();
    const members = this.#members.all;
    await Promise.all(members.map(({ endpoint }) => endpoint.start()));
    this.#hasStarted = true;
    for (const member of members) if (member.isPresent) this.#members.show(member);
  }

  /** @returns whether nothing is left that is to be undone */
  async #recover(): Promise<boolean> {
    const { replacements } = this.#options;
    const names = await readdir(this.#directory.replacements);
    const journals = new Set(names.map((name) => name.split('.')[0] ?? name));
    const endpoints = this.#members.all.map(({ endpoint }) => endpoint);
    let isDone = await replacements.recover(endpoints);
    for (const name of journals) {
      const path = join(this.#directory.replacements, name);
      const find = (key: EndpointKey) => {
        const member = this.#members.at(key);
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
    return this.#members.all.filter(({ isPresent }) => isPresent).map(({ endpoint }) => endpoint);
  }

  /** The CAs of all authorities that are there. */
  authorities(): readonly Certificate[] {
    const authorities = this.list().filter(({ definition }) => definition.type === 'authority');
    return authorities.flatMap((one) => one.list().map(({ certificate }) => certificate));
  }

  /** `undefined` when it is not there. */
  find(key: EndpointKey): Endpoint | undefined {
    const member = this.#members.find(key);
    return member?.isPresent ? member.endpoint : undefined;
  }

  /** Also one that is not there, whose keys wait for its first certificate. */
  findWithKeys(key: EndpointKey): Endpoint | undefined {
    return this.#members.find(key)?.endpoint;
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
      this.#members.mustBe(member, false);
      this.#members.refuseReplaced(member);
      await this.#members.appear(member).catch(asStorageError);
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
      this.#members.mustBe(member, true);
      this.#members.refuseReplaced(member);
      this.#members.hide(member);
      await member.endpoint.drain();
      this.#members.drop(member);
      await this.#directory.remove(key).catch(async (error: unknown) => {
        // All of it is where it was
        const again = this.#members.at(key);
        await again.endpoint.start();
        this.#members.show(again);
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
      const needsIssuers = parts.some(({ type }) => type !== 'authority');
      const authorities = parts.filter(({ type }) => needsIssuers && type === 'authority');
      const issuers = authorities.flatMap(certificatesOf);
      for (const part of parts) {
        const member = await this.#known(part);
        this.#members.mustBe(member, !part.create);
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
    const appear = () => this.#members.appear(member);
    const wrapped = (change: StagedChange): StagedChange => {
      if (create) {
        const disappear = async () => {
          if (member.isPresent) this.#members.hide(member);
          await this.#directory.makeAbsent(key);
        };
        return withCreation(change, { appear, disappear });
      }
      if (!remove) return change;
      const disappear = async () => {
        await this.#directory.unmark(key);
        this.#members.hide(member);
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
      if (member.isPresent || this.#members.find(key) !== member) return;
      this.#members.drop(member);
      await this.#directory.remove(key).catch(() => undefined);
    });
  }

  /** Looks after what time changes; to be called now and then. Never rejects. */
  async maintain(): Promise<void> {
    await this.start();
    if (!this.#hasStarted) return;
    await Promise.all(this.#members.all.map(({ endpoint }) => endpoint.maintain()));
    await this.#turn.run(() => this.#members.forgetUnused()).catch(() => undefined);
  }

  /** Has staged replacements undone and lets what is under way end. */
  async drain(): Promise<void> {
    const endpoints = this.#members.all.map(({ endpoint }) => endpoint);
    await Promise.all(
      endpoints.map(async (endpoint) => {
        await this.#options.replacements.endpointLeaves(endpoint.definition);
        await endpoint.drain();
      }),
    );
  }

  stop(): void {
    for (const { endpoint } of this.#members.all) endpoint.stop();
  }

  /** @returns how to unsubscribe */
  subscribe(listener: (event: RunTimeEndpointEvent) => void): () => void {
    return this.#members.subscribe(listener);
  }

  /** @throws CertError */
  #known(key: EndpointKey): Promise<Member> {
    if (!this.#hasStarted)
      throw new CertError('storage', 'the endpoints could not be read; nothing changed');
    return this.#members.admit(key);
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
