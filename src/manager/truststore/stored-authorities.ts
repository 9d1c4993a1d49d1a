import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { classifyIoError } from '../../storage/io-errors.ts';
import type { ContentLimits } from '../../x509/limits.ts';
import { readCertificates } from '../upgrade/upstream-authorities.ts';
import type { Authority } from './authority-layout.ts';

/** What stood in the directory at start. */
export interface LoadedAuthorities {
  readonly authorities: readonly Authority[];
  /** Files of the manager that hold no readable certificate. */
  readonly unreadable: readonly string[];
}

export const nothing: LoadedAuthorities = { authorities: [], unreadable: [] };

export async function readGeneration(
  directory: string,
  limits: ContentLimits,
  treatUnreadableAsLost = false,
): Promise<LoadedAuthorities> {
  const authorities: Authority[] = [];
  const unreadable: string[] = [];
  for (const name of await readdir(directory)) {
    const id = /^(\d+)\.pem$/.exec(name)?.[1];
    if (id === undefined) continue;
    const path = join(directory, name);
    const [certificate] = await readCertificates(path, limits).catch((error: unknown) => {
      if (treatUnreadableAsLost && classifyIoError(error) === 'failing') return [];
      throw error;
    });
    if (certificate) authorities.push({ id: Number(id), certificate });
    else unreadable.push(path);
  }
  return { authorities: authorities.sort((a, b) => a.id - b.id), unreadable };
}
