/** The bytes of a client are not framed as RFC 6242 says: where its next message begins is not known. */
export class FramingError extends Error {
  override readonly name = 'FramingError';
}

/** Takes messages out of a stream of bytes that comes in pieces of any size. */
export interface Framing {
  /**
   * Takes bytes, up to the end of the first message at most.
   * @returns that message, if its end was there, and the bytes behind it
   * @throws FramingError
   */
  take(bytes: Buffer): { readonly message?: Buffer; readonly rest: Buffer };
}
