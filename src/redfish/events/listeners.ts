import type { Accounts } from '../access/accounts.ts';
import type { Identity } from '../access/authentication.ts';
import { permission } from '../access/privileges.ts';
import type { Sessions } from '../access/sessions.ts';

/** Whether a login still holds and may have a stream of events. */
export function maySubscribe(
  accounts: Pick<Accounts, 'has'>,
  sessions: Pick<Sessions, 'get'>,
): (identity: Identity) => boolean {
  return ({ account, session }) =>
    (!session || sessions.get(session.id) !== undefined) &&
    accounts.has(account.userName) &&
    permission(account.role, 'EventStream', 'GET') === 'all';
}
