import { EnrolmentFault, type Layer } from '../enrolment-fault.ts';
import type { CertRepMessage, StatusInfo } from '../messages/body.ts';
import type { PkiHeader, ReceivedMessage } from '../messages/pki-message.ts';
import { failuresOf, statusName, statusText } from '../messages/status.ts';
import {
  type AnsweredTransaction,
  type Confirmation,
  type Exchange,
  freshNonce,
  type OpenTransaction,
  type Random,
} from './transaction.ts';

export interface Reception {
  /** Whether the protection of the message is the CA's. */
  readonly isProtected: boolean;
  readonly random: Random;
  /** Why an issued certificate is refused, `undefined` when it is taken. */
  judge(certificate: Buffer, helpers: readonly Buffer[]): string | undefined;
}

/**
 * What becomes of a transaction by an answer. It has no clock, no key and no connection.
 * @throws EnrolmentFault `header` or `body` for what is no answer to our last message, `ca` for a refusal, and
 *   `certificate` when the CA took notice of our own refusal
 */
export function receive(
  transaction: OpenTransaction,
  message: ReceivedMessage,
  reception: Reception,
): AnsweredTransaction {
  const { header, body } = message;
  const { isProtected } = reception;
  if (isProtected) checkHeader(transaction, message);
  else if (header.transactionId && !header.transactionId.equals(transaction.transactionId))
    throw new EnrolmentFault('header', 'the answer belongs to another transaction');
  const next = exchangeAfter(transaction, header, reception.random);
  switch (body.kind) {
    case 'ip':
    case 'cp':
    case 'kup':
      if (awaitsCertificate(transaction) && body.kind === answerOf[transaction.operation])
        return certificateAnswer(transaction, next, message, body.value, reception);
      break;
    case 'pollRep': {
      const [entry, ...others] = body.value;
      if (transaction.phase !== 'polling' || !isProtected || !entry || others.length > 0) break;
      return waiting(next, transaction, entry.certReqId, entry.checkAfter, transaction.issued);
    }
    case 'error': {
      const { pkiStatusInfo, errorDetails = [] } = body.value;
      const status = statusName(pkiStatusInfo);
      // RFC 9810 §5.3.22: any answer may be delayed so
      if (status === 'waiting' && isProtected) {
        return waiting(next, transaction, -1, 0, confirmationOf(transaction));
      }
      const confirmation = confirmationOf(transaction);
      // The answer to an earlier certConf was lost
      if (confirmation && isProtected && failuresOf(pkiStatusInfo).includes('certConfirmed'))
        return confirmed(next, confirmation);
      const refused = [pkiStatusInfo.statusString ?? [], errorDetails].flat();
      throw refusal({ ...pkiStatusInfo, statusString: refused }, isProtected);
    }
    case 'pkiconf': {
      const confirmation = confirmationOf(transaction);
      if (confirmation) return confirmed(next, confirmation);
      break;
    }
  }
  throw new EnrolmentFault(
    'body',
    `the answer is ${body.kind}, which answers nothing while ${transaction.phase}`,
    { isUnauthenticated: !isProtected },
  );
}

const answerOf = { ir: 'ip', cr: 'cp', kur: 'kup' } as const;

function awaitsCertificate(transaction: OpenTransaction): boolean {
  return (
    transaction.phase === 'requesting' || (transaction.phase === 'polling' && !transaction.issued)
  );
}

function confirmationOf(transaction: OpenTransaction): Confirmation | undefined {
  if (transaction.phase === 'confirming') return transaction;
  return transaction.phase === 'polling' ? transaction.issued : undefined;
}

/** RFC 9810 §5.1.1 */
function checkHeader(transaction: OpenTransaction, { header, body }: ReceivedMessage): void {
  const refuse = (reason: string) => new EnrolmentFault('header', reason);
  if (header.pvno !== 2 && header.pvno !== 3)
    throw refuse(`the answer has the version ${header.pvno} of CMP`);
  if (!header.transactionId?.equals(transaction.transactionId))
    throw refuse('the answer belongs to another transaction');
  const { recipNonce, senderNonce } = header;
  const isFinal = body.kind !== 'pollRep';
  const expected = [transaction.ourNonce, ...(isFinal ? [transaction.waitNonce] : [])];
  if (!expected.some((one) => one !== undefined && recipNonce?.equals(one)))
    throw refuse('the answer is to another message: its recipNonce is not what was sent');
  if (!senderNonce || senderNonce.length < 16)
    throw refuse('the answer has no senderNonce of 16 bytes');
  if (transaction.seenNonces.some((one) => one.equals(senderNonce)))
    throw refuse('the answer was received before: its senderNonce is known');
}

