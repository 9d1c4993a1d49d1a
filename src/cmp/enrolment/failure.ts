import type { EnrolmentFault, Layer } from '../enrolment-fault.ts';
import type { EnrolmentJournal } from '../journal.ts';
import { plainText } from '../messages/status.ts';
import { renewalTime, retryPause } from '../schedule.ts';
import { ownCertificate, withoutTransaction } from './begin.ts';
import { type Context, secondsOf } from './context.ts';
import { isHopeless } from './install.ts';

/** Answers that only an operator, here or at the CA, can change. */
const credentialFailures = [
  'badMessageCheck',
  'wrongIntegrity',
  'signerNotTrusted',
  'notAuthorized',
  'certRevoked',
  'badPOP',
  'badRequest',
  'badCertId',
  'badDataFormat',
  'wrongAuthority',
  'incorrectData',
  'unacceptedPolicy',
  'unacceptedExtension',
  'badCertTemplate',
  'unsupportedVersion',
  'badAlg',
];

const attemptsUntilStuck = 3;
/** Answers in a row that belong to none of our messages, before the transaction is given up. */
const maxUnanswered = 2;

/** Writes into the journal why an attempt failed, and when the next one is due; gives up what can come to no good end. */
export async function recordFailure(context: Context, fault: EnrolmentFault): Promise<void> {
  const { journal, policy, device, now, random, log } = context;
  const key = journal.value.requestId;
  const { lets, discards } = consequencesOf(fault, journal.value);
  const secondsLeft = secondsUntilEnd(context);
  // What an operator asked for before its time, and failed, is not tried again
  const isOver = (lets || journal.value.transaction === undefined) && !(await isDue(context));
  await journal.change((before) => {
    const failures = before.failures + 1;
    const isOperators =
      fault.layer === 'configuration' ||
      fault.failInfo.some((name) => credentialFailures.includes(name));
    const isStuck = isOperators && failures >= attemptsUntilStuck;
    const pause = retryPause(failures, secondsLeft, isStuck, random(1).readUInt8() / 255);
    const kept = lets ? withoutTransaction(before) : before;
    const { requestId: _, ...withoutKey } = kept;
    const { nextAttempt: __, isStuck: ___, ...rest } = discards ? withoutKey : kept;
    return {
      ...rest,
      ...(!lets && isNoAnswer(fault.layer) && { unanswered: (before.unanswered ?? 0) + 1 }),
      ...(isOver
        ? { failures: 0 }
        : { failures, isStuck, nextAttempt: Math.round(now() + pause * 1000) }),
      ...(before.lastRequest && {
        lastRequest: {
          ...before.lastRequest,
          status: 'failed' as const,
          layer: fault.layer,
          info: plainText(fault.message),
          ...(fault.layer === 'ca' && {
            response: 'rejected',
            isProtected: !fault.isUnauthenticated,
          }),
        },
      }),
    };
  });
  if (discards && key !== undefined)
    // A key that is left over goes when it is too old
    await device.discard(policy.endpoint, key).catch(() => undefined);
  log.warn('enrolment failed', {
    certificate: policy.name,
    layer: fault.layer,
    reason: plainText(fault.message),
    failures: journal.value.failures,
  });
}

/** Whether the agent asks the CA without being told to: a certificate is missing, or to be renewed. */
async function isDue(context: Context): Promise<boolean> {
  const inService = await ownCertificate(context).catch(() => undefined);
  if (!inService) return true;
  return renewalTime(inService.certificate, context.policy.renewBefore) <= secondsOf(context);
}

function isNoAnswer(layer: Layer): boolean {
  return ['encoding', 'header', 'protection', 'body'].includes(layer);
}

/** @returns whether the transaction is let go, and with it the key */
function consequencesOf(
  fault: EnrolmentFault,
  { unanswered = 0 }: EnrolmentJournal,
): { readonly lets: boolean; readonly discards: boolean } {
  if (fault.layer === 'ca') return { lets: true, discards: false };
  if (fault.layer === 'certificate') return { lets: true, discards: true };
  if (fault.layer === 'device') return { lets: isHopeless(fault), discards: isHopeless(fault) };
  if (isNoAnswer(fault.layer)) return { lets: unanswered + 1 >= maxUnanswered, discards: false };
  return { lets: false, discards: false };
}

function secondsUntilEnd(context: Context): number {
  const { device, policy } = context;
  try {
    const notAfter = device.inService(policy.endpoint)?.certificate.notAfter;
    return notAfter === undefined ? Number.POSITIVE_INFINITY : notAfter - secondsOf(context);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
