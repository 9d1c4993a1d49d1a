import { randomBytes } from 'node:crypto';
import { link, mkdir, readdir, readFile, readlink, rename, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import {
  everyone,
  exists,
  makeDirectory,
  syncAfterSwitch,
  syncDirectory,
  writeFileAtomic,
  writeNewFile,
} from '../../durable/atomic-file.ts';
import { isSystemError } from '../errors.ts';
import type { Certificate } from '../x509/certificate.ts';
import { bundleFile, readCertificates, readUpstreamDirectory } from './upstream-authorities.ts';

/** A trusted CA and the number it goes by for ever. */
export interface Authority {
  readonly id: number;
  readonly certificate: Certificate;
}

/** What stood in the directory at start. */
export interface LoadedAuthorities {
  readonly authorities: readonly Authority[];
  /** Files that hold no readable certificate; they are kept in `unreadable/` beside the generations. */
  readonly unreadable: readonly string[];
}

/**
 * A directory that OpenSSL takes as `-CApath`: a PEM file for each CA, found through links named by
 * subject hash. The path itself is a symbolic link to one generation, so that a change of any size is
 * one rename, and whoever reads the path finds the old set or the new one:
 *
 *     authority -> authority.generations/7
 *     authority.generations/next-id
 *     authority.generations/7/{1.pem,4.pem,5ad8a5d6.0 -> 1.pem,…,trust_bundle}
 *
 * `trust_bundle` has all of them in one file for whoever takes a `-CAfile`; upstream's has that name,
 * but is left behind by single changes.
 */
export class AuthorityDirectory {
  readonly #path: string;
  readonly #generations: string;
  #nextId = 1;

  constructor(path: string) {
    this.#path = path;
    this.#generations = `${path}.generations`;
  }

  /** Reads the current generation, takes over a plain directory, and clears what a crash left. */
  async load(): Promise<LoadedAuthorities> {
    await makeDirectory(this.#generations, everyone);
    this.#nextId = await this.#readNextId();
    await this.#takeOverPlainDirectory();
    const current = (await this.#current()) ?? (await this.#newest());
    const loaded = current === undefined ? nothing : await this.#read(current);
    const highest = Math.max(0, ...loaded.authorities.map(({ id }) => id));
    this.#nextId = Math.max(this.#nextId, highest + 1);
    if (current === undefined) await this.commit([]);
    else await this.#switchTo(current);
    await this.#removeAllBut(await this.#current());
    return loaded;
  }

  /** Gives out `count` ids that no certificate ever had; a crash afterwards only leaves a gap. */
  async reserveIds(count: number): Promise<number> {
    const first = this.#nextId;
    await writeFileAtomic(join(this.#generations, 'next-id'), `${first + count}\n`, everyone);
    this.#nextId = first + count;
    return first;
  }

  /** Makes these the authorities, all at once. */
  async commit(authorities: readonly Authority[]): Promise<void> {
    const previous = await this.#current();
    const next = String(Number((await this.#newest()) ?? 0) + 1);
    try {
      await mkdir(this.#in(next), { mode: 0o755 });
      await this.#fill(this.#in(next), authorities, previous);
      await syncDirectory(this.#in(next));
      await syncDirectory(this.#generations);
      await this.#switchTo(next);
    } catch (error) {
      // #switchTo fails only before the link leads to the new generation
      await rm(this.#in(next), { recursive: true, force: true }).catch(() => undefined);
      throw error;
    }
    // What cannot be removed now is removed at the next start
    await this.#removeAllBut(next).catch(() => undefined);
  }

  /** Links what is in service into an empty directory. */
  async save(into: string): Promise<void> {
    const current = await this.#current();
    if (current === undefined) return;
    const { authorities } = await readGeneration(this.#in(current));
    for (const { id } of authorities) {
      await link(join(this.#in(current), `${id}.pem`), join(into, `${id}.pem`));
    }
    await syncDirectory(into);
  }

  /** Brings back what `save` linked. */
  async recover(from: string): Promise<void> {
    await makeDirectory(this.#generations, everyone);
    const { authorities } = await readGeneration(from);
    await this.commit(authorities);
  }

  async #fill(directory: string, authorities: readonly Authority[], previous: string | undefined) {
    const bundle = authorities.map(({ certificate }) => certificate.pem).join('');
    if (bundle !== '') await writeNewFile(join(directory, bundleFile), bundle, everyone);
    const linked = new Map<string, number>();
    for (const { id, certificate } of authorities) {
      const file = `${id}.pem`;
      const kept = previous !== undefined && (await this.#holds(previous, file, certificate));
      if (kept) await link(join(this.#in(previous), file), join(directory, file));
      else await writeNewFile(join(directory, file), certificate.pem, everyone);
      const slot = linked.get(certificate.subjectHash) ?? 0;
      linked.set(certificate.subjectHash, slot + 1);
      await symlink(file, join(directory, `${certificate.subjectHash}.${slot}`));
    }
  }

  async #holds(generation: string, file: string, { pem }: Certificate): Promise<boolean> {
    const text = await readFile(join(this.#in(generation), file), 'utf8').catch(() => undefined);
    return text === pem;
  }

  async #switchTo(generation: string): Promise<void> {
    const aside = join(
      dirname(this.#path),
      `.${basename(this.#path)}.${randomBytes(6).toString('hex')}`,
    );
    await symlink(join(basename(this.#generations), generation), aside);
    try {
      await rename(aside, this.#path);
    } catch (error) {
      await rm(aside, { force: true });
      throw error;
    }
    await syncAfterSwitch(dirname(this.#path));
  }

  #in(generation: string): string {
    return join(this.#generations, generation);
  }

  /** The generation that the path leads to; `undefined` when it is not ours or not there. */
  async #current(): Promise<string | undefined> {
    try {
      const target = await readlink(this.#path);
      return dirname(target) === basename(this.#generations) ? basename(target) : undefined;
    } catch (error) {
      if (isSystemError(error, 'ENOENT') || isSystemError(error, 'EINVAL')) return undefined;
      throw error;
    }
  }

  async #readNextId(): Promise<number> {
    const text = await readFile(join(this.#generations, 'next-id'), 'utf8').catch(() => '1');
    return Math.max(1, Number.parseInt(text, 10) || 1);
  }

  async #removeAllBut(current: string | undefined): Promise<void> {
    for (const name of await readdir(this.#generations)) {
      if (/^\d+$/.test(name) && name !== current) {
        await rm(this.#in(name), { recursive: true, force: true });
      }
    }
  }

  /**
   * An upstream installation has a plain directory at the path: it is put aside and its certificates
   * become a generation. The marker tells a crash in the middle, which is made good at the next start,
   * from a path that was lost long after.
   */
  async #takeOverPlainDirectory(): Promise<void> {
    const marker = join(this.#generations, 'taken-over');
    if ((await this.#current()) !== undefined) {
      const plain = await this.#newestAside();
      if (plain !== undefined && !(await exists(marker))) await this.#mark(marker, plain);
      return;
    }
    if (await exists(this.#path)) {
      await rm(marker, { force: true });
      await rename(this.#path, await this.#freeNameAside());
    }
    const plain = await this.#newestAside();
    if (plain === undefined || (await exists(marker))) return;
    const found = await readUpstreamDirectory(plain);
    const firstId = found.length > 0 ? await this.reserveIds(found.length) : 1;
    await this.commit(found.map((certificate, at) => ({ id: firstId + at, certificate })));
    await this.#mark(marker, plain);
  }

  async #mark(marker: string, plain: string): Promise<void> {
    await writeFileAtomic(marker, `${basename(plain)}\n`, everyone);
  }

  #aside(count: number): string {
    return count === 1 ? `${this.#path}.taken-over` : `${this.#path}.taken-over-${count}`;
  }

  async #freeNameAside(): Promise<string> {
    let count = 1;
    while (await exists(this.#aside(count))) count += 1;
    return this.#aside(count);
  }

  async #newestAside(): Promise<string | undefined> {
    let newest: string | undefined;
    for (let count = 1; await exists(this.#aside(count)); count += 1) newest = this.#aside(count);
    return newest;
  }

  /** The generation to go on with when the link to it was lost. */
  async #newest(): Promise<string | undefined> {
    const names = (await readdir(this.#generations)).filter((name) => /^\d+$/.test(name));
    return names.sort((a, b) => Number(b) - Number(a))[0];
  }

  /** Files that hold no certificate are kept beside, because the generation goes with the next change. */
  async #read(generation: string): Promise<LoadedAuthorities> {
    const loaded = await readGeneration(this.#in(generation)).catch((error: unknown) => {
      if (isSystemError(error, 'ENOENT')) return nothing;
      throw error;
    });
    if (loaded.unreadable.length > 0) await makeDirectory(this.#in('unreadable'), everyone);
    for (const path of loaded.unreadable) {
      await link(path, join(this.#in('unreadable'), basename(path))).catch(() => undefined);
    }
    return loaded;
  }
}

const nothing: LoadedAuthorities = { authorities: [], unreadable: [] };

async function readGeneration(directory: string): Promise<LoadedAuthorities> {
  const authorities: Authority[] = [];
  const unreadable: string[] = [];
  for (const name of await readdir(directory)) {
    const id = /^(\d+)\.pem$/.exec(name)?.[1];
    if (id === undefined) continue;
    const [certificate] = await readCertificates(join(directory, name));
    if (certificate) authorities.push({ id: Number(id), certificate });
    else unreadable.push(join(directory, name));
  }
  return { authorities: authorities.sort((a, b) => a.id - b.id), unreadable };
}
