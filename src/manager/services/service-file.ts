import { dirname } from 'node:path';
import { removeSynced, writeFileAtomic } from '../../storage/atomic-file.ts';
import { makeDirectory } from '../../storage/directory.ts';
import { applyFileMode, readableByGroup } from '../../storage/file-mode.ts';
import { exists } from '../../storage/io-errors.ts';
import { noFollow, tryReadRegularFile } from '../../storage/regular-file.ts';

/** Where a service reads its key with the certificate and the chain, or CAs. */
export interface ServiceFile {
  readonly path: string;
  /** Id of the group that may read the file. */
  readonly group?: number;
}

/** @returns `undefined` where nothing that the manager wrote can be. @throws when the disk does not tell */
export function readServiceFile({ path }: ServiceFile): Promise<string | undefined> {
  return tryReadRegularFile(path, noFollow);
}

/** @param text `undefined` to have no file */
export async function writeServiceFile(
  { path, group }: ServiceFile,
  text: string | undefined,
): Promise<void> {
  const access = readableByGroup(group);
  if (text !== undefined) {
    await makeDirectory(dirname(path), access);
    await writeFileAtomic(path, text, access);
  } else if (await exists(dirname(path))) await removeSynced(path);
}

/** For a group that is another one since the file was written. */
export function keepServiceFileMode({ path, group }: ServiceFile): Promise<void> {
  return applyFileMode(path, readableByGroup(group));
}
