import { createHash } from 'node:crypto';
import { withoutTransaction } from './begin.ts';
import type { Context } from './context.ts';

/**
 * Gives up what is under way, with its key, when another certificate is wanted by now, or another CA is asked: the answer
 * would be refused. What failed before may go well now.
 */
export async function followPolicy({ journal, policy, profile, device, log }: Context) {
  const { endpoint, key, subject, names, use, reference } = policy;
  const { url, authority, sender, mac, keyList } = profile;
  const asked = { endpoint, key, subject, names, use, reference };
  const wanted = JSON.stringify([asked, { url, authority, sender, mac, keyList }]);
  const basis = createHash('sha256').update(wanted).digest('hex');
  const { basis: before, requestId, transaction } = journal.value;
  if (before === basis) return;
  await journal.change((value) => {
    const { requestId: _, nextAttempt: __, isStuck: ___, ...rest } = withoutTransaction(value);
    return { ...rest, failures: 0, basis };
  });
  if (transaction) log.info('what was under way is given up', { certificate: policy.name });
  if (requestId !== undefined)
    // A key that is left over goes when it is too old
    await device.discard(endpoint, requestId).catch(() => undefined);
}
