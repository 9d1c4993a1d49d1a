import type { KeyObject } from 'node:crypto';
import { randomBytes } from 'node:crypto';
import { lstat, readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { ownerOnly } from '../../durable/access.ts';
import { renameSynced, writeFileAtomic, writeNewFile } from '../../durable/atomic-file.ts';
import { makeDirectory } from '../../durable/directory.ts';
import { exists } from '../../durable/disk-answer.ts';
import { tryReadRegularFile } from '../../durable/regular-file.ts';
import { clearUnfinished } from '../../durable/unfinished.ts';
import { isClockSet } from '../clock.ts';
import { CertError, isSystemError } from '../errors.ts';
import type { KeySource } from '../pairing.ts';
import { readPrivateKey } from '../x509/keys.ts';
import { parsePem } from '../x509/pem.ts';

/** A certification request whose private key waits for its certificate. */
export interface PendingRequest {
  /** Hexadecimal SHA-256 of the public key. */
  readonly id: string;
  /** The request; `undefined` for a key that an upstream installation left without one. */
  readonly pem: string | undefined;
  readonly created: Date;
}

export interface PendingLimits {
  readonly requests: number;
  readonly days: number;
}

/** Names of the files of one request; the worker that makes them knows them too. */
export const requestFiles = { key: 'key.pem', request: 'request.pem', created: 'created' } as const;

/** Names of requests, and of those that a worker makes. Nothing else in the directory is touched. */
const idName = /^[0-9a-f]{64}$/;
const asideName = /^\.[0-9a-f]{16}$/;

const dayMilliseconds = 86_400_000;

/** The age of what was made before the clock was set is unknown. */
function isAged(created: number, oldest: number): boolean {
  return isClockSet(created) && created < oldest;
}

/** When a request was made, and after how many others: no clock that is set changes their order. */
interface Made {
  readonly created: Date;
  readonly number: number;
}

/** What does not say when it was made is as old as can be, and of an age that nobody knows. */
function readMade(text: string): Made {
  const [time = '', number = '0'] = text.trim().split(' ');
  const milliseconds = Date.parse(time);
  return {
    created: new Date(Number.isNaN(milliseconds) ? 0 : milliseconds),
    number: Number.parseInt(number, 10) || 0,
  };
}

/** Those without a number were there before any that has one. */
function inOrder(a: Made, b: Made): number {
  return a.number - b.number || a.created.getTime() - b.created.getTime();
}

/**
 * The requests of one endpoint, several at a time, one directory each. A request stays after its
 * certificate was installed, so that a renewal signed for the same request still finds its key.
 * What is too many or too old goes when the next one is made, and now and then.
 */
export class PendingRequests implements KeySource {
  readonly #directory: string;
  readonly #limits: PendingLimits;
  /** Names of those that a worker is at. */
  readonly #unfinished = new Set<string>();
  #lastNumber = 0;
  /** What was made since the start, by id: a clock that is set moves its time, too. */
  readonly #made = new Map<string, { made: Made; isWritten: boolean }>();

  constructor(directory: string, limits: PendingLimits) {
    this.#directory = directory;
    this.#limits = limits;
  }

  /** Clears away what a worker left unfinished when the manager or the power died. */
  async open(): Promise<void> {
    this.#unfinished.clear();
    await this.#clearAbandoned();
    for (const id of await this.#ids())
      for (const name of [requestFiles.request, requestFiles.created])
        await clearUnfinished(join(this.#directory, id, name));
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
   * @param agesBy the time to judge the age of others by; without one nothing is too old
   */
  async adopt(aside: string, id: string, now: Date, agesBy?: Date): Promise<PendingRequest> {
    const numbers = (await this.#all()).map((one) => one.number);
    this.#lastNumber = Math.max(this.#lastNumber, ...numbers) + 1;
    const made = { created: now, number: this.#lastNumber };
    await writeMade(aside, made);
    const pem = await tryReadRegularFile(join(aside, requestFiles.request));
    await renameSynced(aside, join(this.#directory, id));
    this.#made.set(id, { made, isWritten: true });
    // What cannot be given up now is given up at the next look
    await this.prune(agesBy, id).catch(() => undefined);
    return { id, pem, created: now };
  }

  /**
   * Keeps a request for a key that is somewhere else now, and may be gone before its certificate comes.
   * One that is there for the same key gives way to it.
   */
  async keep(id: string, key: string, pem: string, now: Date, agesBy?: Date): Promise<void> {
    const there = join(this.#directory, id);
    if ((await this.#ids()).includes(id)) {
      await writeFileAtomic(join(there, requestFiles.request), pem, ownerOnly);
      return;
    }
    const aside = await this.prepare();
    try {
      await writeNewFile(join(aside, requestFiles.key), key, ownerOnly);
      await writeNewFile(join(aside, requestFiles.request), pem, ownerOnly);
      await this.adopt(aside, id, now, agesBy);
    } finally {
      await this.discard(aside);
    }
  }

  /** Moves the times of what was made since the start with the clock that they were taken from. */
  moveTimes(by: number): void {
    for (const one of this.#made.values()) {
      const created = new Date(one.made.created.getTime() + by);
      one.made = { ...one.made, created };
      one.isWritten = false;
    }
  }

  /** Gives up what a worker was at. What cannot be removed now is removed at the next look. */
  async discard(aside: string): Promise<void> {
    this.#unfinished.delete(basename(aside));
    await rm(aside, { recursive: true, force: true }).catch(() => undefined);
  }

  /** @throws CertError `storage` where there is a key that cannot be read: it must not pass for none */
  async find(id: string): Promise<KeyObject | undefined> {
    if (!idName.test(id) || !(await this.#isOurs())) return undefined;
    const path = join(this.#directory, id, requestFiles.key);
    if (!(await exists(path))) return undefined;
    const text = await tryReadRegularFile(path);
    try {
      const [block] = parsePem(text ?? '');
      if (block) return readPrivateKey(block);
    } catch {
      // Whoever uploads the certificate is not to blame
    }
    throw new CertError('storage', 'the key of the request cannot be read');
  }

  async isEmpty(): Promise<boolean> {
    return (await this.#ids()).length === 0;
  }

  /** Oldest first, without those whose files are damaged. */
  async list(): Promise<PendingRequest[]> {
    return (await this.#all()).map(({ id, pem, created }) => ({ id, pem, created }));
  }

  async #all(): Promise<(PendingRequest & Made)[]> {
    const found: (PendingRequest & Made)[] = [];
    for (const id of await this.#ids()) {
      const one = await this.#read(id);
      if (typeof one !== 'string') found.push(one);
    }
    return found.sort(inOrder);
  }

  /** Gives up the key of a request. @returns false when there is none */
  async remove(id: string): Promise<boolean> {
    if (!(await this.#ids()).includes(id)) return false;
    await this.#remove(id);
    return true;
  }

  /** @returns `damaged` where a file of it is not there, `hidden` where we may not read one */
  async #read(id: string): Promise<(PendingRequest & Made) | 'damaged' | 'hidden'> {
    const directory = join(this.#directory, id);
    for (const name of [requestFiles.key, requestFiles.created]) {
      if (!(await exists(join(directory, name)))) return 'damaged';
    }
    const key = await tryReadRegularFile(join(directory, requestFiles.key));
    const created = await tryReadRegularFile(join(directory, requestFiles.created));
    if (key === undefined || created === undefined) return 'hidden';
    const pem = await tryReadRegularFile(join(directory, requestFiles.request));
    return { id, pem, ...(this.#made.get(id)?.made ?? readMade(created)) };
  }

  /**
   * Gives up what is too many, too old or damaged; nothing where the files cannot be read now.
   * @param now the time to judge ages by; without one nothing is too old
   * @param newest stays, whatever a clock that jumped says of its age
   */
  async prune(now?: Date, newest?: string): Promise<void> {
    const { requests, days } = this.#limits;
    await this.#writeTimes();
    const oldest = now ? now.getTime() - days * dayMilliseconds : Number.NEGATIVE_INFINITY;
    const ids = await this.#ids();
    const list = (await this.list()).filter(({ id }) => ids.includes(id));
    const others = list.filter(({ id }) => id !== newest);
    const surplus = others.slice(0, Math.max(0, list.length - requests));
    const aged = others.filter(({ created }) => isAged(created.getTime(), oldest));
    // Looked for among the names from before the list was read: a request may come in the meantime
    const damaged: string[] = [];
    for (const id of ids) if ((await this.#read(id)) === 'damaged') damaged.push(id);
    const gone = new Set([...surplus.map(({ id }) => id), ...aged.map(({ id }) => id), ...damaged]);
    for (const id of gone) await this.#remove(id);
    await this.#clearAbandoned();
  }

  async #writeTimes(): Promise<void> {
    const ids = await this.#ids();
    for (const [id, one] of this.#made) {
      if (one.isWritten || !ids.includes(id)) continue;
      await writeMade(join(this.#directory, id), one.made);
      one.isWritten = true;
    }
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
    this.#made.delete(id);
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

  async #names(): Promise<string[]> {
    return (await this.#isOurs()) ? readdir(this.#directory) : [];
  }
}

async function writeMade(directory: string, { created, number }: Made): Promise<void> {
  const text = `${created.toISOString()} ${number}\n`;
  await writeFileAtomic(join(directory, requestFiles.created), text, ownerOnly);
}
