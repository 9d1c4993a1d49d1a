import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { CertError } from '../../core/cert-error.ts';
import { writeFileAtomic } from '../../storage/atomic-file.ts';
import { makeDirectory, makeOwnDirectory, syncDirectory } from '../../storage/directory.ts';
import { worldReadable } from '../../storage/file-mode.ts';
import { exists } from '../../storage/io-errors.ts';
import { tryReadRegularFile } from '../../storage/regular-file.ts';
import { removeTempFiles } from '../../storage/temp-files.ts';
import type { Certificate } from '../../x509/certificate.ts';
import {
  clearTheWay,
  readPlainDirectory,
  type TakeoverOptions,
  takeOverPlainDirectory,
} from '../upgrade/authority-takeover.ts';
import {
  type Authority,
  amendLayout,
  hasLayout,
  type Layout,
  layoutOf,
  singleDifference,
  strangeFiles,
  writeLayout,
} from './authority-layout.ts';
import { type EntryOfOthers, nothingSeen, type Seen } from './generation-entries.ts';
import { Generations } from './generations.ts';
import type { QuarantineLimits } from './quarantine.ts';
import {
  type LoadedAuthorities,
  nothing,
  readGeneration,
  withCertificates,
} from './stored-authorities.ts';

export type { Authority, Seen };
export { nothingSeen };

/** What stands in the directory while the manager runs. */
export interface ScannedDirectory {
  readonly authorities: readonly Authority[];
  /** True when a file of the manager's own holds no certificate any more. */
  readonly damaged: boolean;
  /** Certificates in files that others put there. */
  readonly foreign: readonly Certificate[];
  /** True when everything of the manager's own is as it left it. */
  readonly inStep: boolean;
  /** What others put there until now, certificates or not. */
  readonly seen: Seen;
}

/**
 * A directory that OpenSSL takes as `-CApath`: a PEM file for each CA, found through links named by
 * subject hash. The path itself is a symbolic link to one generation. A change of one authority is made
 * in place, and any other by a new generation and one rename of the link, so that whoever reads the path
 * finds the old set or the new one:
 *
 *     authority -> authority.generations/7
 *     authority.adopted
 *     authority.generations/next-id
 *     authority.generations/7/{1.pem,4.pem,5ad8a5d6.0 -> 1.pem,…,trust_bundle}
 *     authority.generations/foreign/…
 *
 * `trust_bundle` has all of them in one file for whoever takes a `-CAfile`; upstream's has that name,
 * but is left behind by single changes. What others put into a generation is kept in `foreign`. `adopted`
 * names the plain directory that was taken over, and does not go with the generations when somebody removes
 * them: whom nobody trusts any more would come back.
 */
export class AuthorityDirectory {
  readonly #path: string;
  readonly #generations: Generations;
  readonly #takeover: TakeoverOptions;
  #nextId = 1;
  /** What stands in the current generation. */
  #layout: Layout | undefined;
  #isOutOfStep = false;

