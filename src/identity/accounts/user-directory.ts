import type { RoleId } from '../roles.ts';

/** A user of the service, wherever he is kept. */
export interface User {
  readonly userName: string;
  readonly role: RoleId;
  /** Without it nobody can log in with this name. */
  readonly enabled: boolean;
  /** The directory itself has locked the account; locks per address are the login gate's. */
  readonly locked: boolean;
  /** He may do nothing but change his password. */
  readonly passwordChangeRequired: boolean;
  /** Another one after each change of the password; absent where others keep the passwords. For nobody's eyes. */
  readonly passwordStamp?: string;
  /** `AccountTypes` of DMTF's ManagerAccount. */
  readonly accountTypes: readonly AccountType[];
}

export type AccountType = 'Redfish' | 'WebUI' | 'IPMI' | 'ManagerConsole' | 'HostConsole' | 'SNMP';

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

/**
 * Takes what a user has under his old name to the new one: in memory before it returns, on the disk when the promise is
 * fulfilled. It may be told of a name that it has followed already.
 */
export type FollowRename = (from: string, to: string) => Promise<void>;

/** A user's change of the password by which he is known. */
export interface OwnPasswordChange {
  /** That of the password by which he is known. One that others set meanwhile is not written over. */
  readonly passwordStamp: string | undefined;
  /** Is told the stamp of the new one before it counts. */
  foretell(passwordStamp: string): void;
}

/**
 * The users that the service lets in: a file of our own, or a user manager of the system. Names are
 * exact: case matters when finding, and no two names differ by case alone.
 *
 * A directory need not count failures or queue logins, the login gate in front of it does both. It must
 * take as long for an unknown name as for a wrong password. A change is whole or did not happen, and is
 * durable when its promise is fulfilled. A directory that cannot be asked rejects, and the request fails.
 */
export interface UserDirectory {
  list(): Promise<readonly User[]>;
  find(userName: string): Promise<User | undefined>;
  /** `User.passwordStamp` without asking anybody: a session counts for as long as it stays the same. */
  passwordStamp?(userName: string): string | undefined;
  /** @param clientAddress IP address of the client, for directories that keep a log or count themselves */
  login(userName: string, password: string, clientAddress: string): Promise<LoginOutcome>;
  /** Has what users own follow the names that they get in the directory. */
  onRename?(follow: FollowRename): void;
  /** Resolves when everything has followed. @throws when that cannot be done now */
  settleRenames?(): Promise<void>;
  /** Absent in a directory that others administer. */
  readonly changes?: UserChanges | undefined;
  /** Rules of the directory's own, which stand in place of those of the service. */
  readonly policy?: DirectoryPolicy | undefined;
}

/** Rules for all accounts of a directory that counts failures and judges passwords itself. */
export interface DirectoryRules {
  /** Failed logins that lock an account; 0 for never. */
  readonly lockoutThreshold: number;
  /** Seconds after which a lock ends; 0 when an administrator must take it away. */
  readonly lockoutSeconds: number;
  readonly minPasswordLength: number;
}

export interface DirectoryPolicy {
  read(): Promise<DirectoryRules>;
  /** @throws IdentityError `read-only` */
  change(members: Partial<DirectoryRules>): Promise<void>;
}

export interface UserChanges {
  /** @throws IdentityError `exists`, `limit`, `password-refused`, `read-only` */
  create(user: NewUser): Promise<User>;
  /**
   * All members in one step. A new password that a required change brings must differ from the old one.
   * @param own where a user changes his own password
   * @throws IdentityError `not-found`, `exists`, `last-administrator`, `password-refused`, `read-only`
   */
  update(userName: string, change: UserChange, own?: OwnPasswordChange): Promise<User>;
  /** @throws IdentityError `not-found`, `last-administrator`, `read-only` */
  remove(userName: string): Promise<void>;
}
