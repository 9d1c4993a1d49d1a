import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { unanswered } from './disk-answer.ts';

/** Why a file is not read. */
export class FileRefusal extends Error {
  override readonly name = 'FileRefusal';
  readonly reason: 'not-regular' | 'foreign' | 'empty' | 'too-large' | 'changing';

  constructor(reason: FileRefusal['reason']) {
    super(`the file is refused: ${reason}`);
    this.reason = reason;
  }
}

/** In bytes; far above everything that the manager writes itself. */
export const ample = 64 * 1024 * 1024;

/** Flags for a name that a link must not lead elsewhere. */
export const noFollow = constants.O_NOFOLLOW;

/**
 * Reads a regular file as text. A FIFO, a device or a file without end in its place is refused at once.
 * @param mostBytes the largest file that is read
 * @param owner the user whose file it must be; without it whose it is does not matter
 * @throws FileRefusal, and what the file system throws
 */
export async function readRegularFile(
  path: string,
  mostBytes = ample,
  flags = 0,
  owner?: number,
): Promise<string> {
  return (await readRegularBytes(path, mostBytes, flags, owner)).toString('utf8');
}

/** As `readRegularFile`, for a file whose bytes may be no text. */
export async function readRegularBytes(
  path: string,
  mostBytes = ample,
  flags = 0,
  owner?: number,
): Promise<Buffer> {
  // Without O_NONBLOCK a FIFO in place of the file would hold up the program for ever
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | flags);
  try {
    return await readWhole(handle, mostBytes, owner);
  } finally {
    await handle.close();
  }
}

/**
 * The text of a regular file; `undefined` when there is none that can be read.
 * @throws what the file system throws when it gives no answer
 */
export async function tryReadRegularFile(path: string, flags = 0): Promise<string | undefined> {
  try {
    return await readRegularFile(path, ample, flags);
  } catch (error) {
    if (unanswered(error) !== undefined) throw error;
    return error instanceof FileRefusal && error.reason === 'empty' ? '' : undefined;
  }
}

async function readWhole(
  handle: FileHandle,
  mostBytes: number,
  owner: number | undefined,
): Promise<Buffer> {
  const stat = await handle.stat();
  if (!stat.isFile()) throw new FileRefusal('not-regular');
  if (owner !== undefined && stat.uid !== owner) throw new FileRefusal('foreign');
  if (stat.size === 0) throw new FileRefusal('empty');
  if (stat.size > mostBytes) throw new FileRefusal('too-large');
  // One byte more than its size now, so that a file that changes meanwhile is noticed
  const bytes = Buffer.alloc(stat.size + 1);
  const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0);
  if (bytesRead !== stat.size) throw new FileRefusal('changing');
  return bytes.subarray(0, bytesRead);
}
