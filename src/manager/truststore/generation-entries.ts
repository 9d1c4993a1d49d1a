import type { Dirent } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../../storage/io-errors.ts';
import { bundleFile } from '../upgrade/upstream-authorities.ts';

/** What somebody else put into a generation. */
export interface EntryOfOthers {
  readonly path: string;
  readonly isFile: boolean;
  /** Whether it is there to be trusted, if it holds a certificate. */
  readonly isOffer: boolean;
  /** Tells it, as it is now, from whatever else gets its name. */
  readonly version: string;
}

/** Versions of entries that have been judged. */
export type Seen = ReadonlySet<string>;

export const nothingSeen: Seen = new Set();

export interface Entries {
  /** Paths of what the manager made. */
  readonly own: readonly string[];
  /** Everything else, whatever kind of file it is. */
  readonly others: readonly EntryOfOthers[];
}

export async function entriesIn(directory: string): Promise<Entries> {
  const own: string[] = [];
  const others: EntryOfOthers[] = [];
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    const target = entry.isSymbolicLink() ? await targetOf(path) : undefined;
    if (isOwn(entry, target)) {
      own.push(path);
      continue;
    }
    const version = await versionOf(path);
    if (version === undefined) continue;
    const isFile = entry.isFile();
    const leadsElsewhere = target?.includes('/') === true;
    const isHidden = entry.name.startsWith('.');
    others.push({ path, isFile, isOffer: !isHidden && (isFile || leadsElsewhere), version });
  }
  return { own, others };
}

/** The unfinished files and links that a crash of the manager left in a generation. */
export async function unfinishedIn(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory() && tempName.test(entry.name))
    .map(({ name }) => join(directory, name));
}

/** A link by hash that stays in the directory can be made again, by `openssl rehash` as by the manager. */
function isOwn(entry: Dirent, target: string | undefined): boolean {
  const { name } = entry;
  if (entry.isDirectory()) return false;
  if (isOwnFile(name) || tempName.test(name)) return true;
  return target !== undefined && !target.includes('/') && hashName.test(name);
}

function isOwnFile(name: string): boolean {
  return /^\d+\.pem$/.test(name) || name === bundleFile;
}

const hashName = /^[0-9a-f]{8}\.\d+$/;
const tempName = /^\.(\d+\.pem|trust_bundle|[0-9a-f]{8}\.\d+)\.(new|[0-9a-f]{12})$/;

/** @returns `undefined` for what somebody took away meanwhile */
async function versionOf(path: string): Promise<string | undefined> {
  try {
    const { ino, size, mtimeNs, ctimeNs } = await lstat(path, { bigint: true });
    return [path, ino, size, mtimeNs, ctimeNs].join(' ');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** @returns nothing for a link that somebody took away meanwhile */
async function targetOf(path: string): Promise<string> {
  return readlink(path).catch((error: unknown) => {
    if (['ENOENT', 'EINVAL'].includes(codeOf(error))) return '';
    throw error;
  });
}
