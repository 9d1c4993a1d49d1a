import { join } from 'node:path';
import type { Audit } from '../core/audit.ts';
import type { Log } from '../core/log.ts';
import { SetupError } from '../core/setup-error.ts';
import type { Configuration } from '../platform/configuration.ts';
import type { SystemUsers } from '../platform/system-users.ts';
import { type AccountPolicy, lockoutRulesOf } from './accounts/account-policy.ts';
import { Accounts } from './accounts/accounts.ts';
import { GuardedUsers, type GuardOptions } from './accounts/guarded-users.ts';
import { passwordHelper } from './system-users/password-helper.ts';
import { SystemUserDirectory } from './system-users/system-user-directory.ts';

/** The file of accounts of a configuration. */
export function accountsPath({ users }: Configuration): string {
  return join(users.directory, 'accounts.json');
}

/** The accounts of a configuration, for the program that has the claim to their file. @throws SetupError */
export function openAccounts(configuration: Configuration): Accounts {
  const policy = configuredPolicy(configuration);
  return new Accounts(accountsPath(configuration), {
    max: configuration.users.limits.accounts,
    policy,
  });
}

/** The rules until a client sets others. */
export function configuredPolicy({ users }: Configuration): AccountPolicy {
  return { ...users.policy, lockoutResetEnabled: true };
}

/** Accounts with the guard in front of them. */
export function guardAccounts(
  accounts: Accounts,
  configuration: Configuration,
  audit: Audit,
): GuardedUsers {
  const rules = () => lockoutRulesOf(accounts.rules);
  return new GuardedUsers(accounts, { rules, ...guardLimits(configuration), audit });
}

/** The users of the system, which each edge asks for itself: PAM counts the failed logins of all of them. */
export function guardSystemUsers(
  configuration: Configuration,
  users: SystemUsers,
  audit: Audit,
  log: Log,
): GuardedUsers {
  const { passwordHelper: path, passwordHelperSeconds, limits } = configuration.users;
  if (path === undefined) throw new SetupError('No program is configured that checks passwords.');
  const policy = configuredPolicy(configuration);
  const passwords = passwordHelper({
    ...{ path, log, maxWaiting: limits.queuedLogins },
    deadline: passwordHelperSeconds * 1000,
  });
  const directory = new SystemUserDirectory({ users, passwords, policy, log });
  const rules = () => lockoutRulesOf(policy);
  return new GuardedUsers(directory, { rules, ...guardLimits(configuration), audit });
}

function guardLimits({ users: { limits } }: Configuration): Omit<GuardOptions, 'rules' | 'audit'> {
  const { queuedLogins, failedLogins: entries, failuresPerAddress: perAddress } = limits;
  return { queuedLogins, failedLogins: { entries, perAddress } };
}
