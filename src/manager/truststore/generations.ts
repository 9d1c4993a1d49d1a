import { readdir, readlink, rename, rm, rmdir, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isSystemError } from '../../core/cert-error.ts';
import { renameSynced } from '../../storage/atomic-file.ts';
import { syncAfterSwitch } from '../../storage/directory.ts';
import { exists } from '../../storage/io-errors.ts';
import { tempName } from '../../storage/temp-files.ts';
import {
  type EntryOfOthers,
  entriesIn,
  nothingSeen,
  type Seen,
  unfinishedIn,
} from './generation-entries.ts';
import { freeName, Quarantine, type QuarantineLimits } from './quarantine.ts';

/**
 * The directories `<path>.generations/1`, `2`, …, of which the symbolic link `path` names the one in
 * service. What others put into one is kept in `<path>.generations/foreign` when it goes.
 */
export class Generations {
  /** Where they are. */
  readonly root: string;
  readonly #path: string;
  readonly #keeping: QuarantineLimits;
  readonly #foreign: Quarantine;

  constructor(path: string, keeping: QuarantineLimits) {
    this.#path = path;
    this.#keeping = keeping;
    this.root = `${path}.generations`;
    this.#foreign = new Quarantine(join(this.root, 'foreign'), keeping);
  }

  pathOf(generation: string): string {
    return join(this.root, generation);
  }

  /** The one that the path leads to; `undefined` when it is not ours or not there. */
  async current(): Promise<string | undefined> {
    const named = await this.#named();
    return named !== undefined && (await exists(this.#path)) ? named : undefined;
  }

  /** The one to go on with when the link to it was lost. */
  async newest(): Promise<string | undefined> {
    const names = (await readdir(this.root)).filter((name) => /^\d+$/.test(name));
    return names.sort((a, b) => Number(b) - Number(a))[0];
  }

  /** Whether the path leads to one of ours, and somebody removed it with all others. */
  async areLost(): Promise<boolean> {
    return (await this.#named()) !== undefined && (await this.newest()) === undefined;
  }

  /**
   * The name of one that does not exist yet, and not that to which the path leads when somebody removed it:
   * that would be in service before it is whole.
   */
  async next(): Promise<string> {
    const taken = [await this.newest(), await this.#named()];
    return String(Math.max(...taken.map((name) => Number.parseInt(name ?? '', 10) || 0)) + 1);
  }

  /** Puts one into service. @throws what the file system throws; the path leads where it led then */
  async switchTo(generation: string): Promise<void> {
    const target = join(basename(this.root), generation);
    if ((await readlink(this.#path).catch(() => '')) === target) return;
    const aside = tempName(this.#path);
    await symlink(target, aside);
    try {
      await renameSynced(aside, this.#path);
    } catch (error) {
      await rm(aside, { force: true }).catch(() => undefined);
      throw error;
    }
  }

  /**
   * @param carriedFrom the one from which what others put there goes on, to be looked at yet, but for what was
   *   seen; that, and what is theirs elsewhere, is put aside
   * @throws what the file system throws; then something is left for the next time
   */
  async removeAllBut(generation: string, carriedFrom?: string, seen = nothingSeen): Promise<void> {
    let failure: unknown;
    for (const name of await readdir(this.root)) {
      if (!/^\d+$/.test(name) || name === generation) continue;
      // One that cannot go, as when somebody mounted something in it, keeps no other from going
      const onward = name === carriedFrom ? generation : undefined;
      await this.#dissolve(name, onward, seen).catch((error: unknown) => {
        failure = error;
      });
    }
    await this.#foreign.removeOldest();
    if (failure !== undefined) throw failure;
  }

  /** @param onward where what was not seen goes on; without it that is put aside too */
  async #dissolve(name: string, onward: string | undefined, seen: Seen): Promise<void> {
    const { own, others } = await entriesIn(this.pathOf(name));
    for (const { path, isFile, version } of others) {
      if (onward !== undefined && !seen.has(version)) {
        await rename(path, await freeName(join(this.pathOf(onward), basename(path))));
        continue;
      }
      const kept = await this.#foreign.take(path);
      // Of a file that was seen the log says more
      if (!isFile || !seen.has(version))
        this.#keeping.warn('what others put into the truststore put aside', kept);
    }
    if (onward !== undefined) await syncAfterSwitch(this.pathOf(onward));
    for (const path of own) await rm(path, { force: true });
    // Whatever came since the look keeps it here
    await rmdir(this.pathOf(name));
  }

  /** The one of ours that the path names, there or not. */
  async #named(): Promise<string | undefined> {
    try {
      const target = await readlink(this.#path);
      return dirname(target) === basename(this.root) ? basename(target) : undefined;
    } catch (error) {
      if (isSystemError(error, 'ENOENT') || isSystemError(error, 'EINVAL')) return undefined;
      throw error;
    }
  }

  /** Removes what a crash left in one. */
  async removeUnfinished(generation: string): Promise<void> {
    for (const path of await unfinishedIn(this.pathOf(generation))) await rm(path, { force: true });
  }

  async othersIn(generation: string): Promise<readonly EntryOfOthers[]> {
    return (await entriesIn(this.pathOf(generation))).others;
  }

  /** Keeps files out of the way of the manager's own. @returns where they are now */
  async moveToForeign(paths: readonly string[]): Promise<readonly string[]> {
    const kept: string[] = [];
    for (const path of paths) kept.push(await this.#foreign.take(path));
    // One that cannot be removed now may be when the next one comes
    await this.#foreign.removeOldest().catch(() => undefined);
    return kept;
  }
}
