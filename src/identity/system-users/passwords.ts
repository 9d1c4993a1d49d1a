/** What a check says; `expired` is a right password that must be changed. */
export type PasswordAnswer = 'right' | 'wrong' | 'expired' | 'locked';

/** Too many wait for an answer already. */
export class PasswordsBusy extends Error {
  override readonly name = 'PasswordsBusy';
}

/** The helper gave no answer; the reason is in the log. */
export class PasswordsUnavailable extends Error {
  override readonly name = 'PasswordsUnavailable';
}

/** Where the passwords of the system's users are. Everything may throw the two errors above. */
export interface Passwords {
  /** Takes as long for an unknown name as for a wrong password. */
  check(userName: string, password: string, clientAddress: string): Promise<PasswordAnswer>;
  /** @throws IdentityError `password-refused` */
  set(userName: string, password: string): Promise<void>;
}
