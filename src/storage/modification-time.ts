import { lstatSync } from 'node:fs';
import { utimes } from 'node:fs/promises';

/** Node sets times of files to the microsecond. */
const nanosecondsOfMicrosecond = 1000n;

/** When a file, or a link, was written, in nanoseconds since 1970 to the microsecond; 0 where there is none. */
export function modificationTime(path: string): bigint {
  const { mtimeNs = 0n } = lstatSync(path, { bigint: true, throwIfNoEntry: false }) ?? {};
  return mtimeNs - (mtimeNs % nanosecondsOfMicrosecond);
}

/** Gives a file the time that `modificationTime` told of another. What the disk does not let be stays as it is. */
export async function setModificationTime(path: string, nanoseconds: bigint): Promise<void> {
  if (nanoseconds === 0n) return;
  // Half a microsecond more: libuv takes seconds as a floating-point number, and cuts off what is behind the microsecond
  const seconds = (Number(nanoseconds / nanosecondsOfMicrosecond) + 0.5) / 1e6;
  await utimes(path, seconds, seconds).catch(() => undefined);
}
