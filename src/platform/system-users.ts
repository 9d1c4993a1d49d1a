/** A user of the system, in the words of the user manager that keeps him. */
export interface SystemUser {
  readonly name: string;
  /** Such as `priv-admin`; empty for none. */
  readonly privilege: string;
  /** Such as `redfish` and `ssh`. */
  readonly groups: readonly string[];
  readonly enabled: boolean;
  /** Locked for failed logins. */
  readonly locked: boolean;
  readonly passwordExpired: boolean;
  /** Of a directory elsewhere, such as LDAP: nothing of him can be changed here. */
  readonly remote: boolean;
}

export interface NewSystemUser {
  readonly name: string;
  readonly groups: readonly string[];
  readonly privilege: string;
  readonly enabled: boolean;
}

/** What can be set of a user, one at a time. */
export type SystemUserSetting =
  | { readonly attribute: 'privilege'; readonly value: string }
  | { readonly attribute: 'enabled' | 'locked' | 'passwordExpired'; readonly value: boolean };

/** Rules that the system has for every account. */
export interface SystemUserPolicy {
  /** Failed logins that lock an account; 0 for never. */
  readonly lockoutThreshold: number;
  /** Seconds after which a lock ends; 0 when an administrator must take it away. */
  readonly lockoutSeconds: number;
  readonly minPasswordLength: number;
}

export type SystemUserFault =
  | 'exists'
  | 'not-found'
  | 'limit'
  | 'argument-refused'
  | 'privilege-refused'
  /** The user manager does not do that, or not for us. */
  | 'not-permitted'
  /** The users cannot be asked now. */
  | 'unavailable'
  /** The user manager tried and did not succeed. */
  | 'failed';

export class SystemUserError extends Error {
  override readonly name = 'SystemUserError';
  readonly fault: SystemUserFault;

  constructor(fault: SystemUserFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
  }
}

/**
 * The users of the system, as a user manager has them; it knows no passwords. Every answer is as of now,
 * and every promise may be rejected with a SystemUserError.
 */
export interface SystemUsers {
  /** Whether the user manager can be asked at the moment. */
  readonly isThere: boolean;
  /** Those that are kept here; remote ones can only be found by name. */
  list(): Promise<readonly SystemUser[]>;
  find(name: string): Promise<SystemUser | undefined>;
  create(user: NewSystemUser): Promise<void>;
  set(name: string, setting: SystemUserSetting): Promise<void>;
  rename(name: string, newName: string): Promise<void>;
  remove(name: string): Promise<void>;
  policy(): Promise<SystemUserPolicy>;
  /** One member after the other; when one cannot be set, those before it are put back. */
  setPolicy(change: Partial<SystemUserPolicy>): Promise<void>;
}
