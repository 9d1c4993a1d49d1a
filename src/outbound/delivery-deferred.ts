/** An event could not be sent yet, for want of something that is not its receiver's. */
export class DeliveryDeferred extends Error {
  override readonly name = 'NotSentYet';
}
