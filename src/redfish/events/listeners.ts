import type { FollowRename } from '../../identity/accounts/rename-follower.ts';
import type { User } from '../../identity/accounts/user-directory.ts';
import type { Identity } from '../../identity/identity.ts';
import type { Access } from '../access.ts';
import { permission } from '../http/privileges.ts';

/** Whether the user who opened an event stream may keep it. */
export interface ListenerLogins {
  /** Whether the session of the stream, if it has one, goes on, and its way to log in is still allowed. */
  holds(identity: Identity): boolean;
  /**
   * Whether the user is still there and may still subscribe.
   * @param connection that of the stream, whose certificate may be what logged it in
   * @throws when the user cannot be checked now
   */
  mayListen(identity: Identity, connection: object): Promise<boolean>;
  /**
   * Whether a user may have subscriptions that push, which a password that has to be changed does not
   * touch; `undefined` when the users cannot be asked now.
   */
  maySubscribe(userName: string): Promise<boolean | undefined>;
  /** Calls back when a user gets another name, or is removed. */
  onRename(follow: FollowRename): void;
  /** Calls back when a user has changed or is gone. */
  onChange(listener: () => void): void;
}

export function listenerLogins(access: Access): ListenerLogins {
  const { users, renames, sessions, certificates } = access;
  return {
    onRename: (follow) => renames.add(follow),
    onChange: (listener) => users.onChange(listener),
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

/** The user of the stream, as a request on its connection would find the user. @throws when that cannot be told now */
async function listener(
  { users, certificates }: Access,
  { account, session, certificate }: Identity,
  connection: object,
): Promise<User | undefined> {
  if (!certificate) {
    const user = await users.find(account.userName);
    // HTTP Basic counts only for the password that opened the stream
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
