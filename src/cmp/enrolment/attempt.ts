import { EnrolmentFault, type Layer } from '../enrolment-fault.ts';
import type { EnrolmentJournal } from '../journal.ts';
import { plainText } from '../messages/status.ts';
import { retryPause } from '../schedule.ts';
import type { Transaction } from '../transaction/transaction.ts';
import { begin, type Order, withoutTransaction } from './begin.ts';
import { type Context, secondsOf } from './context.ts';
import { exchange, KeyLost, storedOf } from './exchange.ts';
import { install, isHopeless } from './install.ts';

/** What came of an attempt: a certificate in service, or a time to ask the CA again. */
export type Outcome = { readonly isInstalled: true } | { readonly until: number };

/**
 * Goes on where the journal stands, up to the certificate in service.
 * @throws EnrolmentFault after the journal says so, too
 */
export async function attempt(context: Context, order: Order = {}): Promise<Outcome> {
  let mayBeginAnew = true;
  for (;;) {
    const before = context.journal.value.outgoing?.sends ?? 0;
    try {
      const outcome = await step(context, order);
      if (outcome) return outcome;
    } catch (error) {
      if (!(error instanceof EnrolmentFault)) throw error;
      // A CA that has seen a message before may know nothing of it any more, or nothing of doing it twice
      const isStale = (before > 0 && error.layer === 'ca') || error instanceof KeyLost;
      if (isStale && mayBeginAnew) {
        mayBeginAnew = false;
        context.log.info('transaction of enrolment begins anew', {
          certificate: context.policy.name,
          reason: error.message,
        });
        await context.journal.change(withoutTransaction);
        continue;
      }
      await recordFailure(context, error);
      throw error;
    }
  }
}

async function step(context: Context, order: Order): Promise<Outcome | undefined> {
  const transaction = storedOf(context);
  if (!transaction) {
    await begin(context, order);
    return undefined;
  }
  if (transaction.phase === 'confirmed') {
    await install(context, transaction);
    await recordSuccess(context, transaction);
    return { isInstalled: true };
  }
  const until = context.journal.value.outgoing?.notBefore ?? 0;
  if (until > context.now()) return { until };
  await exchange(context, transaction);
  return undefined;
}

async function recordSuccess({ journal, now }: Context, { operation }: Transaction): Promise<void> {
  await journal.change(({ lastRequest }) => ({
    failures: 0,
    ...(lastRequest && {
      lastRequest: {
        ...lastRequest,
        operation,
        replied: secondsOf({ now }),
        status: 'processed' as const,
        info: '',
      },
    }),
  }));
}

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

async function recordFailure(context: Context, fault: EnrolmentFault): Promise<void> {
  const { journal, policy, device, now, random, log } = context;
  const key = journal.value.requestId;
  const { lets, discards } = consequencesOf(fault, journal.value);
  const secondsLeft = secondsUntilEnd(context);
  await journal.change((before) => {
    const failures = before.failures + 1;
    const isOperators =
      fault.layer === 'configuration' ||
      fault.failInfo.some((name) => credentialFailures.includes(name));
    const isStuck = isOperators && failures >= attemptsUntilStuck;
    const pause = retryPause(failures, secondsLeft, isStuck, random(1).readUInt8() / 255);
    const kept = lets ? withoutTransaction(before) : before;
    const { requestId: _, ...withoutKey } = kept;
    return {
      ...(discards ? withoutKey : kept),
      ...(!lets && isNoAnswer(fault.layer) && { unanswered: (before.unanswered ?? 0) + 1 }),
      failures,
      isStuck,
      nextAttempt: Math.round(now() + pause * 1000),
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
