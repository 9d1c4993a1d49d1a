import { link, lstat, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type FileAccess, ownerOnly, readableByGroup, settleAccess } from '../../durable/access.ts';
import { removeSynced, writeFileAtomic, writeNewFile } from '../../durable/atomic-file.ts';
import { admitGroup, makeDirectory, syncAfterSwitch } from '../../durable/directory.ts';
import { exists } from '../../durable/disk-answer.ts';
import { clearUnfinished } from '../../durable/unfinished.ts';
import type { KeyedCandidate } from '../checks.ts';
import { isStorageError } from '../errors.ts';
import { readUploadFile } from '../upload.ts';
import { exportPrivateKey } from '../x509/keys.ts';

/** The one PEM file of a server or client endpoint: private key, leaf, chain. */
export interface PairFile {
  /** Makes the directory usable for the group that reads the file. */
  open(): Promise<void>;
  /**
   * @param mostBytes where it may be somebody else's: the largest that is read
   * @returns its text, `undefined` when there is no file. @throws CertError as `readUploadFile`
   */
  read(mostBytes?: number): Promise<string | undefined>;
  /** Whether it is what stands in the file. @throws when the disk does not tell */
  holds(pair: KeyedCandidate): Promise<boolean>;
  /** @param lastLook as of `writeFileAtomic` */
  write(pair: KeyedCandidate, lastLook?: () => Promise<void>): Promise<void>;
  /** Gives the file the rights that it should have. @throws when the disk does not let it now */
  settleAccess(): Promise<void>;
  remove(): Promise<void>;
  /** Keeps a file that cannot be served under another name too, and answers which. */
  putAside(now: Date): Promise<string>;
  /** Copies the file, or the fact that there is none, into an empty directory. */
  save(directory: string): Promise<void>;
  /** Brings back what `save` copied. */
  recover(directory: string): Promise<void>;
}

export interface PairFileOptions {
  readonly path: string;
  /** Id of the group that may read the file, for the service that serves it. */
  readonly group: number | undefined;
  /** How many files that were put aside are kept; the oldest go first. */
  readonly mostAside: number;
}

/** What stands in the file of a pair. */
export function pairText({ key, leaf, chain }: KeyedCandidate): string {
  return [exportPrivateKey(key), leaf.pem, ...chain.map(({ pem }) => pem)].join('');
}

/** The name under which the very same file is kept already, by an earlier start that got no further. */
async function twinOf(path: string, prefix: string): Promise<string | undefined> {
  const { ino } = await lstat(path, { bigint: true });
  for (const name of await readdir(dirname(path))) {
    const other = join(dirname(path), name);
    if (name.startsWith(prefix) && (await lstat(other, { bigint: true })).ino === ino) return other;
  }
  return undefined;
}

const saved = { file: 'pair.pem', nothing: 'no-pair' } as const;

export function pairFile({ path, group, mostAside }: PairFileOptions): PairFile {
  const access: FileAccess = readableByGroup(group);
  const directory = dirname(path);
  const asidePrefix = `${basename(path)}.refused-`;

  const read = async (file: string, mostBytes?: number) =>
    (await exists(file)) ? readUploadFile(file, mostBytes) : undefined;
  const remove = async () => {
    if (await exists(directory)) await removeSynced(path);
  };

  return {
    async open() {
      await makeDirectory(directory, access);
      // Upstream leaves the directory 0700, which no service but root's can enter
      if (group !== undefined) await admitGroup(directory, group);
      await clearUnfinished(path);
      await settleAccess(path, access);
    },
    read: (mostBytes) => read(path, mostBytes),
    async holds(pair) {
      const text = await read(path).catch((error: unknown) => {
        if (isStorageError(error)) throw error;
        return undefined;
      });
      return text === pairText(pair);
    },
    async write(pair, lastLook) {
      await makeDirectory(directory, access);
      await writeFileAtomic(path, pairText(pair), access, lastLook);
    },
    settleAccess: () => settleAccess(path, access),
    remove,
    async putAside(now) {
      const kept = await twinOf(path, asidePrefix);
      if (kept !== undefined) {
        await settleAccess(kept, ownerOnly);
        return kept;
      }
      const stem = `${path}.refused-${now.toISOString().replace(/[-:]|\.\d+/g, '')}`;
      let aside = stem;
      for (let count = 2; await exists(aside); count += 1) aside = `${stem}-${count}`;
      // It stays in place until a good one takes it, so that no service ever finds nothing
      await link(path, aside).catch(() => rename(path, aside));
      await settleAccess(aside, ownerOnly);
      const others = (await readdir(directory)).filter(
        (name) => name.startsWith(asidePrefix) && name !== basename(aside),
      );
      for (const name of others.sort().slice(0, Math.max(0, others.length + 1 - mostAside))) {
        // One that cannot go, such as a directory, keeps no other from being kept
        await rm(join(directory, name), { force: true }).catch(() => undefined);
      }
      await syncAfterSwitch(directory);
      return aside;
    },
    async save(into) {
      const text = await read(path);
      if (text === undefined) await writeNewFile(join(into, saved.nothing), '', ownerOnly);
      else await writeNewFile(join(into, saved.file), text, ownerOnly);
    },
    async recover(from) {
      const text = await read(join(from, saved.file));
      if (text !== undefined) await writeFileAtomic(path, text, access);
      else if (await exists(join(from, saved.nothing))) await remove();
    },
  };
}
