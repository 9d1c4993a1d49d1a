import { readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  admitGroup,
  exists,
  type FileAccess,
  makeDirectory,
  readableByGroup,
  syncAfterSwitch,
  writeFileAtomic,
} from '../../durable/atomic-file.ts';
import type { KeyedCandidate } from '../checks.ts';
import { isSystemError } from '../errors.ts';
import { exportPrivateKey } from '../x509/keys.ts';

/** The one PEM file of a server or client endpoint: private key, leaf, chain. */
export interface PairFile {
  /** Makes the directory usable for the group that reads the file. */
  open(): Promise<void>;
  /** @returns its text, `undefined` when there is no file */
  read(): Promise<string | undefined>;
  write(pair: KeyedCandidate): Promise<void>;
  remove(): Promise<void>;
  /** Moves a file that cannot be served out of the way, and answers where it went. */
  putAside(now: Date): Promise<string>;
}

/** @param group id of the group that may read the file, for the service that serves it */
export function pairFile(path: string, group: number | undefined): PairFile {
  const access: FileAccess = readableByGroup(group);
  return {
    async open() {
      await makeDirectory(dirname(path), access);
      // Upstream leaves the directory 0700, which no service but root's can enter
      if (group !== undefined) await admitGroup(dirname(path), group);
    },
    async read() {
      try {
        return await readFile(path, 'utf8');
      } catch (error) {
        if (isSystemError(error, 'ENOENT')) return undefined;
        throw error;
      }
    },
    async write({ key, leaf, chain }) {
      await makeDirectory(dirname(path), access);
      const text = [exportPrivateKey(key), leaf.pem, ...chain.map(({ pem }) => pem)].join('');
      await writeFileAtomic(path, text, access);
    },
    async remove() {
      await rm(path, { force: true });
      await syncAfterSwitch(dirname(path));
    },
    async putAside(now) {
      const stem = `${path}.refused-${now.toISOString().replace(/[-:]|\.\d+/g, '')}`;
      let aside = stem;
      for (let count = 2; await exists(aside); count += 1) aside = `${stem}-${count}`;
      await rename(path, aside);
      await syncAfterSwitch(dirname(path));
      return aside;
    },
  };
}
