import { readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { everyone } from '../../durable/access.ts';
import { writeFileAtomic } from '../../durable/atomic-file.ts';
import { makeDirectory, makeOwnDirectory, syncDirectory } from '../../durable/directory.ts';
import { unanswered } from '../../durable/disk-answer.ts';
import { tryReadRegularFile } from '../../durable/regular-file.ts';
import { clearUnfinished } from '../../durable/unfinished.ts';
import { CertError } from '../errors.ts';
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
import { Generations } from './generations.ts';
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
  readonly #generations: Generations;
  #nextId = 1;
  /** What stands in the current generation. */
  #layout: Layout | undefined;
  #isOutOfStep = false;

  constructor(path: string) {
    this.#path = path;
    this.#generations = new Generations(path, isOwnName);
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
    await makeOwnDirectory(this.#generations.root, everyone);
    for (const name of ['next-id', 'taken-over'])
      await clearUnfinished(join(this.#generations.root, name));
    await clearUnfinished(this.#path);
    this.#nextId = await this.#readNextId();
    await takeOverPlainDirectory({
      path: this.#path,
      marker: join(this.#generations.root, 'taken-over'),
      isOurs: (await this.#generations.current()) !== undefined,
      adopt: async (found) => {
        const firstId = found.length > 0 ? await this.#reserve(found.length) : 1;
        await this.commitAfresh(
          found.map((certificate, at) => ({ id: firstId + at, certificate })),
        );
      },
    });
    const current = (await this.#generations.current()) ?? (await this.#generations.newest());
    const { authorities, unreadable } =
      current === undefined
        ? nothing
        : await readGeneration(this.#generations.pathOf(current), impatient);
    const highest = Math.max(0, ...authorities.map(({ id }) => id));
    this.#nextId = Math.max(this.#nextId, highest + 1);
    const kept: string[] = [];
    for (const path of unreadable) kept.push(await this.#generations.moveToForeign(path));
    await this.#settle(current, layoutOf(authorities));
    return { authorities, unreadable: kept };
  }

  /**
   * Gives out `count` ids that no certificate ever had; a crash afterwards only leaves a gap.
   * @throws CertError `storage` before `load` succeeded: nobody knows then which were given
   */
  async reserveIds(count: number): Promise<number> {
    this.#known();
    return this.#reserve(count);
  }

  async #reserve(count: number): Promise<number> {
    const first = this.#nextId;
    await writeFileAtomic(join(this.#generations.root, 'next-id'), `${first + count}\n`, everyone);
    this.#nextId = first + count;
    return first;
  }

  /** Makes these the authorities, all at once. @throws CertError `storage` before `load` succeeded */
  async commit(authorities: readonly Authority[]): Promise<void> {
    const known = this.#known();
    const layout = layoutOf(authorities);
    const current = await this.#generations.current();
    const isSmall = !this.#isOutOfStep && singleDifference(known, layout) !== undefined;
    if (current !== undefined && isSmall)
      await this.#amend(this.#generations.pathOf(current), known, layout);
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
    await makeDirectory(this.#generations.root, everyone);
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
    const current = await this.#generations.current();
    if (current === undefined) return undefined;
    const directory = this.#generations.pathOf(current);
    const foreign: Certificate[] = [];
    for (const path of await this.#generations.foreignFilesOf(current)) {
      foreign.push(...(await readCertificates(path)));
    }
    const inStep = await hasLayout(directory, layout);
    const { authorities, unreadable } = await readGeneration(directory);
    return { authorities, damaged: unreadable.length > 0, foreign, inStep };
  }

  /** Makes a new generation whatever the current one looks like now. */
  async commitAfresh(authorities: readonly Authority[]): Promise<void> {
    const layout = layoutOf(authorities);
    await this.#commitGeneration(layout, await this.#generations.current());
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
    const next = await this.#generations.next();
    const directory = this.#generations.pathOf(next);
    try {
      await makeOwnDirectory(directory, everyone);
      const like = previous === undefined ? undefined : this.#generations.pathOf(previous);
      await writeLayout(directory, layout, like);
      await syncDirectory(this.#generations.root);
      await this.#generations.switchTo(next);
    } catch (error) {
      // Where switchTo fails, the link does not lead to the new generation
      await rm(directory, { recursive: true, force: true }).catch(() => undefined);
      throw error;
    }
    this.#isOutOfStep = false;
    // What cannot be removed now is removed at the next start
    await this.#generations.removeAllBut(next).catch(() => undefined);
  }

  /** Goes on with a generation as it is, or with a new one where links or bundle are out of step. */
  async #settle(current: string | undefined, layout: Layout): Promise<void> {
    const inStep =
      current !== undefined &&
      (await hasLayout(this.#generations.pathOf(current), layout).catch(() => false));
    if (inStep) {
      await makeOwnDirectory(this.#generations.pathOf(current), everyone);
      await this.#generations.switchTo(current);
      // What cannot be removed now is removed at the next start
      await this.#generations.removeUnfinished(current).catch(() => undefined);
      await this.#generations.removeAllBut(current).catch(() => undefined);
    } else await this.#commitGeneration(layout, current);
    this.#layout = layout;
  }

  async #readNextId(): Promise<number> {
    const text = (await tryReadRegularFile(join(this.#generations.root, 'next-id'))) ?? '1';
    return Math.max(1, Number.parseInt(text, 10) || 1);
  }
}

/** Names that the manager gives, those of unfinished files and links among them. */
function isOwnName(name: string): boolean {
  return /^(\d+\.pem|\..*)$/.test(name) || name === bundleFile;
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
