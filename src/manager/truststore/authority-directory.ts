import { join } from 'node:path';
import { CertError } from '../../core/cert-error.ts';
import type { EventLog } from '../../core/log.ts';
import { writeFileAtomic } from '../../storage/atomic-file.ts';
import { makeDirectory, makeOwnDirectory } from '../../storage/directory.ts';
import { worldReadable } from '../../storage/file-mode.ts';
import { exists } from '../../storage/io-errors.ts';
import { tryReadRegularFile } from '../../storage/regular-file.ts';
import { removeTempFiles } from '../../storage/temp-files.ts';
import type { Certificate } from '../../x509/certificate.ts';
import { type ContentLimits, usualLimits } from '../../x509/limits.ts';
import { readPlainDirectory } from '../upgrade/authority-takeover.ts';
import { readUpstreamFilesAmongOurs } from '../upgrade/upstream-authorities.ts';
import {
  type Authority,
  type ComparedDirectory,
  compareDirectory,
  isSameLayout,
  type Layout,
  layoutOf,
  writeLayout,
} from './authority-layout.ts';
import { Generations } from './generations.ts';
import { type LoadedAuthorities, nothing, readGeneration } from './stored-authorities.ts';

export type { Authority };

/**
 * A directory that OpenSSL takes as `-CApath`: a PEM file for each CA, found through links named by
 * subject hash. The path itself is a symbolic link to one generation. Each change makes a new generation and
 * renames the link once, so that a reader of the path finds the old set or the new one:
 *
 *     authority -> authority.generations/7
 *     authority.generations/next-id
 *     authority.generations/7/{1.pem,4.pem,5ad8a5d6.0 -> 1.pem,…,trust_bundle}
 *
 * `trust_bundle` has all of them in one file for a service that takes a `-CAfile`; upstream's has that name,
 * but lacks what came after it. The directory is the manager's: each start and each change leaves out
 * what is not, and writes its own files anew when they differ.
 */
export class AuthorityDirectory {
  readonly #path: string;
  readonly #generations: Generations;
  readonly #warn: EventLog['warn'];
  readonly #limits: ContentLimits;
  #nextId = 1;
  /** What stands in the current generation. */
  #layout: Layout | undefined;

  /** @param warn told what others put into the directory, or in its place, and what became of it */
  constructor(path: string, warn: EventLog['warn'] = () => undefined, limits = usualLimits) {
    this.#path = path;
    this.#warn = warn;
    this.#limits = limits;
    this.#generations = new Generations(path, warn);
  }

