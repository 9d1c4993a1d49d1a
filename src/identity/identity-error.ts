/** Why `identity/` did not do what it was asked for, one code for each reason; each edge maps it to its wire form. */
export const identityErrors = {
  exists: 'There is an account with this name, or with one that looks like it.',
  'not-found': 'There is no such account.',
  limit: 'There are as many accounts as there may be.',
  'last-administrator':
    'Without this account there would be no administrator of the accounts any more.',
  'password-refused': 'The new password does not meet the rules, or is the old one.',
  'read-only': 'The account, or the rule, is administered elsewhere.',
  'name-refused': 'The user manager of the system does not take the name.',
  'role-refused': 'The user manager of the system does not give the user this role.',
  'rule-refused': 'The user manager of the system does not take the rule for passwords.',
  'certificate-taken': 'The certificate belongs to an account already.',
  'certificate-limit': 'The account has as many certificates as it may have.',
  'locks-out': 'After the change no administrator could log in any more.',
  'storage-full': 'There is no room on the disk for the change; nothing changed.',
  unavailable: 'The program that knows the users, or their passwords, does not answer now.',
  failed: 'The user manager of the system tried and did not succeed.',
} as const;

export type IdentityErrorCode = keyof typeof identityErrors;

/** Nothing has been changed where this is thrown. */
export class IdentityError extends Error {
  override readonly name = 'IdentityError';
  readonly code: IdentityErrorCode;
  /** The name of the account that the error is about; empty for none. */
  readonly userName: string;

  /** @param message one sentence for the client, without a password */
  constructor(
    code: IdentityErrorCode,
    userName = '',
    message: string = identityErrors[code],
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.code = code;
    this.userName = userName;
  }
}
