import { IdentityError } from '../identity-error.ts';
import { passwordRulesOf } from './account-policy.ts';
import type { Accounts } from './accounts.ts';
import { passwordFault } from './password-rules.ts';

/** The account that the commands of an operator make. */
export const operatorName = 'admin';

/**
 * Makes the account of the operator an enabled administrator with this password, whatever the account was before.
 * @returns the name of the account, which may differ in its case
 * @throws IdentityError `password-refused`
 */
export async function setOperatorPassword(accounts: Accounts, password: string): Promise<string> {
  const fault = passwordFault(password, operatorName, passwordRulesOf(accounts.rules));
  if (fault !== undefined) throw new IdentityError('password-refused', operatorName, fault);
  const names = accounts.users.map(({ userName }) => userName);
  const name = names.find((one) => one.toLowerCase() === operatorName) ?? operatorName;
  await accounts.setPassword(name, 'Administrator', password);
  return name;
}
