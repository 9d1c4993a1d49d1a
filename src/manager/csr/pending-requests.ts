import type { KeyObject } from 'node:crypto';
import { randomBytes } from 'node:crypto';
import { lstat, readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { CertError, isSystemError } from '../../core/cert-error.ts';
import { Mutex } from '../../core/mutex.ts';
import { renameSynced, writeFileAtomic, writeNewFile } from '../../storage/atomic-file.ts';
import { makeDirectory } from '../../storage/directory.ts';
import { ownerOnly } from '../../storage/file-mode.ts';
import { classifyIoError, exists } from '../../storage/io-errors.ts';
import { makeTreeOwn, type TellOwned } from '../../storage/ownership.ts';
import { noFollow, tryReadRegularFile } from '../../storage/regular-file.ts';
import { removeTempFiles } from '../../storage/temp-files.ts';
import { readPrivateKey } from '../../x509/keys.ts';
import { parsePem } from '../../x509/pem.ts';
import type { KeySource } from '../credential/pairing.ts';
import {
  type CsrTimestamp,
  inOrder,
  readCsrTimestamp,
  writeCsrTimestamp,
} from './csr-timestamp.ts';

/** A certification request whose private key waits for its certificate. */
export interface PendingRequest {
  /** Hexadecimal SHA-256 of the public key. */
  readonly id: string;
  /** The request; `undefined` for a key that an upstream installation left without one. */
  readonly pem: string | undefined;
  readonly created: Date;
}

/** Names of the files of one request; the worker that makes them knows them too. */
export const requestFiles = { key: 'key.pem', request: 'request.pem', created: 'created' } as const;

/** Names of requests, and of those that a worker makes. Nothing else in the directory is touched. */
const idName = /^[0-9a-f]{64}$/;
const asideName = /^\.[0-9a-f]{16}$/;

type Found = PendingRequest & CsrTimestamp;

/**
 * The requests of one endpoint, several at a time, one directory each. A request whose certificate was
 * installed is not listed any more; its key stays, so that a renewal signed for the same request still finds it.
 * The oldest gives way when there are too many, and those with a certificate before the others.
 */
export class PendingRequests implements KeySource {
  readonly #directory: string;
  readonly #max: number;
  /** Names of those that a worker is at. */
  readonly #unfinished = new Set<string>();
  /** What changes several of them, or looks which are too many, has all of them for itself. */
  readonly #turn = new Mutex();

  constructor(directory: string, max: number) {
    this.#directory = directory;
    this.#max = max;
  }

  /** Takes all of it from others, and clears away what a worker left unfinished when the manager or the power died. */
  open(tellOwned: TellOwned = () => undefined): Promise<void> {
    return this.#turn.run(async () => {
      await this.#clearAbandoned();
      for (const id of await this.#ids())
        for (const name of Object.values(requestFiles))
          await removeTempFiles(join(this.#directory, id, name));
      await makeTreeOwn(this.#directory, tellOwned);
    });
  }

  /** A new empty directory for a worker to write a request into. */
  async prepare(): Promise<string> {
    const aside = this.#asideName();
    await makeDirectory(this.#directory, ownerOnly);
    if (!(await this.#isOurs()))
      throw new CertError('storage', 'a link is in place of the requests');
    this.#unfinished.add(basename(aside));
    try {
      await makeDirectory(aside, ownerOnly);
    } catch (error) {
      await this.discard(aside);
      throw error;
    }
    return aside;
  }

  /**
   * Takes in what a worker finished.
   * @param id hash of the public key
   */
  adopt(aside: string, id: string, now: Date): Promise<PendingRequest> {
    return this.#turn.run(() => this.#adopt(aside, id, now));
  }

  async #adopt(aside: string, id: string, now: Date): Promise<PendingRequest> {
    await this.#stamp(aside, now);
    const pem = await readOwn(join(aside, requestFiles.request));
    await renameSynced(aside, join(this.#directory, id));
    // What cannot be given up now is given up at the next look
    await this.#prune().catch(() => undefined);
    return { id, pem, created: now };
  }

  /**
   * Keeps a request for a key that is somewhere else now, and may be gone before its certificate comes.
   * One that is there for the same key gives way to it.
   */
  keep(id: string, key: string, pem: string, now: Date): Promise<void> {
    return this.#turn.run(async () => {
      if ((await this.#ids()).includes(id)) await this.#renew(id, key, pem, now);
      else await this.#add(id, key, pem, now);
    });
  }

  /** It becomes the newest with one write; the key is the same, so nothing is lost where it is written before. */
  async #renew(id: string, key: string, pem: string, now: Date): Promise<void> {
    const there = join(this.#directory, id);
    const keyPath = join(there, requestFiles.key);
    const kept = await readOwn(keyPath).catch(() => undefined);
    if (kept !== key) await writeFileAtomic(keyPath, key, ownerOnly);
    await this.#stamp(there, now, pem);
    await this.#prune().catch(() => undefined);
  }

  /** Notes in its directory when it was made, and that it comes after all others that can be read. */
  async #stamp(directory: string, created: Date, renewal?: string): Promise<void> {
    const { found } = await this.#survey();
    const number = Math.max(0, ...found.map((one) => one.number)) + 1;
    const stamp = { created, number, ...(renewal !== undefined && { renewal }) };
    await writeCsrTimestamp(join(directory, requestFiles.created), stamp);
  }

  async #add(id: string, key: string, pem: string, now: Date): Promise<void> {
    const aside = await this.prepare();
    try {
      await writeNewFile(join(aside, requestFiles.key), key, ownerOnly);
      await writeNewFile(join(aside, requestFiles.request), pem, ownerOnly);
      await this.#adopt(aside, id, now);
    } finally {
      await this.discard(aside);
    }
  }

  /** Gives up what a worker was at. What cannot be removed now is removed at the next look. */
  async discard(aside: string): Promise<void> {
    this.#unfinished.delete(basename(aside));
    await rm(aside, { recursive: true, force: true }).catch(() => undefined);
  }

  /** @throws CertError `storage` where there is a key that cannot be read: it must not pass for none */
  async find(id: string): Promise<KeyObject | undefined> {
    if (!(await this.#ids()).includes(id)) return undefined;
    const path = join(this.#directory, id, requestFiles.key);
    if (!(await exists(path))) return undefined;
    const text = await readOwn(path);
    try {
      const [block] = parsePem(text ?? '');
      if (block) return readPrivateKey(block);
    } catch {
      // The caller who uploads the certificate is not to blame
    }
    throw new CertError('storage', 'the key of the request cannot be read');
  }

  async isEmpty(): Promise<boolean> {
    return (await this.#ids()).length === 0;
  }

  /** Oldest first, without those whose certificate came, whose files are damaged, or cannot be read now. */
  async list(): Promise<PendingRequest[]> {
    const { found } = await this.#survey();
    const waiting = found.filter(({ isInstalled }) => !isInstalled);
    return waiting.map(({ id, pem, created }) => ({ id, pem, created }));
  }

  /**
   * Notes that the certificate of a request came. Nothing where there is no such request.
   * @param leavesRenewals whether a request that was made anew for the key of a certificate goes on waiting
   */
  noteInstalled(id: string, leavesRenewals = false): Promise<void> {
    return this.#turn.run(async () => {
      const { found } = await this.#survey();
      const request = found.find((one) => one.id === id && !one.isInstalled);
      if (!request || (leavesRenewals && request.renewal !== undefined)) return;
      const path = join(this.#directory, id, requestFiles.created);
      await writeCsrTimestamp(path, { ...request, isInstalled: true });
    });
  }

  async #survey(): Promise<{ readonly found: readonly Found[]; readonly damaged: string[] }> {
    const found: Found[] = [];
    const damaged: string[] = [];
    for (const id of await this.#ids()) {
      const one = await this.#read(id);
      if (one === 'damaged') damaged.push(id);
      else if (one !== 'hidden') found.push(one);
    }
    return { found: found.sort(inOrder), damaged };
  }

  /** Gives up the key of a request. @returns false when there is none */
  remove(id: string): Promise<boolean> {
    return this.#turn.run(async () => {
      if (!(await this.#ids()).includes(id)) return false;
      await this.#remove(id);
      return true;
    });
  }

  /**
   * @returns `damaged` where a file of it is not there, `hidden` where one cannot be read
   * @throws where the program can read nothing at the moment, which is not the matter of one of them
   */
  async #read(id: string): Promise<Found | 'damaged' | 'hidden'> {
    const directory = join(this.#directory, id);
    try {
      for (const name of [requestFiles.key, requestFiles.created]) {
        if (!(await exists(join(directory, name)))) return 'damaged';
      }
      const key = await readOwn(join(directory, requestFiles.key));
      const created = await readOwn(join(directory, requestFiles.created));
      if (key === undefined || created === undefined) return 'hidden';
      const stamp = readCsrTimestamp(created);
      const pem = stamp.renewal ?? (await readOwn(join(directory, requestFiles.request)));
      return { id, pem, ...stamp };
    } catch (error) {
      if (classifyIoError(error) === 'busy') throw error;
      return 'hidden';
    }
  }

  /** Gives up what is too many or damaged; nothing that cannot be read now. */
  prune(): Promise<void> {
    return this.#turn.run(() => this.#prune());
  }

  async #prune(): Promise<void> {
    const { found, damaged } = await this.#survey();
    const expendable = [
      ...found.filter(({ isInstalled }) => isInstalled),
      ...found.filter(({ isInstalled }) => !isInstalled),
    ];
    const surplus = expendable.slice(0, Math.max(0, found.length - this.#max));
    for (const id of [...surplus.map((one) => one.id), ...damaged]) await this.#remove(id);
    await this.#clearAbandoned();
  }

  async #clearAbandoned(): Promise<void> {
    for (const name of await this.#names()) {
      if (!asideName.test(name) || this.#unfinished.has(name)) continue;
      await this.discard(join(this.#directory, name));
    }
  }

  /** A link in place of the directory would lead to files that are not requests. */
  async #isOurs(): Promise<boolean> {
    return lstat(this.#directory).then(
      (stat) => stat.isDirectory(),
      (error: unknown) => {
        if (isSystemError(error, 'ENOENT') || isSystemError(error, 'ENOTDIR')) return false;
        throw error;
      },
    );
  }

  /** All of it at once: a key without its request would be neither there nor gone. */
  async #remove(id: string): Promise<void> {
    const aside = this.#asideName();
    await renameSynced(join(this.#directory, id), aside);
    // What cannot be removed now is removed at the next look
    await this.discard(aside);
  }

  #asideName(): string {
    return join(this.#directory, `.${randomBytes(8).toString('hex')}`);
  }

  async #ids(): Promise<string[]> {
    return (await this.#names()).filter((name) => idName.test(name));
  }

  /** Of directories; a link would lead to another user's files. */
  async #names(): Promise<string[]> {
    if (!(await this.#isOurs())) return [];
    const entries = await readdir(this.#directory, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  }
}

/** Root must not show, or take into service, what a link in place of a file leads to. */
function readOwn(path: string): Promise<string | undefined> {
  return tryReadRegularFile(path, noFollow);
}
