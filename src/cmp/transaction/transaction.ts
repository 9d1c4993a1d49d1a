/**
 * A transaction of CMP as data: what a client of it must remember from message to message (RFC 9810 §5.1.1). It is
 * kept on the disk, so that the death of the process ends none.
 */

export type Operation = 'ir' | 'cr' | 'kur';

/** What the messages of a transaction have in common. */
export interface Exchange {
  readonly operation: Operation;
  readonly transactionId: Buffer;
  /** Of the message that is sent next, or was sent last. */
  readonly ourNonce: Buffer;
  /** Of the message after which the CA let us wait: its last answer may name that one. */
  readonly waitNonce?: Buffer | undefined;
  readonly peerNonce?: Buffer | undefined;
  /** All nonces of the CA, to know an answer again that was sent before. */
  readonly seenNonces: readonly Buffer[];
  /** GeneralName. */
  readonly recipient: Buffer;
}

export interface Issued {
  /** As it was received. */
  readonly certificate: Buffer;
  /** What came along and may lead to a root. */
  readonly helpers: readonly Buffer[];
  readonly status: string;
}

export type Transaction = Exchange &
  (
    | { readonly phase: 'requesting' }
    | {
        readonly phase: 'polling';
        readonly certReqId: number;
        readonly checkAfter: number;
        /** With a certificate it is the confirmation that is waited for. */
        readonly issued?: Confirmation | undefined;
      }
    | ({ readonly phase: 'confirming' } & Confirmation)
    | ({ readonly phase: 'confirmed' } & Issued)
  );

/** A transaction in which we say something next. */
export type OpenTransaction = Exclude<Transaction, { readonly phase: 'confirmed' }>;

/** One whose request was answered. */
export type AnsweredTransaction = Exclude<Transaction, { readonly phase: 'requesting' }>;

export type FollowingTransaction = OpenTransaction & AnsweredTransaction;

export interface Confirmation extends Issued {
  /** Why the certificate is refused; absent when it is taken. */
  readonly fault?: string | undefined;
}

export type Random = (bytes: number) => Buffer;

const nonceBytes = 16;

export function openTransaction(
  operation: Operation,
  recipient: Buffer,
  random: Random,
): OpenTransaction {
  return {
    phase: 'requesting',
    operation,
    transactionId: random(nonceBytes),
    ourNonce: random(nonceBytes),
    seenNonces: [],
    recipient,
  };
}

export function freshNonce(random: Random): Buffer {
  return random(nonceBytes);
}
