import { lstat, readdir, readlink, rename, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { everyone } from '../../durable/access.ts';
import { renameSynced, writeFileAtomic } from '../../durable/atomic-file.ts';
import {
  makeDirectory,
  makeOwnDirectory,
  syncAfterSwitch,
  syncDirectory,
} from '../../durable/directory.ts';
import { exists, unanswered } from '../../durable/disk-answer.ts';
import { tryReadRegularFile } from '../../durable/regular-file.ts';
import { clearUnfinished, unfinishedName } from '../../durable/unfinished.ts';
import { CertError, isSystemError } from '../errors.ts';
import type { Certificate } from '../x509/certificate.ts';
import {
  type Authority,
  amendLayout,
  hasLayout,
  type Layout,
  layoutOf,
  singleDifference,
  writeLayout,
} from './authority-layout.ts';
import { takeOverPlainDirectory } from './authority-takeover.ts';
import { bundleFile, readCertificates } from './upstream-authorities.ts';

export type { Authority };

/** What stood in the directory at start. */
export interface LoadedAuthorities {
  readonly authorities: readonly Authority[];
  /** Where files are kept now that hold no readable certificate. */
  readonly unreadable: readonly string[];
}

/** What stands in the directory while the manager runs. */
export interface ScannedDirectory {
  readonly authorities: readonly Authority[];
  /** True when a file of the manager's own holds no certificate any more. */
  readonly damaged: boolean;
  /** Certificates in files that others put there. */
  readonly foreign: readonly Certificate[];
  /** True when everything of the manager's own is as it left it. */
  readonly inStep: boolean;
}

/**
 * A directory that OpenSSL takes as `-CApath`: a PEM file for each CA, found through links named by
 * subject hash. The path itself is a symbolic link to one generation. A change of one authority is made
 * in place, and any other by a new generation and one rename of the link, so that whoever reads the path
 * finds the old set or the new one:
 *
 *     authority -> authority.generations/7
 *     authority.generations/next-id
 *     authority.generations/7/{1.pem,4.pem,5ad8a5d6.0 -> 1.pem,…,trust_bundle}
 *     authority.generations/foreign/…
 *
 * `trust_bundle` has all of them in one file for whoever takes a `-CAfile`; upstream's has that name,
 * but is left behind by single changes. What others put into a generation is kept in `foreign`.
 */
export class AuthorityDirectory {
  readonly #path: string;
  readonly #generations: string;
  #nextId = 1;
  /** What stands in the current generation. */
  #layout: Layout | undefined;
  #isOutOfStep = false;

  constructor(path: string) {
    this.#path = path;
    this.#generations = `${path}.generations`;
  }

  /**
   * Reads the current generation, takes over a plain directory, and clears what a crash left.
   * @param impatient takes a file for damaged that the disk cannot read, where it would be tried again
   * @throws what the file system throws; nothing is given up then
   */
  async load(impatient = false): Promise<LoadedAuthorities> {
    try {
      return await this.#load(impatient);
    } catch (error) {
      // Half of it may have been taken over already; nobody knows of that yet
      this.#layout = undefined;
      throw error;
    }
  }

  async #load(impatient: boolean): Promise<LoadedAuthorities> {
    await makeOwnDirectory(this.#generations, everyone);
    for (const name of ['next-id', 'taken-over'])
      await clearUnfinished(join(this.#generations, name));
    await clearUnfinished(this.#path);
    this.#nextId = await this.#readNextId();
    await takeOverPlainDirectory({
      path: this.#path,
      marker: join(this.#generations, 'taken-over'),
      isOurs: (await this.#current()) !== undefined,
      adopt: async (found) => {
        const firstId = found.length > 0 ? await this.reserveIds(found.length) : 1;
        await this.commitAfresh(
          found.map((certificate, at) => ({ id: firstId + at, certificate })),
        );
      },
    });
    const current = (await this.#current()) ?? (await this.#newest());
    const { authorities, unreadable } =
      current === undefined ? nothing : await readGeneration(this.#in(current), impatient);
    const highest = Math.max(0, ...authorities.map(({ id }) => id));
    this.#nextId = Math.max(this.#nextId, highest + 1);
    const kept: string[] = [];
    for (const path of unreadable) kept.push(await this.#moveToForeign(path));
    await this.#settle(current, layoutOf(authorities));
    return { authorities, unreadable: kept };
  }

  /** Gives out `count` ids that no certificate ever had; a crash afterwards only leaves a gap. */
  async reserveIds(count: number): Promise<number> {
    const first = this.#nextId;
    await writeFileAtomic(join(this.#generations, 'next-id'), `${first + count}\n`, everyone);
    this.#nextId = first + count;
    return first;
  }

  /** Makes these the authorities, all at once. @throws CertError `storage` before `load` succeeded */
  async commit(authorities: readonly Authority[]): Promise<void> {
    const known = this.#known();
    const layout = layoutOf(authorities);
    const current = await this.#current();
    const isSmall = !this.#isOutOfStep && singleDifference(known, layout) !== undefined;
    if (current !== undefined && isSmall) await this.#amend(this.#in(current), known, layout);
    else await this.#commitGeneration(layout, current);
    this.#layout = layout;
  }

  /** Whether a change that failed has left the directory in neither state; `commitAfresh` mends it. */
  get isOutOfStep(): boolean {
    return this.#isOutOfStep;
  }

  /** Rejects only where the old state is there. */
  async #amend(directory: string, from: Layout, to: Layout): Promise<void> {
    const failed = await amendLayout(directory, from, to);
    if (!failed) return;
    this.#isOutOfStep = !failed.inStep;
    if (failed.holds === 'from') throw failed.error;
    // Services are about to read links and bundle
    await this.#commitGeneration(to, basename(directory)).catch(() => undefined);
  }

  /** Copies what is in service into an empty directory. */
  async save(into: string): Promise<void> {
    await writeLayout(into, this.#known());
  }

  /** Brings back what `save` copied; only before `load`. @throws Error when a file of it is damaged */
  async recover(from: string): Promise<void> {
    await makeDirectory(this.#generations, everyone);
    const { authorities, unreadable } = await readGeneration(from);
    if (unreadable.length > 0) throw new Error(`the copy in ${from} is damaged`);
    await this.commitAfresh(authorities);
    // The endpoint has read nothing of it yet
    this.#layout = undefined;
  }

  /**
   * What others have made of the current generation.
   * @returns `undefined` when the path leads to none of ours any more
   */
  async scan(): Promise<ScannedDirectory | undefined> {
    const layout = this.#known();
    const current = await this.#current();
    if (current === undefined) return undefined;
    const directory = this.#in(current);
    const foreign: Certificate[] = [];
    for (const name of await readdir(directory)) {
      const path = join(directory, name);
      if (isOwnName(name) || !(await lstat(path)).isFile()) continue;
      foreign.push(...(await readCertificates(path)));
    }
    const inStep = await hasLayout(directory, layout);
    const { authorities, unreadable } = await readGeneration(directory);
    return { authorities, damaged: unreadable.length > 0, foreign, inStep };
  }

  /** Makes a new generation whatever the current one looks like now. */
  async commitAfresh(authorities: readonly Authority[]): Promise<void> {
    const layout = layoutOf(authorities);
    await this.#commitGeneration(layout, await this.#current());
    this.#layout = layout;
  }

  get isLoaded(): boolean {
    return this.#layout !== undefined;
  }

  /** Nothing may be changed whose state was never read: it would be lost. */
  #known(): Layout {
    if (this.#layout) return this.#layout;
    throw new CertError('storage', 'the truststore could not be read; nothing changed');
  }

  async #commitGeneration(layout: Layout, previous: string | undefined): Promise<void> {
    const next = String(Number((await this.#newest()) ?? 0) + 1);
    try {
      await makeOwnDirectory(this.#in(next), everyone);
      const like = previous === undefined ? undefined : this.#in(previous);
      await writeLayout(this.#in(next), layout, like);
      await syncDirectory(this.#generations);
      await this.#switchTo(next);
    } catch (error) {
      // Where #switchTo fails, the link does not lead to the new generation
      await rm(this.#in(next), { recursive: true, force: true }).catch(() => undefined);
      throw error;
    }
    this.#isOutOfStep = false;
    // What cannot be removed now is removed at the next start
    await this.#removeAllBut(next).catch(() => undefined);
  }

  /** Goes on with a generation as it is, or with a new one where links or bundle are out of step. */
  async #settle(current: string | undefined, layout: Layout): Promise<void> {
    const inStep =
      current !== undefined && (await hasLayout(this.#in(current), layout).catch(() => false));
    if (inStep) {
      await makeOwnDirectory(this.#in(current), everyone);
      await this.#switchTo(current);
      // What cannot be removed now is removed at the next start
      await this.#removeUnfinished(this.#in(current)).catch(() => undefined);
      await this.#removeAllBut(current).catch(() => undefined);
    } else await this.#commitGeneration(layout, current);
    this.#layout = layout;
  }

  async #switchTo(generation: string): Promise<void> {
    const target = join(basename(this.#generations), generation);
    if ((await readlink(this.#path).catch(() => '')) === target) return;
    const aside = unfinishedName(this.#path);
    await symlink(target, aside);
    try {
      await renameSynced(aside, this.#path);
    } catch (error) {
      await rm(aside, { force: true }).catch(() => undefined);
      throw error;
    }
  }

  #in(generation: string): string {
    return join(this.#generations, generation);
  }

  /** The generation that the path leads to; `undefined` when it is not ours or not there. */
  async #current(): Promise<string | undefined> {
    try {
      const target = await readlink(this.#path);
      const isOurs = dirname(target) === basename(this.#generations);
      return isOurs && (await exists(this.#path)) ? basename(target) : undefined;
    } catch (error) {
      if (isSystemError(error, 'ENOENT') || isSystemError(error, 'EINVAL')) return undefined;
      throw error;
    }
  }

  async #readNextId(): Promise<number> {
    const text = (await tryReadRegularFile(join(this.#generations, 'next-id'))) ?? '1';
    return Math.max(1, Number.parseInt(text, 10) || 1);
  }

  async #removeAllBut(current: string): Promise<void> {
    for (const name of await readdir(this.#generations)) {
      if (!/^\d+$/.test(name) || name === current) continue;
      await this.#keepForeign(this.#in(name));
      await rm(this.#in(name), { recursive: true, force: true });
    }
  }

  /** Moves what is not the manager's own out of a generation that goes. */
  async #keepForeign(directory: string): Promise<void> {
    for (const name of await readdir(directory)) {
      const path = join(directory, name);
      if (!isOwnName(name) && (await lstat(path)).isFile()) await this.#moveToForeign(path);
    }
  }

  /** @returns where it is now */
  async #moveToForeign(path: string): Promise<string> {
    await makeDirectory(this.#in('foreign'), everyone);
    const free = await freeName(join(this.#in('foreign'), basename(path)));
    await rename(path, free);
    await syncAfterSwitch(this.#in('foreign'));
    return free;
  }

  async #removeUnfinished(directory: string): Promise<void> {
    const names = (await readdir(directory)).filter((name) => name.startsWith('.'));
    for (const name of names) await rm(join(directory, name), { recursive: true, force: true });
  }

  /** The generation to go on with when the link to it was lost. */
  async #newest(): Promise<string | undefined> {
    const names = (await readdir(this.#generations)).filter((name) => /^\d+$/.test(name));
    return names.sort((a, b) => Number(b) - Number(a))[0];
  }
}

/** Names that the manager gives, those of unfinished files and links among them. */
function isOwnName(name: string): boolean {
  return /^(\d+\.pem|\..*)$/.test(name) || name === bundleFile;
}

async function freeName(path: string): Promise<string> {
  let free = path;
  for (let count = 2; await exists(free); count += 1) free = `${path}-${count}`;
  return free;
}

const nothing: LoadedAuthorities = { authorities: [], unreadable: [] };

async function readGeneration(directory: string, impatient = false): Promise<LoadedAuthorities> {
  const authorities: Authority[] = [];
  const unreadable: string[] = [];
  for (const name of await readdir(directory)) {
    const id = /^(\d+)\.pem$/.exec(name)?.[1];
    if (id === undefined) continue;
    const path = join(directory, name);
    const [certificate] = await readCertificates(path).catch((error: unknown) => {
      if (impatient && unanswered(error) === 'failing') return [];
      throw error;
    });
    if (certificate) authorities.push({ id: Number(id), certificate });
    else unreadable.push(path);
  }
  return { authorities: authorities.sort((a, b) => a.id - b.id), unreadable };
}
