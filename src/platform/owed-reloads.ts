import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kindOf } from '../storage/regular-file.ts';

/**
 * The services that still have to be told of a change, for the case that the manager is killed in between.
 * A file for each, in a directory that a reboot empties: a service that starts anew reads the new files anyway.
 */
export class OwedReloads {
  readonly #directory: string;
  readonly #failed: (error: unknown) => void;

  /** @param failed told when nothing can be noted; the change itself must not fail for that */
  constructor(directory: string, failed: (error: unknown) => void) {
    this.#directory = directory;
    this.#failed = failed;
  }

  add(service: string): void {
    this.#attempt(() => {
      mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
      const found = lstatSync(this.#directory);
      if (!found.isDirectory())
        throw new Error(`${this.#directory} is ${kindOf(found)} and no directory`);
      if (this.has(service)) return;
      // Exclusive: through a link, or into a FIFO, nothing is ever written
      writeFileSync(this.#pathOf(service), '', { mode: 0o600, flag: 'wx' });
    });
  }

  remove(service: string): void {
    this.#attempt(() => rmSync(this.#pathOf(service), { force: true }));
  }

  has(service: string): boolean {
    try {
      return readdirSync(this.#directory).includes(fileName(service));
    } catch {
      return false;
    }
  }

  #pathOf(service: string): string {
    return join(this.#directory, fileName(service));
  }

  #attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#failed(error);
    }
  }
}

/** A unit or a path as the name of one file. */
function fileName(service: string): string {
  return createHash('sha256').update(service).digest('hex');
}
