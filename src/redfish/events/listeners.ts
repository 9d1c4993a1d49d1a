import type { FollowRename, User } from '../../identity/accounts/user-directory.ts';
import type { Identity } from '../../identity/identity.ts';
import type { Access } from '../access.ts';
import { permission } from '../http/privileges.ts';

/** Whether who opened a stream of events may still have it. */
export interface ListenerLogins {
  /** Whether the session that opened it, if any, has not ended, and its way in is open yet. */
  holds(identity: Identity): boolean;
  /**
   * Whether the user is still there and may still subscribe.
   * @param connection that of the stream, whose certificate may be what logged it in
   * @throws when nobody can say at the moment
   */
  mayListen(identity: Identity, connection: object): Promise<boolean>;
  /**
   * Whether a user may have subscriptions that push, which a password that has to be changed does not
   * touch; `undefined` when the users cannot be asked now.
   */
  maySubscribe(userName: string): Promise<boolean | undefined>;
  /** Has what users listen with follow the names that they get. */
  onRename(follow: FollowRename): void;
}

export function listenerLogins(access: Access): ListenerLogins {
  const { users, sessions, certificates } = access;
  return {
    onRename: (follow) => users.onRename?.(follow),
    holds({ session, certificate }) {
      if (session) return sessions.get(session.id) !== undefined;
      return !certificate || certificates?.settings.clientCertificates.enabled === true;
    },
    async mayListen(identity, connection) {
      const user = await listener(access, identity, connection);
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

/** Who listens, as a request on the same connection would find him. @throws when nobody can say */
async function listener(
  { users, certificates }: Access,
  { account, session, certificate }: Identity,
  connection: object,
): Promise<User | undefined> {
  if (!certificate) {
    const user = await users.find(account.userName);
    // With HTTP Basic it is the password that lets him in, and this may be another one by now
    return session || user?.passwordStamp === account.passwordStamp ? user : undefined;
  }
  const login = await certificates?.login(connection);
  if (!login) return undefined;
  if ('account' in login) {
    return login.account.userName === account.userName ? login.account : undefined;
  }
  if (login.refusal === 'unavailable') throw new Error('the truststore cannot be read now');
  return undefined;
}
