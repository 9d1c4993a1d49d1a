import { lstat, readdir, readlink, rename, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { renameSynced } from '../../durable/atomic-file.ts';
import { syncAfterSwitch } from '../../durable/directory.ts';
import { exists } from '../../durable/disk-answer.ts';
import { unfinishedName } from '../../durable/unfinished.ts';
import { isSystemError } from '../errors.ts';
import { type Keeping, KeptFiles } from './kept-files.ts';

/**
 * The directories `<path>.generations/1`, `2`, …, of which the symbolic link `path` names the one in
 * service. What others put into one is kept in `<path>.generations/foreign` when it goes.
 */
export class Generations {
  /** Where they are. */
  readonly root: string;
  readonly #path: string;
  readonly #isOwnName: (name: string) => boolean;
  readonly #foreign: KeptFiles;

  /** @param isOwnName tells the manager's own files of a generation from those of others */
  constructor(path: string, isOwnName: (name: string) => boolean, keeping: Keeping) {
    this.#path = path;
    this.root = `${path}.generations`;
    this.#isOwnName = isOwnName;
    this.#foreign = new KeptFiles(join(this.root, 'foreign'), keeping);
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
    const aside = unfinishedName(this.#path);
    await symlink(target, aside);
    try {
      await renameSynced(aside, this.#path);
    } catch (error) {
      await rm(aside, { force: true }).catch(() => undefined);
      throw error;
    }
  }

  /** @param carriedFrom the one from which files of others go on, to be looked at yet; others' are put aside */
  async removeAllBut(generation: string, carriedFrom?: string): Promise<void> {
    for (const name of await readdir(this.root)) {
      if (!/^\d+$/.test(name) || name === generation) continue;
      for (const path of await this.foreignFilesOf(name)) {
        const onward = join(this.pathOf(generation), basename(path));
        if (name === carriedFrom && !(await exists(onward))) await rename(path, onward);
        else await this.#foreign.take(path);
      }
      await syncAfterSwitch(this.pathOf(generation));
      await rm(this.pathOf(name), { recursive: true, force: true });
    }
    await this.#foreign.removeOldest();
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
    const directory = this.pathOf(generation);
    const names = (await readdir(directory)).filter((name) => name.startsWith('.'));
    for (const name of names) await rm(join(directory, name), { recursive: true, force: true });
  }

  /** The files that others put into one. */
  async foreignFilesOf(generation: string): Promise<readonly string[]> {
    const directory = this.pathOf(generation);
    const found: string[] = [];
    for (const name of await readdir(directory)) {
      const path = join(directory, name);
      if (!this.#isOwnName(name) && (await lstat(path)).isFile()) found.push(path);
    }
    return found;
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