  /**
   * Reads the current generation, takes over a plain directory, and clears what a crash left.
   * @param treatUnreadableAsLost gives up a file that the disk cannot read, where it would be tried again
   * @throws what the file system throws; nothing is given up then
   */
  async load(treatUnreadableAsLost = false): Promise<LoadedAuthorities> {
    const { root } = this.#generations;
    await makeOwnDirectory(root, worldReadable);
    for (const path of [this.#nextIdFile, this.#path]) await removeTempFiles(path);
    if (await this.#generations.areLost())
      this.#warn('the authorities of the truststore are gone', { path: this.#path });
    const current = await this.#generations.current();
    const from = current ?? (await this.#generations.newest());
    const stored =
      from === undefined
        ? nothing
        : await readGeneration(this.#generations.pathOf(from), this.#limits, treatUnreadableAsLost);
    this.#nextId = Math.max(await this.#readNextId(), idAfter(stored.authorities));
    const others = await this.#findOthers(current, from, stored);
    const first = this.#nextId;
    const adopted = others.map((certificate, at) => ({ id: first + at, certificate }));
    const authorities = others.length > 0 ? adopted : stored.authorities;
    const deviations = await this.#settle(current, authorities);
    if (others.length === 0) this.#tell(deviations);
    return { ...stored, authorities };
  }

  /** The certificates of another manager: in a plain directory, or in a generation that has none of ours. */
  async #findOthers(
    current: string | undefined,
    from: string | undefined,
    { authorities, unreadable }: LoadedAuthorities,
  ): Promise<readonly Certificate[]> {
    const plain = current === undefined ? await readPlainDirectory(this.#path, this.#limits) : [];
    const hasOurs = authorities.length > 0 || unreadable.length > 0;
    if (plain.length > 0 || hasOurs || from === undefined) return plain;
    return readUpstreamFilesAmongOurs(this.#generations.pathOf(from), this.#limits);
  }

  /**
   * Goes on with a generation as it is, or with a new one where it holds anything else.
   * @returns the names of what else it held
   */
  async #settle(
    current: string | undefined,
    authorities: readonly Authority[],
  ): Promise<readonly string[]> {
    const layout = layoutOf(authorities);
    const compared = await this.#compare(current, layout);
    if (current !== undefined && compared?.deviations.length === 0) {
      await makeOwnDirectory(this.#generations.pathOf(current), worldReadable);
      await this.#generations.removeAllBut(current);
    } else {
      await this.#reserve(authorities);
      await this.#commitGeneration(layout, compared);
    }
    this.#layout = layout;
    return compared?.deviations ?? [];
  }

  /**
   * The id of the next certificate. No other ever had it; `commit` makes sure that none will.
   * @throws CertError `storage` before `load` succeeded: which were given is not known then
   */
  get nextId(): number {
    this.#known();
    return this.#nextId;
  }

  /** A crash after it only leaves a gap. */
  async #reserve(authorities: readonly Authority[]): Promise<void> {
    const next = Math.max(this.#nextId, idAfter(authorities));
    await makeDirectory(this.#generations.root, worldReadable);
    if (next === this.#nextId && (next === 1 || (await exists(this.#nextIdFile)))) return;
    await writeFileAtomic(this.#nextIdFile, `${next}\n`, worldReadable);
    this.#nextId = next;
  }

  /**
   * Makes these the authorities, all at once, whatever others have made of the directory.
   * @throws CertError `storage` before `load` succeeded
   */
  async commit(authorities: readonly Authority[]): Promise<void> {
    const known = this.#known();
    const layout = layoutOf(authorities);
    await this.#reserve(authorities);
    const compared = await this.#compare(await this.#generations.current(), known);
    const isThere = compared?.deviations.length === 0 && isSameLayout(known, layout);
    if (!isThere) await this.#commitGeneration(layout, compared);
    this.#layout = layout;
    this.#tell(compared?.deviations ?? []);
  }

  /** Whether services do not find what is in memory, as far as can be told without reading all of it. */
  async isBroken(): Promise<boolean> {
    return this.isLoaded && (await this.#generations.current()) === undefined;
  }

  /** Copies what is in service into an empty directory. */
  async save(into: string): Promise<void> {
    await writeLayout(into, this.#known());
  }

  /** Brings back what `save` copied; only before `load`. @throws Error when a file of it is damaged */
  async recover(from: string): Promise<void> {
    const { authorities, unreadable } = await readGeneration(from, this.#limits);
    if (unreadable.length > 0) throw new Error(`the copy in ${from} is damaged`);
    await this.#commitGeneration(layoutOf(authorities));
  }

  get isLoaded(): boolean {
    return this.#layout !== undefined;
  }

  /** Nothing may be changed whose state was never read: it would be lost. */
  #known(): Layout {
    if (this.#layout) return this.#layout;
    throw new CertError('storage', 'the truststore could not be read; nothing changed');
  }

  async #commitGeneration(layout: Layout, compared?: ComparedDirectory): Promise<void> {
    const next = await this.#generations.make((made) => writeLayout(made, layout, compared));
    try {
      await this.#generations.switchTo(next);
    } catch (error) {
      // The link does not lead to the new generation then
      await this.#generations.remove(next).catch(() => undefined);
      throw error;
    }
    await this.#generations.removeAllBut(next);
  }

  async #compare(
    generation: string | undefined,
    layout: Layout,
  ): Promise<ComparedDirectory | undefined> {
    return generation === undefined
      ? undefined
      : compareDirectory(this.#generations.pathOf(generation), layout);
  }

  /** @param found names that were not as the manager left them; they were removed, or written anew */
  #tell(found: readonly string[]): void {
    if (found.length === 0) return;
    this.#warn('truststore put right', { path: this.#path, names: found.join(' ') });
  }

  get #nextIdFile(): string {
    return join(this.#generations.root, 'next-id');
  }

  async #readNextId(): Promise<number> {
    const text = (await tryReadRegularFile(this.#nextIdFile)) ?? '1';
    return Math.max(1, Number.parseInt(text, 10) || 1);
  }
}

/** One more than the highest id. */
function idAfter(authorities: readonly Authority[]): number {
  return Math.max(0, ...authorities.map(({ id }) => id)) + 1;
}
