import { lstat, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CertError, isStorageError } from '../../core/cert-error.ts';
import { removeSynced, writeFileAtomic, writeNewFile } from '../../storage/atomic-file.ts';
import { admitGroup, makeDirectory } from '../../storage/directory.ts';
import {
  applyFileMode,
  type FileMode,
  isForeign,
  ownerOnly,
  readableByGroup,
} from '../../storage/file-mode.ts';
import { classifyIoError, exists } from '../../storage/io-errors.ts';
import { modificationTime, setModificationTime } from '../../storage/modification-time.ts';
import { type Faults, faultsOf } from '../../storage/ownership.ts';
import { maxInternalFileBytes, noFollow } from '../../storage/regular-file.ts';
import { withRetries } from '../../storage/retry.ts';
import { removeTempFiles } from '../../storage/temp-files.ts';
import { exportPrivateKey } from '../../x509/keys.ts';
import type { CredentialCandidate } from '../checks/checks.ts';
import { readUploadFile } from '../upload.ts';
import { keepAside, type PutAside } from './refused-files.ts';

/** The one PEM file of a server or client endpoint: private key, leaf, chain. */
export interface CredentialFile {
  /** Makes the directory usable for the group that reads the file. */
  open(): Promise<void>;
  /**
   * @param maxBytes where another program may have written it: the largest that is read
   * @returns its text, `undefined` when there is no file. @throws CertError as `readUploadFile`
   */
  read(maxBytes?: number): Promise<string | undefined>;
  /** Whether it is what stands in the file. @throws when the disk does not tell */
  holds(pair: CredentialCandidate): Promise<boolean>;
  /** @param lastLook as of `writeFileAtomic` */
  write(pair: CredentialCandidate, lastLook?: () => Promise<void>): Promise<void>;
  /** Puts a new file with the same text in place of the old one. @param lastLook as of `writeFileAtomic` */
  writeAnew(text: string, lastLook: () => Promise<void>): Promise<void>;
  /**
   * Gives the file the rights that it should have.
   * @returns as `faultsOf` before that, until the file is written. @throws when the disk does not let it now
   */
  applyFileMode(): Promise<Faults | undefined>;
  remove(): Promise<void>;
  /**
   * Whether something stands there that is none of these texts, and no empty file.
   * @throws when the program is too busy to tell
   */
  isOthers(known: readonly (string | undefined)[]): Promise<boolean>;
  /**
   * Keeps what is there under another name too. @returns `undefined` when nothing is there
   * @throws what the file system throws; then it is where it was
   */
  putAside(): Promise<PutAside | undefined>;
  /**
   * Writes what is in service, or the fact that nothing is, into an empty directory.
   * @param replacement what will be in service meanwhile
   */
  save(
    directory: string,
    inService: string | undefined,
    replacement: CredentialCandidate | undefined,
  ): Promise<void>;
  /** Brings back what `save` wrote, and keeps aside what others have put there since. */
  recover(directory: string): Promise<void>;
}

export interface CredentialFileOptions {
  readonly path: string;
  /** Id of the group that may read the file, for the service that serves it. */
  readonly group: number | undefined;
}

/** What stands in the file of a pair. */
export function pairText({ key, leaf, chain }: CredentialCandidate): string {
  return [exportPrivateKey(key), leaf.pem, ...chain.map(({ pem }) => pem)].join('');
}

/** @throws CertError as `readUploadFile`, also for a link by which another user would have root read what is not his */
async function read(path: string, maxBytes?: number): Promise<string | undefined> {
  if (!(await exists(path))) return undefined;
  const name = await lstat(path).catch((error: unknown) => {
    if (classifyIoError(error) !== undefined) throw error;
    return undefined;
  });
  if (!name?.isSymbolicLink()) return readUploadFile(path, maxBytes, undefined, noFollow);
  const { uid } = name;
  if (!isForeign(uid)) return readUploadFile(path, maxBytes);
  if ((await stat(path)).uid !== uid)
    throw new CertError(
      'file-unreadable',
      `a link of the user ${uid} leads to the file of another user`,
    );
  return readUploadFile(path, maxBytes, uid);
}

/** Root must not give the group of a service what a link in place of a copy leads to. @throws as `readUploadFile` */
async function readSaved(path: string): Promise<string | undefined> {
  return (await exists(path))
    ? readUploadFile(path, maxInternalFileBytes, undefined, noFollow)
    : undefined;
}

/** Names of the files that `save` writes. */
export const savedPair = {
  file: 'pair.pem',
  nothing: 'no-pair',
  replacement: 'replacement.pem',
} as const;

/** A list of short functions over one path. */
export function credentialFile({ path, group }: CredentialFileOptions): CredentialFile {
  const access: FileMode = readableByGroup(group);
  const directory = dirname(path);

  const remove = async () => {
    if (await exists(directory)) await removeSynced(path);
  };
  const isOthers: CredentialFile['isOthers'] = (known) => holdsOther(path, known);
  const putAside = () => keepAside(path);
  let faults: Faults | undefined;
  const settle = async () => {
    faults ??= await faultsOf(path, access);
    await applyFileMode(path, access);
    return faults;
  };

  return {
    async open() {
      await makeDirectory(directory, access);
      // Upstream leaves the directory 0700, which no service but root's can enter
      if (group !== undefined) await admitGroup(directory, group);
      await removeTempFiles(path);
      await settle();
    },
    read: (maxBytes) => read(path, maxBytes),
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
      faults = undefined;
    },
    async writeAnew(text, lastLook) {
      await writeFileAtomic(path, text, access, lastLook);
      faults = undefined;
    },
    applyFileMode: settle,
    remove,
    isOthers,
    putAside,
    async save(into, inService, replacement) {
      if (replacement)
        await writeNewFile(join(into, savedPair.replacement), pairText(replacement), ownerOnly);
      if (inService === undefined) await writeNewFile(join(into, savedPair.nothing), '', ownerOnly);
      else {
        const saved = join(into, savedPair.file);
        await writeNewFile(saved, inService, ownerOnly);
        await setModificationTime(saved, modificationTime(path));
      }
    },
    async recover(from) {
      const text = await readSaved(join(from, savedPair.file));
      const replacement = await readSaved(join(from, savedPair.replacement));
      if (replacement !== undefined && (await isOthers([text, replacement]))) await putAside();
      if (text !== undefined) {
        await writeFileAtomic(path, text, access);
        await setModificationTime(path, modificationTime(join(from, savedPair.file)));
      } else if (await exists(join(from, savedPair.nothing))) await remove();
    },
  };
}

/** Whether a file holds something that is none of these texts. @throws when the program can read nothing now */
async function holdsOther(path: string, known: readonly (string | undefined)[]): Promise<boolean> {
  const texts = known.filter((text) => text !== undefined);
  const maxBytes = Math.max(0, ...texts.map((one) => Buffer.byteLength(one)));
  try {
    // It may be no more than our own, and goes then
    const text = await withRetries(() => read(path, maxBytes));
    return text !== undefined && !texts.includes(text);
  } catch (error) {
    const { code, cause } = error instanceof CertError ? error : { code: '', cause: error };
    if (classifyIoError(cause) === 'busy') throw cause;
    return code !== 'file-empty';
  }
}
