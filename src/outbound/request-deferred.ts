/** A request could not be made yet, for want of something that is not the server's. */
export class RequestDeferred extends Error {
  override readonly name = 'RequestDeferred';
}
