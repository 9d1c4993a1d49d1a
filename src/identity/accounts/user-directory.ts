import type { RoleId } from '../roles.ts';
import type { AccountPolicy } from './account-policy.ts';

/** A user, wherever the account is kept. */
export interface User {
  readonly userName: string;
  readonly role: RoleId;
  /** Without it no client can log in with this name. */
  readonly enabled: boolean;
  /** The directory has locked the account, or an address is locked out of it. */
  readonly locked: boolean;
  /** The user may do nothing but change the password. */
  readonly passwordChangeRequired: boolean;
  /** A random number, another one after each change of the password; absent where PAM keeps the passwords. */
  readonly passwordStamp?: string;
  /** `AccountTypes` of DMTF's ManagerAccount. */
  readonly accountTypes: readonly AccountType[];
}

export type AccountType = 'Redfish' | 'WebUI' | 'IPMI' | 'ManagerConsole' | 'HostConsole' | 'SNMP';

/** A try to log in with a password, as the keeper of the passwords hears of it. */
export interface PasswordLogin {
  readonly userName: string;
  /** IP address of the client. */
  readonly address: string;
  /** The name of the edge at which it is tried. */
  readonly edge: string;
  /** A random text, by which the lines of one login are found in the logs of several programs. */
  readonly id: string;
}

/**
 * What came of a login. `password-expired` is a right password that serves for nothing but its change;
 * `locked` and `disabled` tell nothing of whether the password was right; `busy` means to come again.
 */
export type LoginOutcome =
  | { readonly kind: 'ok' | 'password-expired'; readonly user: User }
  | { readonly kind: 'wrong' | 'locked' | 'disabled' | 'busy' };

export interface NewUser {
  readonly userName: string;
  readonly password: string;
  readonly role: RoleId;
  readonly enabled: boolean;
  readonly passwordChangeRequired: boolean;
}

/** Members that are absent stay as they are; `locked` can only be taken away. */
export interface UserChange {
  /** A new name, as which the user keeps all that he has. */
  readonly userName?: string;
  readonly password?: string;
  readonly role?: RoleId;
  readonly enabled?: boolean;
  readonly locked?: false;
  readonly passwordChangeRequired?: boolean;
}

/** A new name of an account. What an edge has under the old name belongs to the account, too. */
/** In place of a new name: the account was removed, and the next of its name is another one. */
export const removed = '';

/** An account got another name, or was removed. */
export interface Rename {
  readonly from: string;
  /** The new name, or `removed`. */
  readonly to: string;
  /** Grows with each rename and removal on record; absent where the directory has no record of them. */
  readonly serial?: number;
}

/** A user's change of the password by which that user is known. */
export interface OwnPasswordChange {
  /** The stamp of that password. A password that others set meanwhile is not written over. */
  readonly passwordStamp: string | undefined;
  /** The stamp of the new password, as of `newPasswordStamp`: the user's session knows it before the password counts. */
  readonly nextStamp: string;
}

/**
 * The users that the edges let in, as an edge sees them: those of the account manager, or those of the system. Names are
 * exact: case matters when finding, and no two names differ by case alone. A change is whole or did not happen, and is
 * durable when its promise is fulfilled. Where the users cannot be asked, everything rejects with the IdentityError
 * `unavailable`.
 */
export interface Users {
  /** Whose users they are. */
  readonly source: 'file' | 'bus';
  list(): Promise<readonly User[]>;
  find(userName: string): Promise<User | undefined>;
  /**
   * `User.passwordStamp` without asking: a session counts for as long as it stays the same.
   * @throws IdentityError `unavailable`
   */
  passwordStamp(userName: string): string | undefined;
  /** Counts failures, locks, and lets logins wait in fair turns. It takes as long for an unknown name as for a wrong password. */
  login(attempt: PasswordLogin, password: string): Promise<LoginOutcome>;
  /** Told of each new name before the user is found by it, and at once of the names on record, oldest first. */
  onRename(follow: (rename: Rename) => void): void;
  /**
   * Told after each change of a user, also by others, as far as the users' keeper tells: what an edge has of a user who is gone
   * must not be there for the next one of the name.
   */
  onChange(listener: () => void): void;
  readonly changes: UserChanges;
  readonly policy: UserPolicy;
}

/** Where users are kept: a file, or the user manager of the system. What guards the logins stands in front of it. */
export interface UserDirectory extends Omit<Users, 'login'> {
  /** @param clientAddress IP address of the client, for directories that keep a log or count themselves */
  checkPassword(userName: string, password: string, clientAddress: string): Promise<LoginOutcome>;
}

/** The rules for passwords and lockout. */
export interface UserPolicy {
  read(): Promise<AccountPolicy>;
  /** All members or none. @throws IdentityError `read-only`, `rule-refused` */
  change(members: Partial<AccountPolicy>): Promise<void>;
}

export interface UserChanges {
  /** @throws IdentityError `exists`, `limit`, `name-refused`, `password-refused`, `read-only` */
  create(user: NewUser): Promise<User>;
  /**
   * All members in one step. A new password that a required change brings must differ from the old one.
   * @param own where a user changes his own password
   * @throws IdentityError `not-found`, `exists`, `last-administrator`, `name-refused`, `password-refused`, `read-only`
   */
  update(userName: string, change: UserChange, own?: OwnPasswordChange): Promise<User>;
  /** @throws IdentityError `not-found`, `last-administrator`, `read-only` */
  remove(userName: string): Promise<void>;
}
