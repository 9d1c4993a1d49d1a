import { mkdir, readdir, readlink, rm, symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import {
  type TrustBundleCopy,
  validateTrustBundleCopy,
} from '../../schemas/generated/validators.js';
import { reasonOf } from '../core/cert-error.ts';
import { validate } from '../core/validation.ts';
import { renameSynced, writeNewFile } from '../storage/atomic-file.ts';
import { makeDirectory, syncDirectory } from '../storage/directory.ts';
import { ownerOnly } from '../storage/file-mode.ts';
import { classifyIoError, codeOf } from '../storage/io-errors.ts';
import { readRegularBytes } from '../storage/regular-file.ts';
import { removeTempFiles, tempName } from '../storage/temp-files.ts';
import { sha256Of } from './bundle-content.ts';
import { BundleFault } from './bundle-fault.ts';
import { type Manifest, readManifest } from './manifest.ts';

/** What was fetched of one version, as it came. */
export interface BundleFiles {
  readonly manifest: Buffer;
  readonly manifestSignature: Buffer;
  readonly target: Buffer;
  readonly targetSignature: Buffer;
}

/** The copy in force. The target stays on the disk. */
export interface BundleCopy {
  readonly manifest: Manifest;
  readonly manifestBytes: Buffer;
  readonly manifestSignature: Buffer;
  readonly summary: TrustBundleCopy;
}

const fileNames = {
  manifest: 'manifest.json',
  manifestSignature: 'manifest.json.p7s',
  target: 'target.pem',
  targetSignature: 'target.pem.p7s',
} as const satisfies Record<keyof BundleFiles, string>;

const summaryName = 'summary.json';

/**
 * The copy of one bundle: a directory for each version, and a link to the one in force, which one rename switches.
 * A version is whole, read again and synced before that, so nothing that ends the program leaves a part of one.
 */
export class CopyStore {
  readonly #versions: string;
  readonly #link: string;
  readonly #name: string;

  private constructor(directory: string, name: string) {
    this.#versions = join(directory, 'versions');
    this.#link = join(directory, 'current');
    this.#name = name;
  }

  /** Drops what a program that was ended left behind. @throws what the file system throws */
  static async open(directory: string, name: string): Promise<CopyStore> {
    const store = new CopyStore(directory, name);
    await makeDirectory(store.#versions, ownerOnly);
    await removeTempFiles(store.#link);
    await store.#removeOthers(await store.#current());
    return store;
  }

  /**
   * @returns `undefined` where there is none, or one that was damaged since
   * @throws what the file system throws when it gives no answer
   */
  async read(): Promise<BundleCopy | undefined> {
    const version = await this.#current();
    if (version === undefined) return undefined;
    try {
      const files = await readVersion(join(this.#versions, version));
      const manifest = readManifest(files.manifest, this.#name);
      if (sha256Of(files.target) !== manifest.target.sha256) return undefined;
      const summary = validate(validateTrustBundleCopy, JSON.parse(files.summary.toString('utf8')));
      if (!summary.ok) return undefined;
      return {
        ...{ manifest, manifestBytes: files.manifest },
        ...{ manifestSignature: files.manifestSignature, summary: summary.value },
      };
    } catch (error) {
      if (classifyIoError(error) !== undefined) throw error;
      return undefined;
    }
  }

  /** The target of the copy in force. @throws BundleFault `storage` */
  async readTarget(sha256: string): Promise<Buffer> {
    try {
      const bytes = await readRegularBytes(join(this.#link, fileNames.target));
      if (sha256Of(bytes) === sha256) return bytes;
    } catch (cause) {
      throw notStored('the copy cannot be read', cause);
    }
    throw new BundleFault('storage', 'the copy on the disk was damaged; download it again');
  }

  /**
   * Puts a version in force; when it rejects, the one before it is.
   * @param lastLook comes right before the switch; what it throws leaves all as it is
   * @throws BundleFault `storage`, and what `lastLook` throws
   */
  async write(
    revision: number,
    files: BundleFiles,
    summary: TrustBundleCopy,
    lastLook: () => void,
  ): Promise<void> {
    const before = await this.#current().catch(() => undefined);
    // Not one that is there: the same revision may come again with another manifest
    const version = basename(tempName(String(revision))).slice(1, -'.new'.length);
    const path = join(this.#versions, version);
    const aside = tempName(this.#link);
    let refusal: unknown;
    try {
      await writeVersion(path, files, summary);
      await syncDirectory(this.#versions);
      await symlink(join(basename(this.#versions), version), aside);
      await renameSynced(aside, this.#link, async () => {
        try {
          lastLook();
        } catch (error) {
          refusal = error;
          throw error;
        }
      });
    } catch (cause) {
      await rm(aside, { force: true }).catch(() => undefined);
      await this.#removeOthers(before).catch(() => undefined);
      if (refusal !== undefined || cause instanceof BundleFault) throw cause;
      throw notStored('the copy could not be written', cause);
    }
    // What cannot be removed now goes at the next start
    await this.#removeOthers(version).catch(() => undefined);
  }

  async #current(): Promise<string | undefined> {
    try {
      return basename(await readlink(this.#link));
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  async #removeOthers(version: string | undefined): Promise<void> {
    for (const name of await readdir(this.#versions))
      if (name !== version) await rm(join(this.#versions, name), { recursive: true, force: true });
  }
}

async function writeVersion(
  path: string,
  files: BundleFiles,
  summary: TrustBundleCopy,
): Promise<void> {
  await mkdir(path, { mode: 0o700 });
  const contents = { ...files, summary: Buffer.from(`${JSON.stringify(summary, null, 2)}\n`) };
  for (const [member, name] of allNames)
    await writeNewFile(join(path, name), contents[member], ownerOnly);
  const written = await readVersion(path);
  // A disk that is full may take a part of a file without a word
  for (const [member, name] of allNames)
    if (!written[member].equals(contents[member]))
      throw new BundleFault(
        'storage',
        `the copy could not be written: ${name} is not what was written`,
      );
  await syncDirectory(path);
}

const allNames = [
  ['manifest', fileNames.manifest],
  ['manifestSignature', fileNames.manifestSignature],
  ['target', fileNames.target],
  ['targetSignature', fileNames.targetSignature],
  ['summary', summaryName],
] as const;

async function readVersion(path: string) {
  const read = (name: string) => readRegularBytes(join(path, name));
  return {
    manifest: await read(fileNames.manifest),
    manifestSignature: await read(fileNames.manifestSignature),
    target: await read(fileNames.target),
    targetSignature: await read(fileNames.targetSignature),
    summary: await read(summaryName),
  };
}

function notStored(what: string, cause: unknown): BundleFault {
  return new BundleFault('storage', `${what}: ${codeOf(cause) || reasonOf(cause)}`, { cause });
}
