/** A program cannot start as it is set up; the message is one sentence for the operator. */
export class SetupError extends Error {
  override readonly name = 'SetupError';
}
