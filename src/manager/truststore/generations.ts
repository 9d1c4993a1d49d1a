import { readdir, readlink, rename, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isSystemError } from '../../core/cert-error.ts';
import type { EventLog } from '../../core/log.ts';
import { renameSynced } from '../../storage/atomic-file.ts';
import { makeDirectory, makeOwnDirectory, syncDirectory } from '../../storage/directory.ts';
import { worldReadable } from '../../storage/file-mode.ts';
import { exists } from '../../storage/io-errors.ts';
import { tempName } from '../../storage/temp-files.ts';
import { putAside } from '../upgrade/authority-takeover.ts';

/**
 * The directories `<path>.generations/1`, `2`, …, of which the symbolic link `path` names the one in
 * service. One that is being made is called `<n>.new`: what has a number is whole.
 */
export class Generations {
  /** Where they are. */
  readonly root: string;
  readonly #path: string;
  readonly #warn: EventLog['warn'];

  constructor(path: string, warn: EventLog['warn']) {
    this.#path = path;
    this.#warn = warn;
    this.root = `${path}.generations`;
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

  /** Whether the path leads to one of ours, and it was removed with all others. */
  async areLost(): Promise<boolean> {
    return (await this.#named()) !== undefined && (await this.newest()) === undefined;
  }

  /**
   * Makes a new one, which is not in service yet.
   * @param fill writes into an empty directory, and syncs it
   * @throws what the file system throws; the new one is gone then
   */
  async make(fill: (directory: string) => Promise<void>): Promise<string> {
    await makeDirectory(this.root, worldReadable);
    const name = await this.#next();
    const aside = this.pathOf(`${name}.new`);
    await rm(aside, { recursive: true, force: true });
    try {
      await makeOwnDirectory(aside, worldReadable);
      await fill(aside);
      await rename(aside, this.pathOf(name));
      await syncDirectory(this.root);
    } catch (error) {
      await this.remove(name).catch(() => undefined);
      throw error;
    }
    return name;
  }

  /**
   * The name of one that does not exist yet, and not that to which the path leads when it was removed:
   * that would be in service before it is whole.
   */
  async #next(): Promise<string> {
    const taken = [await this.newest(), await this.#named()];
    return String(Math.max(...taken.map((name) => Number.parseInt(name ?? '', 10) || 0)) + 1);
  }

  /**
   * Puts one into service. What is at the path and is not the manager's is put aside first: should the power go
   * before the link is there, the next start goes on with the newest generation.
   * @throws what the file system throws; the path leads where it led then
   */
  async switchTo(generation: string): Promise<void> {
    const target = join(basename(this.root), generation);
    const found = (await this.#named()) === undefined ? await putAside(this.#path) : undefined;
    const aside = tempName(this.#path);
    try {
      await symlink(target, aside);
      await renameSynced(aside, this.#path);
    } catch (error) {
      await rm(aside, { force: true }).catch(() => undefined);
      await found?.restore().catch(() => undefined);
      throw error;
    }
    if (found) this.#warn('what was in place of the truststore put aside', { path: found.path });
  }

  async remove(generation: string): Promise<void> {
    const path = this.pathOf(generation);
    for (const one of [`${path}.new`, path]) await rm(one, { recursive: true, force: true });
  }

  /** Removes all others with everything in them; what cannot be removed now is left for the next time. */
  async removeAllBut(generation: string): Promise<void> {
    for (const name of await readdir(this.root).catch(() => [])) {
      const number = /^(\d+)(\.new)?$/.exec(name)?.[1];
      if (number !== undefined && number !== generation)
        await this.remove(number).catch(() => undefined);
    }
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
}
