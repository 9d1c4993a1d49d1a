import { type Dirent, linkSync, readdirSync, readlinkSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { inSlices } from '../../core/in-slices.ts';
import { writeNewFile } from '../../storage/atomic-file.ts';
import { syncDirectory } from '../../storage/directory.ts';
import { worldReadable } from '../../storage/file-mode.ts';
import { readRegularFileSync } from '../../storage/regular-file.ts';
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

/** A directory that was compared with a layout. */
export interface ComparedDirectory {
  readonly path: string;
  readonly layout: Layout;
  /** The names of what the directory has, lacks or holds otherwise than the layout says. */
  readonly deviations: readonly string[];
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
  const bundle = bundleOf(authorities);
  if (bundle !== undefined) files.set(bundleFile, bundle);
  return { files, links };
}

/** The text of all of them; `undefined` where there is none. */
export function bundleOf(authorities: readonly Authority[]): string | undefined {
  return authorities.length === 0
    ? undefined
    : authorities.map(({ certificate }) => certificate.pem).join('');
}

/** Whether two layouts are one; the links follow from the files. */
export function isSameLayout(a: Layout, b: Layout): boolean {
  return (
    a.files.size === b.files.size &&
    [...a.files].every(([name, text]) => b.files.get(name) === text)
  );
}

/** Fills an empty directory and syncs it; what another directory holds already gets a second name. */
export async function writeLayout(
  directory: string,
  { files, links }: Layout,
  other?: ComparedDirectory,
): Promise<void> {
  const changed = new Set(other?.deviations);
  const hasFromOther = (name: string, isThere: boolean) =>
    other !== undefined &&
    isThere &&
    !changed.has(name) &&
    isLinked(join(other.path, name), join(directory, name));
  const fresh: [string, string][] = [];
  await inSlices(files, ([name, text]) => {
    if (!hasFromOther(name, other?.layout.files.get(name) === text)) fresh.push([name, text]);
  });
  for (const [name, text] of fresh) await writeNewFile(join(directory, name), text, worldReadable);
  await inSlices(links, ([name, target]) => {
    if (!hasFromOther(name, other?.layout.links.get(name) === target))
      symlinkSync(target, join(directory, name));
  });
  await syncDirectory(directory);
}

export async function compareDirectory(path: string, layout: Layout): Promise<ComparedDirectory> {
  const missing = new Set([...layout.files.keys(), ...layout.links.keys()]);
  const found: string[] = [];
  await inSlices(readdirSync(path, { withFileTypes: true }), (entry) => {
    if (isAsWritten(path, entry, layout)) missing.delete(entry.name);
    else if (!missing.has(entry.name)) found.push(entry.name);
  });
  return { path, layout, deviations: [...found, ...missing] };
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

/** @returns false where the file system gives no second name; the file is written anew then */
function isLinked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch {
    return false;
  }
}
