import { createHash } from 'node:crypto';
import {
  closeSync,
  constants,
  type Dirent,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
} from 'node:fs';
import { join, relative, sep } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Log } from '../../core/log.ts';
import { SetupError } from '../../core/setup-error.ts';
import { contentTypeOf, hasContentHash } from './content-types.ts';

export interface WebUiOptions {
  readonly directory: string;
  /** The most files, and directories, in the directory. */
  readonly files: number;
  /** The most bytes of all files together, as they are and unpacked. */
  readonly bytes: number;
}

/** One file in one encoding. */
export interface Representation {
  readonly content: Buffer;
  /** Strong, in quotes. */
  readonly etag: string;
}

export interface WebUiFile {
  readonly contentType: string;
  /** Its name tells its content, so it may be kept for ever. */
  readonly hashed: boolean;
  readonly plain?: Representation;
  readonly gzip?: Representation & { readonly unpackedBytes: number };
}

/** The files by the paths of their URIs, decoded. */
export type WebUi = ReadonlyMap<string, WebUiFile>;

/**
 * Reads the directory of a web UI, whole. What is served comes from memory: no path of a request reaches
 * the file system, and files that are replaced one by one under a running service give no mixture.
 * `NAME.gz` is NAME, compressed. Hidden files, what is neither file nor directory, and links that lead
 * to anything but a file in the directory are left out, and so is `redfish`, which is the tree's.
 * @throws SetupError when it cannot be read or exceeds a limit
 */
export function readWebUi(options: WebUiOptions, log: Log): WebUi {
  const root = realDirectory(options.directory);
  const budget = { entries: options.files, bytes: options.bytes, unpacked: options.bytes };
  const files = new Map<string, WebUiFile>();
  for (const path of listFiles(options, root, root, budget, log)) {
    const name = relative(root, path).split(sep).join('/');
    add(options, files, `/${name}`, readBounded(options, path, budget), budget);
  }
  for (const [path, file] of [...files]) {
    if (path.endsWith('/index.html')) files.set(path.slice(0, -'index.html'.length), file);
  }
  if (!files.has('/')) log.warn('the web UI has no index.html', { directory: options.directory });
  return files;
}

interface Budget {
  entries: number;
  bytes: number;
  unpacked: number;
}

function realDirectory(directory: string): string {
  try {
    return realpathSync(directory);
  } catch (cause) {
    throw unreadable(directory, cause);
  }
}

function listFiles(
  options: WebUiOptions,
  root: string,
  directory: string,
  budget: Budget,
  log: Log,
): string[] {
  const found: string[] = [];
  for (const entry of entriesOf(directory)) {
    const path = join(directory, entry.name);
    budget.entries -= 1;
    if (budget.entries < 0) throw tooLarge(options, `more than ${options.files} files`);
    if (entry.name.startsWith('.')) continue;
    if (directory === root && /^redfish(\.gz)?$/i.test(entry.name)) {
      log.warn('a file of the web UI has a name of the Redfish tree', { path });
    } else if (entry.isDirectory()) {
      found.push(...listFiles(options, root, path, budget, log));
    } else if (entry.isFile() || (entry.isSymbolicLink() && staysInside(root, path))) {
      found.push(path);
    } else {
      log.warn('not a file of the web UI', { path });
    }
  }
  return found;
}

function entriesOf(directory: string): Dirent[] {
  try {
    // In order of names, so that a limit that is exceeded is exceeded at the same file each time
    return readdirSync(directory, { withFileTypes: true }).sort((a, b) =>
      a.name < b.name ? -1 : 1,
    );
  } catch (cause) {
    throw unreadable(directory, cause);
  }
}

function staysInside(root: string, path: string): boolean {
  try {
    const target = relative(root, realpathSync(path));
    const hidden = target.split(sep).some((part) => part.startsWith('.'));
    return target !== '' && !hidden && isRegular(join(root, target));
  } catch {
    return false;
  }
}

/** Opens without waiting: a FIFO in place of a file must not hold up the start. */
function open(path: string): number {
  return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
}

function isRegular(path: string): boolean {
  const file = open(path);
  try {
    return fstatSync(file).isFile();
  } finally {
    closeSync(file);
  }
}

function readBounded(options: WebUiOptions, path: string, budget: Budget): Buffer {
  let file: number;
  try {
    file = open(realpathSync(path));
  } catch (cause) {
    throw unreadable(path, cause);
  }
  try {
    const { size } = fstatSync(file);
    budget.bytes -= size;
    if (budget.bytes < 0) throw tooLarge(options, `more than ${options.bytes} bytes`);
    const content = Buffer.alloc(size);
    let length = 0;
    while (length < size) {
      const read = readSync(file, content, length, size - length, length);
      if (read === 0) throw unreadable(path, new Error('it is being written'));
      length += read;
    }
    return content;
  } finally {
    closeSync(file);
  }
}

function add(
  options: WebUiOptions,
  files: Map<string, WebUiFile>,
  path: string,
  content: Buffer,
  budget: Budget,
): void {
  const compressed = path.endsWith('.gz');
  const name = compressed ? path.slice(0, -'.gz'.length) : path;
  const file = files.get(name) ?? {
    contentType: contentTypeOf(name),
    hashed: hasContentHash(name),
  };
  const etag = `"${createHash('sha256').update(content).digest('base64url').slice(0, 27)}"`;
  if (compressed) {
    const unpackedBytes = unpackedSize(options, path, content, budget);
    files.set(name, { ...file, gzip: { content, etag, unpackedBytes } });
  } else {
    files.set(name, { ...file, plain: { content, etag } });
  }
}

/** Unpacks once at the start, so that a bad or exploding file is found before a client asks for it. */
function unpackedSize(
  options: WebUiOptions,
  path: string,
  content: Buffer,
  budget: Budget,
): number {
  try {
    const { length } = gunzipSync(content, { maxOutputLength: Math.max(1, budget.unpacked) });
    budget.unpacked -= length;
    return length;
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : '';
    if (code === 'ERR_BUFFER_TOO_LARGE') {
      throw tooLarge(options, `more than ${options.bytes} bytes when unpacked`);
    }
    throw unreadable(join(options.directory, path), cause);
  }
}

function unreadable(path: string, cause: unknown): SetupError {
  return new SetupError(`The web UI cannot be read at ${path}.`, { cause });
}

function tooLarge({ directory }: WebUiOptions, what: string): SetupError {
  return new SetupError(`The web UI in ${directory} has ${what}, the limit of /redfish/webUi.`);
}
