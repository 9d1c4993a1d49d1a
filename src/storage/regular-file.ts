import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readFileSync,
  readSync,
  type Stats,
  statSync,
} from 'node:fs';
import { lstat, open, stat } from 'node:fs/promises';
import { SetupError } from '../core/setup-error.ts';
import { classifyIoError, codeOf } from './io-errors.ts';

/** Why a file is not read. */
export class FileRefusal extends Error {
  override readonly name = 'FileRefusal';
  readonly reason: 'not-regular' | 'foreign' | 'empty' | 'too-large' | 'changing';

  /** @param message what the file is, as the end of a sentence */
  constructor(reason: FileRefusal['reason'], message: string) {
    super(message);
    this.reason = reason;
  }
}

/** In bytes; far above everything that the manager writes itself. */
export const maxInternalFileBytes = 64 * 1024 * 1024;

/** Flags for a name that a link must not lead elsewhere. */
export const noFollow = constants.O_NOFOLLOW;

/**
 * Without O_NONBLOCK a FIFO in place of the file would hold up the program for ever, and without O_NOCTTY a
 * terminal would become that of the program.
 */
const openFlags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

/** As `readRegularBytes`, for text. */
export async function readRegularFile(
  ...parameters: Parameters<typeof readRegularBytes>
): Promise<string> {
  return (await readRegularBytes(...parameters)).toString('utf8');
}

/**
 * Reads a regular file. A FIFO, a device or a file without end in its place is refused at once.
 * @param maxBytes the largest file that is read
 * @param owner the user whose file it must be; without it whose it is does not matter
 * @throws FileRefusal, and what the file system throws
 */
export async function readRegularBytes(
  path: string,
  maxBytes = maxInternalFileBytes,
  flags = 0,
  owner?: number,
): Promise<Buffer> {
  const refuse = (found: Stats) => {
    refuseOther(found, Number.POSITIVE_INFINITY);
    if (owner !== undefined && found.uid !== owner)
      throw new FileRefusal('foreign', `it belongs to the user ${found.uid}`);
    if (found.size === 0) throw new FileRefusal('empty', 'it is empty');
    if (found.size > maxBytes) throw tooLarge(maxBytes);
  };
  // Before it is opened, too: that alone starts some devices
  refuse(await (flags & noFollow ? lstat : stat)(path));
  const handle = await open(path, openFlags | flags);
  try {
    const found = await handle.stat();
    refuse(found);
    // A byte more than its size now, so that a file that changes meanwhile is noticed
    const bytes = Buffer.alloc(found.size + 1);
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0);
    if (bytesRead !== found.size) throw new FileRefusal('changing', 'it is being changed');
    return bytes.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

/**
 * As `readRegularFile`, in one go; an empty file is read, and a link that leads nowhere is refused as such.
 * @throws FileRefusal, and what the file system throws
 */
export function readRegularFileSync(path: string, maxBytes = maxInternalFileBytes): string {
  try {
    refuseOther(statSync(path), maxBytes);
    const opened = openSync(path, openFlags);
    try {
      refuseOther(fstatSync(opened), maxBytes);
      return readFileSync(opened, 'utf8');
    } finally {
      closeSync(opened);
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT' && lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink())
      throw new FileRefusal('not-regular', 'it is a symbolic link that leads nowhere');
    throw error;
  }
}

/**
 * Reads what a user names on a command line, to its end: that may be a pipe.
 * @throws FileRefusal when it does not end within the limit
 */
export function readStream(file: string | number, maxBytes = maxInternalFileBytes): Buffer {
  const opened = typeof file === 'number' ? file : openSync(file, constants.O_RDONLY);
  try {
    const chunks: Buffer[] = [];
    for (let length = 0; length <= maxBytes; ) {
      const chunk = Buffer.alloc(64 * 1024);
      const bytesRead = readSync(opened, chunk);
      if (bytesRead === 0) return Buffer.concat(chunks);
      chunks.push(chunk.subarray(0, bytesRead));
      length += bytesRead;
    }
    throw tooLarge(maxBytes);
  } finally {
    if (typeof file !== 'number') closeSync(opened);
  }
}

/**
 * The text of a regular file; `undefined` when there is none that can be read.
 * @throws what the file system throws when it gives no answer
 */
export async function tryReadRegularFile(path: string, flags = 0): Promise<string | undefined> {
  try {
    return await readRegularFile(path, maxInternalFileBytes, flags);
  } catch (error) {
    if (classifyIoError(error) !== undefined) throw error;
    return error instanceof FileRefusal && error.reason === 'empty' ? '' : undefined;
  }
}

/** @param what the file as the beginning of a sentence */
export function cannotBeRead(what: string, cause: unknown): SetupError {
  const isAbsent = codeOf(cause) === 'ENOENT';
  const why = isAbsent ? 'there is no such file' : faultOfFile(cause);
  return new SetupError(`${what} cannot be read${why === undefined ? '' : `: ${why}`}.`, { cause });
}

/** Why a file cannot be read or written, for the end of a sentence; `undefined` where there is nothing to add. */
export function faultOfFile(error: unknown): string | undefined {
  if (error instanceof FileRefusal) return error.message;
  return faults[codeOf(error)];
}

const faults: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EDQUOT: 'the quota of the user is used up',
  EBUSY: 'it is a mount point, whose place nothing can take',
  EISDIR: 'it is a directory and no regular file',
  ELOOP: 'its symbolic links lead in a circle',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'a part of its path is no directory',
  EROFS: 'its file system is read-only for this program',
};

/** What stands at a path, in words. */
export function kindOf(found: Stats): string {
  if (found.isFile()) return 'a regular file';
  if (found.isDirectory()) return 'a directory';
  if (found.isSymbolicLink()) return 'a symbolic link';
  if (found.isFIFO()) return 'a FIFO';
  if (found.isSocket()) return 'a socket';
  return 'a device';
}

function refuseOther(found: Stats, maxBytes: number): void {
  if (!found.isFile())
    throw new FileRefusal('not-regular', `it is ${kindOf(found)} and no regular file`);
  if (found.size > maxBytes) throw tooLarge(maxBytes);
}

function tooLarge(maxBytes: number): FileRefusal {
  return new FileRefusal('too-large', `it is larger than ${maxBytes} bytes`);
}
