import { lstat, readdir, readFile, readlink, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { makeDirectory, syncAfterSwitch } from '../../storage/directory.ts';
import { worldReadable } from '../../storage/file-mode.ts';
import { codeOf, exists } from '../../storage/io-errors.ts';
import { maxInternalFileBytes } from '../../storage/regular-file.ts';

/** How much of what is somebody else's is kept. */
export interface QuarantineLimits {
  /** How many files or directories; the oldest go first. */
  readonly most: number;
  /** Told what becomes of them. */
  readonly warn: (message: string, path: string) => void;
}

/**
 * A directory of what others put where it is in the way. A running number in each name, `ca.pem.~12~`, tells what
 * came first: the clock of a device may begin anew at each start.
 */
export class Quarantine {
  readonly #directory: string;
  readonly #keeping: QuarantineLimits;
  /** Those that came since the oldest were removed: what came together stays together. */
  readonly #fresh = new Set<string>();

  constructor(directory: string, keeping: QuarantineLimits) {
    this.#directory = directory;
    this.#keeping = keeping;
  }

  /** Moves a file, a link or a directory in; a file or link that is here already merely goes. @returns where it is now */
  async take(path: string): Promise<string> {
    await makeDirectory(this.#directory, worldReadable);
    // A file that cannot be read is none that is known
    const twin = await this.#twinOf(path).catch(() => undefined);
    if (twin !== undefined) {
      await rm(path);
      return twin;
    }
    const highest = Math.max(0, ...(await readdir(this.#directory)).map(numberOf));
    const name = `${shortened(basename(path))}.~${highest + 1}~`;
    const free = await freeName(join(this.#directory, name));
    await rename(path, free);
    await syncAfterSwitch(this.#directory);
    this.#fresh.add(basename(free));
    return free;
  }

  async removeOldest(): Promise<void> {
    const fresh = new Set(this.#fresh);
    this.#fresh.clear();
    const others = (await this.#list()).filter(({ name }) => !fresh.has(name));
    const room = Math.max(0, this.#keeping.most - fresh.size);
    const newestFirst = others.sort(
      (a, b) => numberOf(b.name) - numberOf(a.name) || Number(b.since - a.since),
    );
    for (const { path } of newestFirst.slice(room)) {
      await rm(path, { recursive: true, force: true });
      this.#keeping.warn('oldest of the files put aside removed', path);
    }
  }

  async #twinOf(path: string): Promise<string | undefined> {
    const stat = await lstat(path, { bigint: true });
    const kind = kindOf(stat);
    if (kind === 'other' || stat.size > maxInternalFileBytes) return undefined;
    const alike = (await this.#list()).filter((one) => one.kind === kind && one.size === stat.size);
    if (alike.length === 0) return undefined;
    const contentOf = (of: string) => (kind === 'file' ? readFile(of, 'latin1') : readlink(of));
    const content = await contentOf(path);
    for (const one of alike) if ((await contentOf(one.path)) === content) return one.path;
    return undefined;
  }

  async #list() {
    const names = (await exists(this.#directory)) ? await readdir(this.#directory) : [];
    return Promise.all(
      names.map(async (name) => {
        const path = join(this.#directory, name);
        const stat = await lstat(path, { bigint: true });
        // For those without a number, which an earlier version kept: a rename changes it, and nobody sets it
        const since = stat.ctimeNs;
        return { name, path, size: stat.size, kind: kindOf(stat), since };
      }),
    );
  }
}

/** @returns 0 for a name that has none, and is older than all that have */
function numberOf(name: string): number {
  return Number(/\.~([1-9]\d{0,14})~$/.exec(name)?.[1] ?? 0);
}

/** A name that is as long as names may be has no room for a number; a character takes three bytes at most. */
function shortened(name: string): string {
  return Buffer.byteLength(name) > 230 ? name.slice(0, 76) : name;
}

function kindOf(stat: { isFile(): boolean; isSymbolicLink(): boolean }): 'file' | 'link' | 'other' {
  if (stat.isFile()) return 'file';
  return stat.isSymbolicLink() ? 'link' : 'other';
}

/** A path that nothing has, a link that leads nowhere included. */
export async function freeName(path: string): Promise<string> {
  let free = path;
  for (let count = 2; await isTaken(free); count += 1) free = `${path}-${count}`;
  return free;
}

async function isTaken(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}