function exchangeAfter(
  { operation, transactionId, waitNonce, peerNonce, seenNonces }: OpenTransaction,
  { senderNonce, sender }: PkiHeader,
  random: Random,
): Exchange {
  const seen = senderNonce ? [...seenNonces, senderNonce].slice(-maxSeen) : seenNonces;
  return {
    ...{ operation, transactionId, waitNonce, recipient: sender },
    ourNonce: freshNonce(random),
    peerNonce: senderNonce ?? peerNonce,
    seenNonces: seen,
  };
}

/** A wait of a week with a question each minute, and more. */
const maxSeen = 20_000;

function waiting(
  next: Exchange,
  before: OpenTransaction,
  certReqId: number,
  checkAfter: number,
  issued: Confirmation | undefined,
): AnsweredTransaction {
  const waitNonce = before.phase === 'polling' ? before.waitNonce : before.ourNonce;
  const seconds = Math.min(Math.max(checkAfter, 1), maxWait);
  return { ...next, phase: 'polling', certReqId, checkAfter: seconds, waitNonce, issued };
}

/** In seconds: no CA is waited for longer without a question. */
const maxWait = 7 * 86_400;

function certificateAnswer(
  transaction: OpenTransaction,
  next: Exchange,
  { extraCerts = [], header }: ReceivedMessage,
  { response, caPubs = [] }: CertRepMessage,
  { judge, isProtected }: Reception,
): AnsweredTransaction {
  const [one, ...others] = response;
  const refuse = (reason: string, layer: Layer = 'body') => new EnrolmentFault(layer, reason);
  if (!one || others.length > 0) throw refuse('the answer does not have exactly one response');
  // Some CAs have other numbers for the one request that there is
  if (one.certReqId !== 0 && one.certReqId !== -1)
    throw refuse(`the answer is to the request ${one.certReqId}, which was not made`);
  const status = statusName(one.status);
  const certified = one.certifiedKeyPair?.certOrEncCert;
  // Nothing is taken from an answer without a valid protection
  if (!isProtected && status !== 'rejection')
    throw refuse('the answer is not negative, and has no protection', 'protection');
  if (status === 'waiting') return waiting(next, transaction, one.certReqId, 0, undefined);
  if (status !== 'accepted' && status !== 'grantedWithMods') throw refusal(one.status, isProtected);
  if (certified?.kind !== 'certificate')
    throw refuse('the answer is positive, but has no certificate');
  const certificate = certified.value;
  const helpers = [...extraCerts, ...caPubs];
  const fault = judge(certificate, helpers);
  const issued = { certificate, helpers, status };
  const isImplicit = hasImplicitConfirm(header);
  if (isImplicit && fault === undefined) return confirmed(next, issued);
  return { ...next, phase: 'confirming', ...issued, fault };
}

const implicitConfirmId = '1.3.6.1.5.5.7.4.13';
const confirmWaitTimeId = '1.3.6.1.5.5.7.4.14';

/** Both of them contradict each other; then it is confirmed all the same. */
function hasImplicitConfirm({ generalInfo = [] }: PkiHeader): boolean {
  const types = generalInfo.map(({ type }) => type);
  return types.includes(implicitConfirmId) && !types.includes(confirmWaitTimeId);
}

function confirmed(next: Exchange, confirmation: Confirmation): AnsweredTransaction {
  const { certificate, helpers, status, fault } = confirmation;
  if (fault !== undefined) throw new EnrolmentFault('certificate', fault);
  return { ...next, phase: 'confirmed', certificate, helpers, status };
}

function refusal(info: StatusInfo, isProtected: boolean): EnrolmentFault {
  const unsure = isProtected ? '' : ' (the answer has no protection)';
  return new EnrolmentFault('ca', `the CA answered: ${statusText(info)}${unsure}`, {
    failInfo: failuresOf(info),
    isUnauthenticated: !isProtected,
  });
}
