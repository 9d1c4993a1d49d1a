import { basename } from 'node:path';
import { everyone } from '../../durable/access.ts';
import { renameSynced, writeFileAtomic } from '../../durable/atomic-file.ts';
import { exists } from '../../durable/disk-answer.ts';
import { tryReadRegularFile } from '../../durable/regular-file.ts';
import type { Certificate } from '../x509/certificate.ts';
import { readUpstreamDirectory } from './upstream-authorities.ts';

export interface TakeoverOptions {
  readonly path: string;
  /** A file that says that the newest directory which was put aside has been taken over. */
  readonly marker: string;
  /** True when the path leads to a generation of ours. */
  readonly isOurs: boolean;
  /** Makes the certificates that were found the authorities. */
  readonly adopt: (found: readonly Certificate[]) => Promise<void>;
}

/**
 * An upstream installation has a plain directory at the path: it is put aside, and its certificates
 * become a generation. The marker tells a crash in the middle, which is made good at the next start,
 * from a path that was lost long after.
 */
export async function takeOverPlainDirectory(options: TakeoverOptions): Promise<void> {
  const { path, marker, isOurs, adopt } = options;
  if (isOurs) {
    const plain = await newestAside(path);
    if (plain !== undefined && !(await isMarked(marker, plain))) await mark(marker, plain);
    return;
  }
  if (await exists(path)) await renameSynced(path, await freeNameAside(path));
  const plain = await newestAside(path);
  if (plain === undefined || (await isMarked(marker, plain))) return;
  await adopt(await readUpstreamDirectory(plain));
  await mark(marker, plain);
}

async function isMarked(marker: string, plain: string): Promise<boolean> {
  return (await tryReadRegularFile(marker))?.trim() === basename(plain);
}

async function mark(marker: string, plain: string): Promise<void> {
  await writeFileAtomic(marker, `${basename(plain)}\n`, everyone);
}

function asideOf(path: string, count: number): string {
  return count === 1 ? `${path}.taken-over` : `${path}.taken-over-${count}`;
}

async function freeNameAside(path: string): Promise<string> {
  let count = 1;
  while (await exists(asideOf(path, count))) count += 1;
  return asideOf(path, count);
}

async function newestAside(path: string): Promise<string | undefined> {
  let newest: string | undefined;
  for (let count = 1; await exists(asideOf(path, count)); count += 1) newest = asideOf(path, count);
  return newest;
}
