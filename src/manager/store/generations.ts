import { lstat, readdir, readlink, rename, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { everyone } from '../../durable/access.ts';
import { renameSynced } from '../../durable/atomic-file.ts';
import { makeDirectory, syncAfterSwitch } from '../../durable/directory.ts';
import { exists } from '../../durable/disk-answer.ts';
import { unfinishedName } from '../../durable/unfinished.ts';
import { isSystemError } from '../errors.ts';

/**
 * The directories `<path>.generations/1`, `2`, …, of which the symbolic link `path` names the one in
 * service. What others put into one is kept in `<path>.generations/foreign` when it goes.
 */
export class Generations {
  /** Where they are. */
  readonly root: string;
  readonly #path: string;
  readonly #isOwnName: (name: string) => boolean;

  /** @param isOwnName tells the manager's own files of a generation from those of others */
  constructor(path: string, isOwnName: (name: string) => boolean) {
    this.#path = path;
    this.root = `${path}.generations`;
    this.#isOwnName = isOwnName;
  }

  pathOf(generation: string): string {
    return join(this.root, generation);
  }

  /** The one that the path leads to; `undefined` when it is not ours or not there. */
  async current(): Promise<string | undefined> {
    try {
      const target = await readlink(this.#path);
      const isOurs = dirname(target) === basename(this.root);
      return isOurs && (await exists(this.#path)) ? basename(target) : undefined;
    } catch (error) {
      if (isSystemError(error, 'ENOENT') || isSystemError(error, 'EINVAL')) return undefined;
      throw error;
    }
  }

  /** The one to go on with when the link to it was lost. */
  async newest(): Promise<string | undefined> {
    const names = (await readdir(this.root)).filter((name) => /^\d+$/.test(name));
    return names.sort((a, b) => Number(b) - Number(a))[0];
  }

  /** The name of one that does not exist yet. */
  async next(): Promise<string> {
    return String(Number((await this.newest()) ?? 0) + 1);
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

  async removeAllBut(generation: string): Promise<void> {
    for (const name of await readdir(this.root)) {
      if (!/^\d+$/.test(name) || name === generation) continue;
      for (const path of await this.foreignFilesOf(name)) await this.moveToForeign(path);
      await rm(this.pathOf(name), { recursive: true, force: true });
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

  /** Keeps a file out of the way of the manager's own. @returns where it is now */
  async moveToForeign(path: string): Promise<string> {
    const foreign = join(this.root, 'foreign');
    await makeDirectory(foreign, everyone);
    const free = await freeName(join(foreign, basename(path)));
    await rename(path, free);
    await syncAfterSwitch(foreign);
    return free;
  }
}

async function freeName(path: string): Promise<string> {
  let free = path;
  for (let count = 2; await exists(free); count += 1) free = `${path}-${count}`;
  return free;
}
