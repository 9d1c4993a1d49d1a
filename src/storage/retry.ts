/** What a disk does not do once it may do the next time; for what must not be left, or judged, after one failure. */
export async function withRetries<T>(work: () => Promise<T>): Promise<T> {
  return work().catch(work).catch(work);
}
