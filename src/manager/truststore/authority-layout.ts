import { randomBytes } from 'node:crypto';
import { type Dirent, readdirSync, readlinkSync } from 'node:fs';
import { link, readlink, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { writeNewFile } from '../../storage/atomic-file.ts';
import { syncDirectory, withDirectory } from '../../storage/directory.ts';
import { worldReadable } from '../../storage/file-mode.ts';
import { noFollow, readRegularFileSync, tryReadRegularFile } from '../../storage/regular-file.ts';
import type { Certificate } from '../../x509/certificate.ts';
import { bundleFile } from '../upgrade/upstream-authorities.ts';

/** A trusted CA and the number it goes by for ever. */
export interface Authority {
  readonly id: number;
  readonly certificate: Certificate;
}

/** What stands in a directory for a set of authorities, by name. */
export interface Layout {
  /** Texts: `<id>.pem`, and all of them in `trust_bundle`. */
  readonly files: ReadonlyMap<string, string>;
  /** Targets: `<subject hash>.<n>`, without a gap in the numbers, as OpenSSL looks for them. */
  readonly links: ReadonlyMap<string, string>;
}

export function layoutOf(authorities: readonly Authority[]): Layout {
  const files = new Map<string, string>();
  const links = new Map<string, string>();
  const slots = new Map<string, number>();
  for (const { id, certificate } of authorities) {
    const { subjectHash, pem } = certificate;
    const slot = slots.get(subjectHash) ?? 0;
    slots.set(subjectHash, slot + 1);
    files.set(`${id}.pem`, pem);
    links.set(`${subjectHash}.${slot}`, `${id}.pem`);
  }
  const bundle = [...files.values()].join('');
  if (bundle !== '') files.set(bundleFile, bundle);
  return { files, links };
}

/** Fills an empty directory; what another one holds already is linked from there. */
export async function writeLayout(directory: string, layout: Layout, like?: string): Promise<void> {
  for (const [name, text] of layout.files) {
    const kept = like !== undefined && (await contentOf(join(like, name))) === text;
    if (kept) await link(join(like, name), join(directory, name));
    else await writeNewFile(join(directory, name), text, worldReadable);
  }
  for (const [name, target] of layout.links) await symlink(target, join(directory, name));
  await syncDirectory(directory);
}

/**
 * The names of what a directory has, lacks or holds otherwise than a layout says. It reads synchronously: each
 * change looks at all files, and for a thousand asynchronous reads take fifteen times as long.
 */
export function deviations(directory: string, layout: Layout): readonly string[] {
  const missing = new Set([...layout.files.keys(), ...layout.links.keys()]);
  const found: string[] = [];
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (isAsWritten(directory, entry, layout)) missing.delete(entry.name);
    else if (!missing.has(entry.name)) found.push(entry.name);
  }
  return [...found, ...missing];
}

function isAsWritten(directory: string, entry: Dirent, { files, links }: Layout): boolean {
  const path = join(directory, entry.name);
  try {
    if (entry.isSymbolicLink()) return links.get(entry.name) === readlinkSync(path);
    return entry.isFile() && files.get(entry.name) === readRegularFileSync(path);
  } catch {
    // What cannot be read can be written anew
    return false;
  }
}

/** @returns `undefined` also for a file that cannot be read now */
function contentOf(path: string): Promise<string | undefined> {
  return tryReadRegularFile(path, noFollow).catch(() => undefined);
}

/** The files of the authorities by which two layouts differ. */
export function differences(from: Layout, to: Layout): readonly string[] {
  const changed = [...to.files].filter(([name, text]) => {
    const before = from.files.get(name);
    return name !== bundleFile && before !== undefined && before !== text;
  });
  return [
    ...missingFrom(from.files, to.files),
    ...missingFrom(to.files, from.files),
    ...changed.map(([name]) => name),
  ];
}

/** Whether one authority comes or goes, and nothing else is to be done. */
export function isSingleAmendment(from: Layout, to: Layout): boolean {
  const [only = '', ...more] = differences(from, to);
  return more.length === 0 && from.files.has(only) !== to.files.has(only);
}

function missingFrom(there: ReadonlyMap<string, string>, names: ReadonlyMap<string, string>) {
  return [...names.keys()].filter((name) => name !== bundleFile && !there.has(name));
}

/** How a change in place ended that the disk failed. */
export interface FailedAmendment {
  readonly error: unknown;
  /** Which of the two sets of authorities is on the disk. */
  readonly holds: 'from' | 'to';
  /** Whether links and bundle are those of that set. */
  readonly inStep: boolean;
}

