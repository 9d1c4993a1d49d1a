import { lockoutRulesOf } from '../../src/identity/accounts/account-policy.ts';
import { Accounts, type AccountsOptions } from '../../src/identity/accounts/accounts.ts';
import { GuardedUsers, type GuardOptions } from '../../src/identity/accounts/guarded-users.ts';

/** The rules of the default configuration. */
export const usualPolicy = {
  ...{ minPasswordLength: 8, maxPasswordLength: 128 },
  ...{ lockoutThreshold: 5, lockoutSeconds: 300, lockoutResetSeconds: 300 },
  lockoutResetEnabled: true,
};

/** Accounts whose passwords are hashed fast, for most tests are not about how long a hash takes. */
export function accountsAt(path: string, options: Partial<AccountsOptions> = {}): Accounts {
  return new Accounts(path, { max: 10, policy: usualPolicy, hashCost: 2 ** 8, ...options });
}

/** The guard in front of them, as the account manager has it. */
export function guarded(
  accounts: Accounts,
  options: Partial<GuardOptions> & Pick<GuardOptions, 'audit'>,
): GuardedUsers {
  return new GuardedUsers(accounts, {
    rules: () => lockoutRulesOf(accounts.rules),
    queuedLogins: 5,
    failedLogins: { entries: 100, perAddress: 20 },
    ...options,
  });
}

export function has(accounts: Accounts, userName: string): boolean {
  return accounts.passwordStamp(userName) !== undefined;
}
