import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kindOf } from '../storage/regular-file.ts';

/**
 * What the manager that is started next, before a reboot, has to know of this one, which may be killed. A file for each,
 * in a directory that a reboot empties.
 */
export class RuntimeNotes {
  readonly #directory: string;
  readonly #failed: (error: unknown) => void;

  /** @param failed told when nothing can be noted; the change itself must not fail for that */
  constructor(directory: string, failed: (error: unknown) => void) {
    this.#directory = directory;
    this.#failed = failed;
  }

  add(note: string): void {
    this.#attempt(() => {
      mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
      const found = lstatSync(this.#directory);
      if (!found.isDirectory())
        throw new Error(`${this.#directory} is ${kindOf(found)} and no directory`);
      if (this.has(note)) return;
      // Exclusive: through a link, or into a FIFO, nothing is ever written
      writeFileSync(this.#pathOf(note), '', { mode: 0o600, flag: 'wx' });
    });
  }

  remove(note: string): void {
    this.#attempt(() => rmSync(this.#pathOf(note), { force: true }));
  }

  has(note: string): boolean {
    return this.#names().includes(fileName(note));
  }

  get count(): number {
    return this.#names().length;
  }

  #names(): readonly string[] {
    try {
      return readdirSync(this.#directory);
    } catch {
      return [];
    }
  }

  #pathOf(note: string): string {
    return join(this.#directory, fileName(note));
  }

  #attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#failed(error);
    }
  }
}

/** Any text as the name of one file. */
function fileName(note: string): string {
  return createHash('sha256').update(note).digest('hex');
}
