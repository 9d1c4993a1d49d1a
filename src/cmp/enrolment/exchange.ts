import { Asn1Error } from '../../x509/asn1/element.ts';
import type { PendingKey } from '../device.ts';
import { EnrolmentFault } from '../enrolment-fault.ts';
import { certificateFault, type Wanted } from '../issued-certificate.ts';
import { readTransaction, storedTransaction } from '../journal.ts';
import { decodeMessage, type ReceivedMessage } from '../messages/pki-message.ts';
import { checkAnswer } from '../protection/check-answer.ts';
import { readPassword } from '../protection/passwords.ts';
import { protectMessage } from '../protection/protect.ts';
import { parseNames, parseSubject } from '../subject.ts';
import { draftOf, followUp } from '../transaction/draft.ts';
import { receive } from '../transaction/receive.ts';
import type {
  AnsweredTransaction,
  FollowingTransaction,
  OpenTransaction,
  Transaction,
} from '../transaction/transaction.ts';
import { anchorsOf, makeProtection, ownCertificate } from './begin.ts';
import { type Context, onDevice, secondsOf } from './context.ts';

/**
 * Sends what the journal has to send, and writes what came of it into the journal.
 * @throws EnrolmentFault
 */
export async function exchange(context: Context, transaction: OpenTransaction): Promise<void> {
  const { profile, journal, send } = context;
  const stored = await journal.change((before) => {
    const { outgoing } = before;
    return outgoing ? { ...before, outgoing: { ...outgoing, sends: outgoing.sends + 1 } } : before;
  });
  const reference = stored.transaction?.reference ?? '';
  // The bytes may have been written by a process that died since
  const message = Buffer.from(stored.outgoing?.message ?? '', 'base64');
  const answer = await send(profile, message);
  const next = await readAnswer(context, transaction, reference, answer);
  await record(context, next, reference);
}

async function readAnswer(
  context: Context,
  transaction: OpenTransaction,
  reference: string,
  answer: Buffer,
): Promise<AnsweredTransaction> {
  const { profile, random } = context;
  const wanted = await wantedOf(context);
  const secret =
    reference === '' ? undefined : { reference, value: readPassword(profile, reference) };
  const { anchors, content, now } = wanted;
  const { maxIterations, acceptUnprotected } = profile;
  const rules = { secret, anchors, content, now, maxIterations, acceptUnprotected };
  try {
    const message: ReceivedMessage = decodeMessage(answer);
    const isProtected = await checkAnswer(message, rules);
    return receive(transaction, message, {
      isProtected,
      random,
      judge: (certificate, helpers) => certificateFault(certificate, helpers, wanted),
    });
  } catch (error) {
    if (!(error instanceof Asn1Error)) throw error;
    const reason = `the answer is no message of CMP in DER: ${error.message}`;
    throw new EnrolmentFault('encoding', reason, { cause: error });
  }
}

/** What the certificate must be like, by what the device is now. */
export async function wantedOf(context: Context): Promise<Wanted> {
  const { policy, facts, content } = context;
  return {
    subject: parseSubject(policy.subject, facts),
    names: parseNames(policy.names, facts),
    publicKey: (await requestedKey(context)).publicKey,
    use: policy.use,
    ignoreKeyUsage: policy.ignoreKeyUsage,
    current: (await ownCertificate(context))?.certificate,
    anchors: await anchorsOf(context),
    content,
    now: secondsOf(context),
  };
}

async function requestedKey({ device, policy, journal }: Context): Promise<PendingKey> {
  const { requestId = '' } = journal.value;
  const key = await onDevice('the key of the request cannot be read', () =>
    device.pending(policy.endpoint, requestId),
  );
  if (!key) throw new KeyLost('the manager has no more the key of the request');
  return key;
}

/** The transaction can come to no good end. */
export class KeyLost extends EnrolmentFault {
  constructor(message: string) {
    super('device', message);
  }
}

/** Writes a transaction together with the message that it sends next: both, or none of them, survive. */
async function record(
  context: Context,
  next: AnsweredTransaction,
  reference: string,
): Promise<void> {
  const { journal, now } = context;
  const outgoing =
    next.phase === 'confirmed' ? undefined : await nextMessage(context, next, reference);
  await journal.change(({ outgoing: _, unanswered: __, ...before }) => ({
    ...before,
    transaction: storedTransaction(next, reference),
    ...(outgoing && { outgoing }),
    ...(before.lastRequest && {
      lastRequest: {
        ...before.lastRequest,
        replied: secondsOf({ now }),
        status: next.phase === 'polling' ? ('polling' as const) : ('in-progress' as const),
        response: next.phase === 'polling' ? 'waiting' : next.status,
        isProtected: true,
      },
    }),
  }));
}

async function nextMessage(context: Context, next: FollowingTransaction, reference: string) {
  const { policy, facts, journal, now } = context;
  const { protector, sender } = makeProtection(context, {
    reference,
    salt: Buffer.from(journal.value.salt ?? '', 'base64'),
    inService: await ownCertificate(context),
    subject: parseSubject(policy.subject, facts),
  });
  const { header, body } = draftOf(next, followUp(next), sender, new Date(now()));
  const message = (await protectMessage(header, body, protector)).toString('base64');
  const pause = next.phase === 'polling' ? next.checkAfter * 1000 : 0;
  return { message, sends: 0, ...(pause > 0 && { notBefore: now() + pause }) };
}

export function storedOf({ journal }: Context): Transaction | undefined {
  const { transaction } = journal.value;
  return transaction && readTransaction(transaction);
}
