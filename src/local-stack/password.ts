import { randomBytes } from 'node:crypto';
import { passwordRulesOf } from '../identity/accounts/account-policy.ts';
import { operatorName } from '../identity/accounts/operator-account.ts';
import { openAccounts } from '../identity/configured-users.ts';
import { readPassword } from '../operator/password-file.ts';
import { hasSystemPasswords, setPassword } from '../operator/set-password.ts';
import type { Configuration } from '../platform/configuration.ts';

/** The password of the first account, which does not exist before `store`. */
export interface FirstPassword {
  readonly text: string;
  /** Makes the account, with the hash alone. To be called when the operator has been shown the password. */
  store(): Promise<void>;
}

/**
 * Sees to it that the operator can log in: with the password of the file, which counts at once, else with a random
 * one when there is no account yet. That one is stored last, after it was shown: a start that fails, or is killed, at
 * any moment before leaves no account, and the next start makes and shows another password.
 * @returns the random password, `undefined` when none was made
 * @throws SetupError that names the rule that the password of the file breaks
 */
export async function preparePassword(
  configuration: Configuration,
  passwordFile: string | undefined,
): Promise<FirstPassword | undefined> {
  if (passwordFile !== undefined) {
    await setPassword(configuration, await readPassword(passwordFile));
    return undefined;
  }
  if (hasSystemPasswords(configuration)) return undefined;
  const accounts = openAccounts(configuration);
  if (accounts.users.length > 0) return undefined;
  const text = randomPassword(passwordRulesOf(accounts.rules));
  return {
    text,
    async store() {
      await setPassword(configuration, text);
    },
  };
}

/** The name to log in with: that of the operator, or of the first administrator when the operator has another name. */
export function loginName(configuration: Configuration): string {
  const { users } = openAccounts(configuration);
  if (users.some(({ userName }) => userName === operatorName)) return operatorName;
  const other = users.find(({ role, enabled }) => role === 'Administrator' && enabled);
  return other?.userName ?? operatorName;
}

/** 96 bits, or as many as the rules of the service allow. */
function randomPassword({ minLength, maxLength }: { minLength: number; maxLength: number }) {
  const length = Math.min(Math.max(16, minLength), maxLength);
  return randomBytes(length).toString('base64url').slice(0, length);
}
