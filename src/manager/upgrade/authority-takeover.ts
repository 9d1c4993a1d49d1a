import { readdir, rm, rmdir } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { renameSynced, writeFileAtomic } from '../../storage/atomic-file.ts';
import { syncDirectory } from '../../storage/directory.ts';
import { worldReadable } from '../../storage/file-mode.ts';
import { codeOf, exists } from '../../storage/io-errors.ts';
import { tryReadRegularFile } from '../../storage/regular-file.ts';
import type { Certificate } from '../../x509/certificate.ts';
import type { QuarantineLimits } from '../truststore/quarantine.ts';
import { readUpstreamDirectory } from './upstream-authorities.ts';

export interface TakeoverOptions {
  readonly path: string;
  /** A file that says that the newest directory which was put aside has been taken over. */
  readonly marker: string;
  /** Where that file was before; it goes on to count. */
  readonly earlierMarker: string;
  readonly keeping: QuarantineLimits;
}

export interface StartOptions extends TakeoverOptions {
  /** True when the path leads to a generation of ours. */
  readonly isOurs: boolean;
  /** Makes the certificates that were found the authorities. */
  readonly adopt: (found: readonly Certificate[]) => Promise<void>;
}

/**
 * An upstream installation has a plain directory at the path: it is put aside, and its certificates
 * become a generation. The marker tells a crash in the middle, which is made good at the next start,
 * from a path that was lost long after. A directory without a certificate, as a package may make one,
 * says nothing of whom to trust.
 */
export async function takeOverPlainDirectory(options: StartOptions): Promise<void> {
  const { path, marker, isOurs, adopt, keeping } = options;
  if (isOurs) {
    const plain = await newestAside(path);
    if (plain !== undefined && (await markedBy(marker)) !== basename(plain))
      await mark(marker, plain);
    return;
  }
  if ((await exists(path)) && !(await removeEmpty(options)))
    await renameSynced(path, await freeNameAside(options));
  const plain = await newestAside(path);
  if (plain === undefined || (await isMarked(options, plain))) return;
  const found = await readPlainDirectory(plain);
  if (found.length > 0) await adopt(found);
  else keeping.warn('directory without a certificate put aside', plain);
  await mark(marker, plain);
  await removeOldest(options);
}

/** The certificates in what somebody put in place of the link; none where there is nothing. */
export async function readPlainDirectory(path: string): Promise<readonly Certificate[]> {
  try {
    return await readUpstreamDirectory(path);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error))) return [];
    throw error;
  }
}

/**
 * Moves out of the way what somebody put in place of the link while the manager runs. Should the power go
 * before the link is there, the next start goes on with the newest generation, so that one comes first.
 * @returns what brings it back
 */
export async function clearTheWay(options: TakeoverOptions): Promise<() => Promise<void>> {
  const { path, marker, keeping } = options;
  if (!(await exists(path)) || (await removeEmpty(options))) return async () => undefined;
  const aside = await freeNameAside(options);
  await mark(marker, aside);
  await renameSynced(path, aside);
  keeping.warn('directory in place of the truststore put aside', aside);
  // One that cannot be removed now may be when the next one comes
  await removeOldest(options).catch(() => undefined);
  return () => renameSynced(aside, path);
}

/** Whoever makes an empty directory at each boot must not fill the place with them. */
async function removeEmpty({ path, keeping }: TakeoverOptions): Promise<boolean> {
  try {
    await rmdir(path);
  } catch (error) {
    if (['ENOTDIR', 'ENOTEMPTY', 'EEXIST'].includes(codeOf(error))) return false;
    throw error;
  }
  await syncDirectory(dirname(path));
  keeping.warn('empty directory in place of the truststore removed', path);
  return true;
}

async function isMarked(options: TakeoverOptions, plain: string): Promise<boolean> {
  const { marker, earlierMarker } = options;
  const name = basename(plain);
  return (await markedBy(marker)) === name || (await markedBy(earlierMarker)) === name;
}

async function markedBy(marker: string): Promise<string> {
  return (await tryReadRegularFile(marker))?.trim() ?? '';
}

async function mark(marker: string, plain: string): Promise<void> {
  await writeFileAtomic(marker, `${basename(plain)}\n`, worldReadable);
}

function asideOf(path: string, count: number): string {
  return count === 1 ? `${path}.taken-over` : `${path}.taken-over-${count}`;
}

/** Never the name that is marked, though nothing has it any more: it would count as taken over. */
async function freeNameAside(options: TakeoverOptions): Promise<string> {
  const { path, marker, earlierMarker } = options;
  const marked = [await markedBy(marker), await markedBy(earlierMarker)];
  const taken = [...marked.map((name) => numberOf(path, name)), ...(await numbersAside(path))];
  return asideOf(path, Math.max(0, ...taken) + 1);
}

async function newestAside(path: string): Promise<string | undefined> {
  const [newest] = await numbersAside(path);
  return newest === undefined ? undefined : asideOf(path, newest);
}

/** The newest first. */
async function numbersAside(path: string): Promise<readonly number[]> {
  const names = await readdir(dirname(path));
  const numbers = names.map((name) => numberOf(path, name)).filter((count) => count > 0);
  return numbers.sort((a, b) => b - a);
}

/** @returns 0 for a name that is none of them */
function numberOf(path: string, name: string): number {
  const stem = `${basename(path)}.taken-over`;
  if (name === stem) return 1;
  return name.startsWith(`${stem}-`)
    ? Number(/^[1-9]\d{0,8}$/.exec(name.slice(stem.length + 1))?.[0] ?? 0)
    : 0;
}

async function removeOldest({ path, keeping }: TakeoverOptions): Promise<void> {
  for (const count of (await numbersAside(path)).slice(keeping.most)) {
    const oldest = asideOf(path, count);
    await rm(oldest, { recursive: true, force: true });
    keeping.warn('oldest of the directories put aside removed', oldest);
  }
}
