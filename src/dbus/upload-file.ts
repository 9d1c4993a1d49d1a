import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Hands a certificate, perhaps with its key, to a method that wants the path of a file. The file is
 * 0600 in a directory that only this process's user can enter, and is gone when the call is over.
 */
export async function withUploadFile<T>(
  directory: string,
  pem: string,
  use: (path: string) => Promise<T>,
): Promise<T> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, `${randomBytes(16).toString('hex')}.pem`);
  try {
    await writeFile(path, pem, { mode: 0o600, flag: 'wx' });
    return await use(path);
  } finally {
    await rm(path, { force: true });
  }
}

/** Removes what an earlier process left when it was killed in the middle of a call. */
export async function clearUploads(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
}