  /** @param keeping for what others put into the directory, or in its place */
  constructor(path: string, keeping: QuarantineLimits = { most: 8, warn: () => undefined }) {
    this.#path = path;
    this.#generations = new Generations(path, keeping);
    const earlierMarker = join(this.#generations.root, 'taken-over');
    this.#takeover = { path, marker: `${path}.adopted`, earlierMarker, keeping };
  }

  /**
   * Reads the current generation, takes over a plain directory, and clears what a crash left.
   * @param impatient takes a file for damaged that the disk cannot read, where it would be tried again
   * @throws what the file system throws; nothing is given up then
   */
  async load(treatUnreadableAsLost = false): Promise<LoadedAuthorities> {
    try {
      return await this.#load(treatUnreadableAsLost);
    } catch (error) {
      // Half of it may have been taken over already; nobody knows of that yet
      this.#layout = undefined;
      throw error;
    }
  }

  async #load(treatUnreadableAsLost: boolean): Promise<LoadedAuthorities> {
    await makeOwnDirectory(this.#generations.root, worldReadable);
    const { marker, earlierMarker } = this.#takeover;
    for (const path of [this.#nextIdFile, marker, earlierMarker, this.#path])
      await removeTempFiles(path);
    this.#nextId = await this.#readNextId();
    await takeOverPlainDirectory({
      ...this.#takeover,
      isOurs: (await this.#generations.current()) !== undefined,
      adopt: async (found) => {
        const firstId = await this.#reserve(found.length);
        await this.commitAfresh(
          found.map((certificate, at) => ({ id: firstId + at, certificate })),
        );
      },
    });
    if (await this.#generations.areLost())
      this.#takeover.keeping.warn('the authorities of the truststore are gone', this.#path);
    const current = (await this.#generations.current()) ?? (await this.#generations.newest());
    const { authorities, unreadable } =
      current === undefined
        ? nothing
        : await readGeneration(this.#generations.pathOf(current), treatUnreadableAsLost);
    const highest = Math.max(0, ...authorities.map(({ id }) => id));
    this.#nextId = Math.max(this.#nextId, highest + 1);
    const kept = await this.#generations.moveToForeign(unreadable);
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
    await makeDirectory(this.#generations.root, worldReadable);
    await this.#writeNextId(first + count);
    this.#nextId = first + count;
    return first;
  }

  /**
   * Makes these the authorities, all at once.
   * @param clears whether what somebody put in place of the link is put aside, where it would be refused
   * @throws CertError `storage` before `load` succeeded
   */
  async commit(authorities: readonly Authority[], clears = false): Promise<void> {
    const known = this.#known();
    const layout = layoutOf(authorities);
    const current = await this.#generations.current();
    const isSmall = !this.#isOutOfStep && singleDifference(known, layout) !== undefined;
    if (current !== undefined && isSmall)
      await this.#amend(this.#generations.pathOf(current), known, layout);
    else await this.#commitGeneration(layout, current, { clears });
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
    const others = await this.#generations.othersIn(current);
    const files = await withCertificates(offersOf(others));
    const foreign = files.flatMap(({ certificates }) => certificates);
    const inStep = await hasLayout(directory, layout);
    const { authorities, unreadable } = await readGeneration(directory);
    const seen = new Set(others.map(({ version }) => version));
    return { authorities, damaged: unreadable.length > 0, foreign, inStep, seen };
  }

  /** The certificates in a directory that somebody put in place of the link. */
  readInPlace(): Promise<readonly Certificate[]> {
    return readPlainDirectory(this.#path);
  }

  /** Keeps the certificates of others that were seen out of the way, and changes nothing else. */
  async clearForeign(seen: Seen): Promise<void> {
    const current = await this.#generations.current();
    if (current === undefined) return;
    const others = await this.#generations.othersIn(current);
    const files = await withCertificates(
      offersOf(others.filter(({ version }) => seen.has(version))),
    );
    await this.#generations.moveToForeign(files.map(({ path }) => path));
  }

  /**
   * Makes a new generation whatever the path looks like now; what is in its place is put aside.
   * @param seen what others put there and has been judged; the rest is yet to be looked at
   */
  async commitAfresh(authorities: readonly Authority[], seen = nothingSeen): Promise<void> {
    const layout = layoutOf(authorities);
    const current = await this.#generations.current();
    await this.#commitGeneration(layout, current, { seen, clears: true });
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

  async #commitGeneration(
    layout: Layout,
    previous: string | undefined,
    { seen = nothingSeen, clears = false } = {},
  ): Promise<void> {
    await this.#keepRoot();
    const next = await this.#generations.next();
    const directory = this.#generations.pathOf(next);
    try {
      await makeOwnDirectory(directory, worldReadable);
      const like = previous === undefined ? undefined : this.#generations.pathOf(previous);
      await writeLayout(directory, layout, like);
      await syncDirectory(this.#generations.root);
      const isInTheWay = clears && previous === undefined;
      const restore = isInTheWay ? await clearTheWay(this.#takeover) : undefined;
      await this.#generations.switchTo(next).catch(async (error: unknown) => {
        await restore?.().catch(() => undefined);
        throw error;
      });
    } catch (error) {
      // Where switchTo fails, the link does not lead to the new generation
      await rm(directory, { recursive: true, force: true }).catch(() => undefined);
      throw error;
    }
    const wasOutOfStep = this.#isOutOfStep;
    this.#isOutOfStep = false;
    try {
      // After our own failure it may be one that was refused
      if (previous !== undefined && this.#layout && !wasOutOfStep) {
        const known = [this.#layout, layout];
        const strange = await strangeFiles(this.#generations.pathOf(previous), known);
        for (const kept of await this.#generations.moveToForeign(strange))
          this.#takeover.keeping.warn('file of others with a name of the manager put aside', kept);
      }
      await this.#generations.removeAllBut(next, previous, seen);
    } catch {
      // What cannot be removed now is removed at the next start
    }
  }

  /** Goes on with a generation as it is, or with a new one where links or bundle are out of step. */
  async #settle(current: string | undefined, layout: Layout): Promise<void> {
    const inStep =
      current !== undefined &&
      (await hasLayout(this.#generations.pathOf(current), layout).catch(() => false));
    if (inStep) {
      await makeOwnDirectory(this.#generations.pathOf(current), worldReadable);
      await this.#generations.switchTo(current);
      // What cannot be removed now is removed at the next start
      await this.#generations.removeUnfinished(current).catch(() => undefined);
      await this.#generations.removeAllBut(current).catch(() => undefined);
    } else await this.#commitGeneration(layout, current);
    this.#layout = layout;
  }

  /** Somebody may have removed it since the start; what is in memory outlives that, the numbers among it. */
  async #keepRoot(): Promise<void> {
    await makeDirectory(this.#generations.root, worldReadable);
    if (this.#nextId > 1 && !(await exists(this.#nextIdFile)))
      await this.#writeNextId(this.#nextId);
  }

  get #nextIdFile(): string {
    return join(this.#generations.root, 'next-id');
  }

  async #readNextId(): Promise<number> {
    const text = (await tryReadRegularFile(this.#nextIdFile)) ?? '1';
    return Math.max(1, Number.parseInt(text, 10) || 1);
  }

  async #writeNextId(next: number): Promise<void> {
    await writeFileAtomic(this.#nextIdFile, `${next}\n`, worldReadable);
  }
}

function offersOf(others: readonly EntryOfOthers[]): string[] {
  return others.filter(({ isOffer }) => isOffer).map(({ path }) => path);
}
