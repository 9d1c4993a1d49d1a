import { randomBytes } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { removeSynced, renameSynced, writeFileAtomic } from '../../storage/atomic-file.ts';
import { makeDirectory } from '../../storage/directory.ts';
import { ownerOnly, worldReadable } from '../../storage/file-mode.ts';
import { exists } from '../../storage/io-errors.ts';
import { type EndpointType, endpointTypes } from '../endpoint-definition.ts';
import { isEndpointId } from './endpoint-id.ts';

export interface EndpointKey {
  readonly type: EndpointType;
  readonly name: string;
}

/**
 * The files of the endpoints that came at run time, each in a directory of its own:
 *
 *     server/gnoi-server1/{present,credential.pem,credential.pem.requests/…}
 *     authority/gnoi-ca-bundle/{present,authorities -> authorities.generations/7,…}
 *     replacements/
 *
 * An endpoint is there if `present` is; without it there are at most keys that wait for a first certificate.
 */
export class EndpointDirectory {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  /** Where journals of replacements lie. */
  get replacements(): string {
    return join(this.#root, 'replacements');
  }

  /** Of the files of an endpoint, as its definition has it. */
  pathOf(key: EndpointKey): string {
    const file = key.type === 'authority' ? 'authorities' : 'credential.pem';
    return join(this.#directoryOf(key), file);
  }

  /** Makes what all endpoints share, and removes what was given up. */
  async open(): Promise<void> {
    await makeDirectory(this.replacements, ownerOnly);
    for (const type of endpointTypes) {
      const directory = join(this.#root, type);
      // Services may read authorities; keys are closed by their own directories
      await makeDirectory(directory, worldReadable);
      for (const name of await readdir(directory))
        if (name.startsWith(removedPrefix)) await remove(join(directory, name));
    }
  }

  /** All that have a directory, also those that are not there. */
  async list(): Promise<readonly EndpointKey[]> {
    const lists = endpointTypes.map(async (type) => {
      const entries = await readdir(join(this.#root, type), { withFileTypes: true });
      const names = entries.filter((one) => one.isDirectory()).map(({ name }) => name);
      return names.filter(isEndpointId).map((name) => ({ type, name }));
    });
    return (await Promise.all(lists)).flat();
  }

  isPresent(key: EndpointKey): Promise<boolean> {
    return exists(this.#mark(key));
  }

  async makePresent(key: EndpointKey): Promise<void> {
    const access = key.type === 'authority' ? worldReadable : ownerOnly;
    await makeDirectory(this.#directoryOf(key), access);
    await writeFileAtomic(this.#mark(key), '', ownerOnly);
  }

  /** Leaves its files where they are, until the next start. */
  async unmark(key: EndpointKey): Promise<void> {
    await removeSynced(this.#mark(key));
  }

  /** Keys that wait for a certificate stay. */
  async makeAbsent(key: EndpointKey): Promise<void> {
    if (!(await exists(this.#directoryOf(key)))) return;
    await this.unmark(key);
    await this.clear(key);
  }

  /** Removes what is left of one that is not there, but for keys that wait for a certificate. */
  async clear(key: EndpointKey): Promise<void> {
    const directory = this.#directoryOf(key);
    for (const name of await readdir(directory))
      if (!name.endsWith('.requests')) await remove(join(directory, name));
  }

  /** Removes all of it at once. */
  async remove(key: EndpointKey): Promise<void> {
    const aside = join(this.#root, key.type, `${removedPrefix}${randomBytes(6).toString('hex')}`);
    await renameSynced(this.#directoryOf(key), aside);
    // What cannot be removed now is removed at the next start
    await remove(aside).catch(() => undefined);
  }

  #directoryOf({ type, name }: EndpointKey): string {
    return join(this.#root, type, name);
  }

  #mark(key: EndpointKey): string {
    return join(this.#directoryOf(key), 'present');
  }
}

/** No id begins so. */
const removedPrefix = '.removed.';

function remove(path: string): Promise<void> {
  return rm(path, { recursive: true, force: true });
}
