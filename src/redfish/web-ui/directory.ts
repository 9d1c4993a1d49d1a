import { createHash } from 'node:crypto';
import { type Dirent, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import type { Log } from '../../core/log.ts';
import { SetupError } from '../../core/setup-error.ts';

export interface WebUiOptions {
  readonly directory: string;
  /** The most files, and directories, in the directory. */
  readonly files: number;
  /** The most bytes of all files together. */
  readonly bytes: number;
}

/** One file in one encoding. */
export interface Representation {
  readonly content: Buffer;
  /** Strong, in quotes. */
  readonly etag: string;
}

/** A file as it is, as `NAME.gz`, or both. */
export interface WebUiFile {
  readonly plain?: Representation;
  readonly gzip?: Representation;
}

/** The files by the paths of their URIs, decoded. */
export type WebUi = ReadonlyMap<string, WebUiFile>;

/**
 * Reads the directory of a web UI, whole. The files are served from memory: no path of a request reaches
 * the file system, and files that are replaced one by one under a running service give no mixture.
 * Hidden files, everything that is neither file nor directory, and links that lead to anything but a file
 * in the directory are left out, and so is `redfish`, which is the tree's.
 * @throws SetupError when it exceeds a limit; what the disk throws when it cannot be read
 */
export function readWebUi(options: WebUiOptions, log: Log): WebUi {
  const root = realpathSync(options.directory);
  const files = new Map<string, WebUiFile>();
  let { files: entries, bytes } = options;
  for (const entry of entriesBelow(root)) {
    entries -= 1;
    if (entries < 0) throw tooLarge(options, `more than ${options.files} files`);
    if (entry.isDirectory() || isHidden(entry.name)) continue;
    const path = join(entry.parentPath, entry.name);
    const name = relative(root, path).split(sep).join('/');
    const isOfTree = /^redfish(\/|(\.gz)?$)/i.test(name);
    const target = isOfTree ? undefined : targetInside(root, path);
    const content = target === undefined ? undefined : readFile(target, bytes, options);
    bytes -= content?.length ?? 0;
    if (content) add(files, name, content);
    else log.warn('not a file of the web UI', { path });
  }
  if (!files.has('/')) log.warn('the web UI has no index.html', { directory: options.directory });
  return files;
}

function* entriesBelow(directory: string): Generator<Dirent> {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    yield entry;
    const isOpen = entry.isDirectory() && !isHidden(entry.name);
    if (isOpen) yield* entriesBelow(join(directory, entry.name));
  }
}

function isHidden(name: string): boolean {
  return name.startsWith('.');
}

/** Where a path leads to in the end; nothing when that is outside, hidden, or not there. */
function targetInside(root: string, path: string): string | undefined {
  try {
    const target = realpathSync(path);
    return relative(root, target).split(sep).some(isHidden) ? undefined : target;
  } catch {
    return undefined;
  }
}

/** @returns nothing for what is no file */
function readFile(path: string, maxBytes: number, options: WebUiOptions): Buffer | undefined {
  const stats = statSync(path);
  if (!stats.isFile()) return undefined;
  if (stats.size > maxBytes) throw tooLarge(options, `more than ${options.bytes} bytes`);
  return readFileSync(path);
}

function add(files: Map<string, WebUiFile>, name: string, content: Buffer): void {
  const isPacked = name.endsWith('.gz');
  const etag = `"${createHash('sha256').update(content).digest('base64url').slice(0, 27)}"`;
  const path = `/${isPacked ? name.slice(0, -'.gz'.length) : name}`;
  const file = { ...files.get(path), [isPacked ? 'gzip' : 'plain']: { content, etag } };
  files.set(path, file);
  if (path.endsWith('/index.html')) files.set(path.slice(0, -'index.html'.length), file);
}

function tooLarge({ directory }: WebUiOptions, what: string): SetupError {
  return new SetupError(`The web UI in ${directory} has ${what}, the limit of /redfish/webUi.`);
}
