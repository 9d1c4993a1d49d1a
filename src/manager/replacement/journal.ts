import { lstat, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CertError } from '../../core/cert-error.ts';
import { renameSynced } from '../../storage/atomic-file.ts';
import { syncDirectory } from '../../storage/directory.ts';
import { codeOf, exists } from '../../storage/io-errors.ts';
import { makeTreeOwn, type TellOwned } from '../../storage/ownership.ts';
import { kindOf } from '../../storage/regular-file.ts';
import { withRetries } from '../../storage/retry.ts';
import type { StagedChange } from '../change.ts';
import { savedPair } from '../credential/credential-file.ts';
import type { Endpoint } from '../endpoint.ts';
import { type EndpointDefinition, endpointTypes } from '../endpoint-definition.ts';

type Named = Pick<EndpointDefinition, 'type' | 'name'>;

/** The endpoint of a part; `undefined` where there is none. */
export type FindRecoverable = (endpoint: Named) => Pick<Endpoint, 'recover'> | undefined;

/**
 * The old state of all endpoints of a staged replacement, beside the files of the one that it was staged at:
 *
 *     server.pem.replacement/{server.https/…,authority.truststore/…}
 *
 * It counts from one rename, which comes before the first switch, to another, which is the commit.
 */
export class ReplacementJournal {
  readonly #path: string;
  readonly #tellOwned: TellOwned;

  /** @param path of the endpoint that the replacement was staged at */
  constructor(path: string, tellOwned: TellOwned = () => undefined) {
    this.#path = `${path}.replacement`;
    this.#tellOwned = tellOwned;
  }

  /** @throws what the file system throws, and where there is an older one, which stays */
  async write(changes: readonly StagedChange[]): Promise<void> {
    const aside = `${this.#path}.new`;
    try {
      await this.#writeAside(aside, changes);
      await renameSynced(aside, this.#path);
    } catch (error) {
      // It holds a key
      await rm(aside, { recursive: true, force: true }).catch(() => undefined);
      throw error;
    }
  }

  async #writeAside(aside: string, changes: readonly StagedChange[]): Promise<void> {
    await rm(aside, { recursive: true, force: true });
    await mkdir(aside, { mode: 0o700 });
    for (const change of changes) {
      const into = join(aside, nameOf(change.endpoint));
      await mkdir(into, { mode: 0o700 });
      await change.save(into);
      await syncDirectory(into);
    }
    await syncDirectory(aside);
  }

  /** The rename is the moment that counts; what is left of the rest goes at the next start. */
  async remove(): Promise<void> {
    if (!(await exists(this.#path))) return;
    const done = `${this.#path}.done`;
    await rm(done, { recursive: true, force: true });
    await renameSynced(this.#path, done);
    await rm(done, { recursive: true, force: true }).catch(() => undefined);
  }

  /**
   * Brings back what a staged replacement left that was never committed, and clears away what is no journal.
   * @returns whether there was one. @throws when it cannot be brought back; it may be tried again
   */
  async recover(find: FindRecoverable): Promise<boolean> {
    for (const name of ['new', 'done']) {
      // What cannot be removed now must not keep the journal from being read
      await rm(`${this.#path}.${name}`, { recursive: true, force: true }).catch(() => undefined);
    }
    await this.#makeOwn();
    // One part of a staged replacement without the others is no state
    return withRetries(() => this.#bringBack(find));
  }

  /**
   * Gives it up, so that a later start does not bring back what is older than the changes until then; of those that were
   * given up the last one is kept.
   * @throws what the file system throws; it is still there then
   */
  async putAside(): Promise<void> {
    if (!(await exists(this.#path))) return;
    await rm(this.#failed, { recursive: true, force: true });
    await renameSynced(this.#path, this.#failed);
  }

  get #failed(): string {
    return `${this.#path}.failed`;
  }

  /** Takes the keys in it from others who may read or change them, and those in what was given up. */
  async #makeOwn(): Promise<void> {
    const keys: readonly string[] = [savedPair.file, savedPair.replacement];
    for (const path of [this.#path, this.#failed])
      await makeTreeOwn(path, this.#tellOwned, (name) => keys.includes(name));
  }

  async #bringBack(find: FindRecoverable): Promise<boolean> {
    const journal = await lstat(this.#path).catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    });
    if (!journal) return false;
    if (!journal.isDirectory())
      throw new CertError('file-unreadable', `${this.#path} is ${kindOf(journal)} and no journal`);
    const entries = await readdir(this.#path, { withFileTypes: true });
    const saved = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    const parts = saved.map((name) => {
      const endpoint = find(parseName(name));
      // The others alone are no state, and what was in service there would be gone with the journal
      if (!endpoint) throw new CertError('not-found', `the endpoint ${name} is not configured`);
      return { endpoint, from: join(this.#path, name) };
    });
    for (const { endpoint, from } of parts) await endpoint.recover(from);
    await this.remove();
    return true;
  }
}

function nameOf({ type, name }: Named): string {
  return `${type}.${name}`;
}

/** @throws CertError `not-found` for what `nameOf` does not write */
function parseName(text: string): Named {
  const type = endpointTypes.find((one) => text.startsWith(`${one}.`));
  if (type) return { type, name: text.slice(type.length + 1) };
  throw new CertError('not-found', `${text} is no endpoint`);
}
