/** An event could not be sent yet, for want of something that is not its receiver's. */
export class NotSentYet extends Error {
  override readonly name = 'NotSentYet';
}
