/** How often a file is tried that the disk cannot read, before it is taken for damaged. */
export const readAttempts = 3;

/** What a disk does not do once it may do the next time; for what must not be left, or judged, after one failure. */
export async function withRetries<T>(work: () => Promise<T>): Promise<T> {
  return work().catch(work).catch(work);
}
