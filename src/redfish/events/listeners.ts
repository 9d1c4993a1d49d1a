import type { Access } from '../access/access.ts';
import type { Identity } from '../access/authentication.ts';
import { permission } from '../access/privileges.ts';

/** Whether who opened a stream of events may still have it. */
export interface ListenerLogins {
  /** Whether the session that opened it, if any, has not ended. */
  holds(identity: Identity): boolean;
  /** Whether the user is still there and may still subscribe. */
  mayListen(identity: Identity): Promise<boolean>;
  /**
   * Whether a user may have subscriptions that push, which a password that has to be changed does not
   * touch; `undefined` when the users cannot be asked now.
   */
  maySubscribe(userName: string): Promise<boolean | undefined>;
}

export function listenerLogins({ users, sessions }: Access): ListenerLogins {
  return {
    holds: ({ session }) => !session || sessions.get(session.id) !== undefined,
    async mayListen({ account }) {
      const user = await users.find(account.userName).catch(() => undefined);
      if (!user?.enabled || user.passwordChangeRequired) return false;
      return permission(user.role, 'EventStream', 'GET') === 'all';
    },
    async maySubscribe(userName) {
      try {
        const user = await users.find(userName);
        if (!user?.enabled) return false;
        return permission(user.role, 'EventDestinationCollection', 'POST') === 'all';
      } catch {
        return undefined;
      }
    },
  };
}
