import { IdentityError } from '../identity-error.ts';
import type { RoleId } from '../roles.ts';
import type { Accounts } from './accounts.ts';
import type { OwnPasswordChange } from './user-directory.ts';

/** What a check says; `expired` is a right password that must be changed. */
export type PasswordAnswer = 'right' | 'wrong' | 'expired' | 'locked';

/** Too many wait for an answer already. */
export class PasswordsBusy extends Error {
  override readonly name = 'PasswordsBusy';
}

/** Whoever keeps the passwords gave no answer; the reason is in the log. */
export class PasswordsUnavailable extends Error {
  override readonly name = 'PasswordsUnavailable';
}

/** Where the passwords of the system's users are. Everything may throw the two errors above. */
export interface Passwords {
  /** Takes as long for an unknown name as for a wrong password. */
  check(userName: string, password: string, clientAddress: string): Promise<PasswordAnswer>;
  /** @throws IdentityError `password-refused` */
  set(userName: string, role: RoleId, password: string, own?: OwnPasswordChange): Promise<void>;
  /** `User.passwordStamp`; absent where that is not ours to know. */
  stampOf?(userName: string): string | undefined;
  /** The user has another name; absent where the system's own passwords follow by themselves. */
  rename?(from: string, to: string): Promise<void>;
  /** The user is gone. */
  forget(userName: string): Promise<void>;
}

/** The passwords of our own accounts, for a system whose passwords nobody gives us a way to. */
export function accountPasswords(accounts: Accounts): Passwords {
  return {
    async check(userName, password) {
      const { kind } = await accounts.login(userName, password);
      return kind === 'wrong' ? 'wrong' : 'right';
    },
    set: (userName, role, password, own) => accounts.setPassword(userName, role, password, own),
    stampOf: (userName) => accounts.passwordStamp(userName),
    async rename(from, to) {
      if (accounts.has(from)) await accounts.changes.update(from, { userName: to });
    },
    async forget(userName) {
      await accounts.changes.remove(userName).catch((error: unknown) => {
        // The last password of an administrator may stay: without a user it opens nothing
        if (!(error instanceof IdentityError)) throw error;
      });
    },
  };
}
