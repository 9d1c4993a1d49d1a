import { join } from 'node:path';
import { SetupError } from '../core/setup-error.ts';
import { configuredSettings } from '../identity/accounts/access-settings.ts';
import { Accounts } from '../identity/accounts/accounts.ts';
import { passwordFault } from '../identity/accounts/password-rules.ts';
import type { Configuration } from '../platform/configuration.ts';
import { CommandError } from './framework/exit-status.ts';

/** The account that the commands of an operator make. */
export const operatorName = 'admin';

/** The accounts of the service that is configured so, whether or not it runs. @throws SetupError */
export function accountsOf({ redfish, users }: Configuration): Accounts {
  return new Accounts(join(redfish.directory, 'accounts.json'), users.limits.accounts);
}

/** The rules that the service has for passwords, with what clients set of them. @throws SetupError */
export function passwordRulesOf(configuration: Configuration) {
  const { minPasswordLength, maxPasswordLength } = configuredSettings(configuration).policy;
  return { minLength: minPasswordLength, maxLength: maxPasswordLength };
}

/**
 * Makes the account of the operator an enabled administrator with this password, whatever the account was before.
 * It counts at once where the service runs.
 * @returns the name of the account
 * @throws CommandError `refused` that names the rule that the password breaks, SetupError for the file that cannot be written
 */
export async function setPassword(configuration: Configuration, password: string): Promise<string> {
  refuseSystemUsers(configuration);
  const fault = passwordFault(password, operatorName, passwordRulesOf(configuration));
  if (fault !== undefined) throw new CommandError('refused', `The password is refused: ${fault}.`);
  const accounts = accountsOf(configuration);
  // No two names differ by case alone
  const names = (await accounts.list()).map(({ userName }) => userName);
  const name = names.find((one) => one.toLowerCase() === operatorName) ?? operatorName;
  await accounts.setPassword(name, 'Administrator', password);
  return name;
}

function refuseSystemUsers(configuration: Configuration): void {
  if (!hasSystemPasswords(configuration)) return;
  throw new SetupError(
    'The users of this service are those of the system: set their passwords with passwd, or set /users/source to file.',
  );
}

/** Whether PAM has the passwords, so that those of our own accounts open nothing. */
export function hasSystemPasswords({ users }: Configuration): boolean {
  return users.source === 'bus';
}
