import { stat } from 'node:fs/promises';

/** Whether something is at a path. @throws when the disk does not tell, which is no answer */
export async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error))) return false;
    throw error;
  }
}

/**
 * Whether the system gave no answer, so that nothing is known of the file: the program has too many
 * descriptors (`busy`), or the disk failed (`failing`), now or for ever.
 */
export function classifyIoError(error: unknown): 'busy' | 'failing' | undefined {
  const code = codeOf(error);
  if (['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'EINTR'].includes(code)) return 'busy';
  return ['EIO', 'ESTALE', 'ETIMEDOUT', 'EUCLEAN'].includes(code) ? 'failing' : undefined;
}

/** Whether a code of the system says that there is no room on the disk, or none for this user. */
export function isDiskFull(code: string): boolean {
  return ['ENOSPC', 'EDQUOT'].includes(code);
}

export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
