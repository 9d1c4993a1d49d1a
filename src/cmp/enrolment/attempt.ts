import { EnrolmentFault } from '../enrolment-fault.ts';
import type { Transaction } from '../transaction/transaction.ts';
import { begin, type Order, withoutTransaction } from './begin.ts';
import { type Context, secondsOf } from './context.ts';
import { exchange, KeyLost, storedOf } from './exchange.ts';
import { recordFailure } from './failure.ts';
import { install } from './install.ts';

/** What came of an attempt: a certificate in service, or a time to ask the CA again. */
export type Outcome = { readonly isInstalled: true } | { readonly until: number };

/**
 * Goes on where the journal stands, up to the certificate in service.
 * @throws EnrolmentFault after the journal says so, too
 */
export async function attempt(context: Context, order: Order = {}): Promise<Outcome> {
  let mayBeginAnew = true;
  let wanted = order;
  for (;;) {
    const before = context.journal.value.outgoing?.sends ?? 0;
    try {
      const outcome = await step(context, wanted);
      if (outcome) return outcome;
    } catch (error) {
      if (!(error instanceof EnrolmentFault)) throw error;
      // A CA that has seen a message before may know nothing of it any more, or nothing of doing it twice
      const isStale = (before > 0 && error.layer === 'ca') || error instanceof KeyLost;
      if (isStale && mayBeginAnew) {
        mayBeginAnew = false;
        wanted = orderOf(context, order);
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

/** A first certificate that an operator asked for stays one. What a renewal must be depends on the day. */
function orderOf({ journal }: Context, order: Order): Order {
  const { operation, reference } = journal.value.transaction ?? {};
  return operation === 'ir' ? { operation, reference } : order;
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
  await journal.change(({ lastRequest, basis }) => ({
    failures: 0,
    ...(basis !== undefined && { basis }),
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
