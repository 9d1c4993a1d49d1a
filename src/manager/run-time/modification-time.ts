import { lstatSync } from 'node:fs';

/** Times of files keep microseconds, wherever they are copied. */
const precision = 1000n;

/**
 * When the file of an endpoint, or the link to its authorities, was written, in nanoseconds since 1970; 0 where there is
 * none.
 */
export function modificationTime(path: string): bigint {
  const nanoseconds = lstatSync(path, { bigint: true, throwIfNoEntry: false })?.mtimeNs ?? 0n;
  return nanoseconds - (nanoseconds % precision);
}