/**
 * Adds or removes one authority in place. The file of the authority decides which state it is: whatever
 * is not in step with the files after a crash is put right by the next start. A reader finds every
 * authority that stays at every moment, because links change by rename, and lower numbers first.
 * @returns `undefined` when it is done; otherwise it is undone as far as the disk allowed, which is known
 *   from what it allowed alone: it may read no better than it writes
 */
export async function amendLayout(
  directory: string,
  from: Layout,
  to: Layout,
): Promise<FailedAmendment | undefined> {
  const aside: string[] = [];
  let holds: FailedAmendment['holds'] = 'from';
  try {
    await withDirectory(directory, (sync) =>
      amend(directory, from, to, aside, sync, () => {
        holds = 'to';
      }),
    );
    return undefined;
  } catch (error) {
    const isBack = await takeBackAuthority(directory, from, to);
    if (isBack) holds = 'from';
    const isWhole = holds === 'from' && (await restoreRest(directory, from, to, aside));
    // An authority that was refused must not be there after a power cut
    const isSynced = await succeeds(() => syncDirectory(directory));
    return { error, holds, inStep: isBack && isWhole && isSynced };
  }
}

async function amend(
  directory: string,
  from: Layout,
  to: Layout,
  aside: string[],
  sync: () => Promise<void>,
  switched: () => void,
): Promise<void> {
  const added = missingFrom(from.files, to.files);
  const removed = missingFrom(to.files, from.files);
  const bundle = to.files.get(bundleFile);
  if (bundle !== undefined) await writeAside(directory, bundleFile, bundle, aside);
  for (const name of added) await writeAside(directory, name, to.files.get(name) ?? '', aside);
  // A link to a file that is not there yet is nothing to OpenSSL
  for (const [name, target] of to.links) {
    if (!from.links.has(name)) await symlink(target, join(directory, name));
  }
  for (const name of added) await rename(asideOf(directory, name), join(directory, name));
  if (added.length > 0) switched();
  for (const [name, target] of to.links) {
    if (from.links.has(name) && from.links.get(name) !== target) {
      await replaceLink(directory, name, target);
    }
  }
  // Somebody may have taken them away already
  for (const name of from.links.keys()) {
    if (!to.links.has(name)) await rm(join(directory, name), { force: true });
  }
  for (const name of removed) await rm(join(directory, name), { force: true });
  switched();
  if (bundle !== undefined)
    await rename(asideOf(directory, bundleFile), join(directory, bundleFile));
  else await rm(join(directory, bundleFile), { force: true });
  await sync();
}

/** @returns whether the file of the one authority is as it was */
function takeBackAuthority(directory: string, from: Layout, to: Layout): Promise<boolean> {
  return succeeds(async () => {
    for (const name of missingFrom(from.files, to.files)) {
      await rm(join(directory, name), { force: true });
    }
    for (const name of missingFrom(to.files, from.files)) await rewrite(directory, name, from);
  });
}

/** As well as a disk that fails allows it. @returns whether it allowed all of it */
async function restoreRest(
  directory: string,
  from: Layout,
  to: Layout,
  aside: readonly string[],
): Promise<boolean> {
  const gone = missingFrom(from.links, to.links).map((name) => join(directory, name));
  if (!from.files.has(bundleFile)) gone.push(join(directory, bundleFile));
  const steps = [...gone, ...aside].map((path) => () => rm(path, { force: true }));
  for (const [name, target] of from.links) {
    steps.push(async () => {
      if ((await readlink(join(directory, name)).catch(() => '')) === target) return;
      await replaceLink(directory, name, target);
    });
  }
  if (from.files.has(bundleFile)) steps.push(() => rewrite(directory, bundleFile, from));
  let allDone = true;
  for (const step of steps) allDone = (await succeeds(step)) && allDone;
  return allDone;
}

async function rewrite(directory: string, name: string, { files }: Layout): Promise<void> {
  const text = files.get(name) ?? '';
  const there = await contentOf(join(directory, name));
  if (there === text) return;
  const path = asideOf(directory, name);
  await rm(path, { force: true });
  await writeNewFile(path, text, worldReadable);
  await rename(path, join(directory, name));
}

function succeeds(work: () => Promise<void>): Promise<boolean> {
  return work().then(
    () => true,
    () => false,
  );
}

async function writeAside(directory: string, name: string, text: string, aside: string[]) {
  const path = asideOf(directory, name);
  await rm(path, { force: true });
  aside.push(path);
  await writeNewFile(path, text, worldReadable);
}

function asideOf(directory: string, name: string): string {
  return join(directory, `.${name}.new`);
}

async function replaceLink(directory: string, name: string, target: string): Promise<void> {
  const aside = join(directory, `.${name}.${randomBytes(6).toString('hex')}`);
  await symlink(target, aside);
  try {
    await rename(aside, join(directory, name));
  } catch (error) {
    await rm(aside, { force: true });
    throw error;
  }
}
