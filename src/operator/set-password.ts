import { setTimeout as sleep } from 'node:timers/promises';
import { CertError, reasonOf } from '../core/cert-error.ts';
import { SetupError } from '../core/setup-error.ts';
import { requestOperatorPassword } from '../dbus/accounts/operator-password.ts';
import { claimAccounts } from '../identity/accounts/account-claim.ts';
import { setOperatorPassword } from '../identity/accounts/operator-account.ts';
import { accountsPath, openAccounts } from '../identity/configured-users.ts';
import { IdentityError } from '../identity/identity-error.ts';
import type { Configuration } from '../platform/configuration.ts';
import { CommandError } from './framework/exit-status.ts';

/** Longer than the account manager takes to come or to go. */
const maxWaitMilliseconds = 10_000;
const pauseMilliseconds = 200;

/**
 * Makes the account of the operator an enabled administrator with this password, whatever the account was before. While
 * the account manager runs it does that, and the password counts at once at all edges; else it is done here.
 * @returns the name of the account
 * @throws CommandError `refused` that names the rule that the password breaks, SetupError for the file that cannot be written
 */
export async function setPassword(configuration: Configuration, password: string): Promise<string> {
  if (hasSystemPasswords(configuration)) {
    throw new SetupError(
      'The users of this device are those of the system: set their passwords with passwd, or set /users/source to file.',
    );
  }
  try {
    return await setWhereItIs(configuration, password);
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error;
    if (error.code !== 'password-refused') throw new SetupError(error.message, { cause: error });
    throw new CommandError('refused', `The password is refused: ${error.message}.`);
  }
}

/** Whether PAM has the passwords, so that those of our own accounts open nothing. */
export function hasSystemPasswords({ users }: Configuration): boolean {
  return users.source === 'bus';
}

async function setWhereItIs(configuration: Configuration, password: string): Promise<string> {
  const end = performance.now() + maxWaitMilliseconds;
  for (;;) {
    const claimed = await claimAccounts(accountsPath(configuration));
    if ('release' in claimed) {
      try {
        return await setOperatorPassword(openAccounts(configuration), password);
      } finally {
        claimed.release();
      }
    }
    try {
      return await requestOperatorPassword(configuration.bus, password);
    } catch (error) {
      // It is only coming, or just going
      const isAway = error instanceof CertError && error.code === 'unavailable';
      if (!isAway) throw error;
      if (performance.now() > end) {
        const process = claimed.takenBy === 0 ? '' : `, process ${claimed.takenBy},`;
        throw new SetupError(
          `The account manager${process} has the accounts and is not reached on the bus: ${reasonOf(error)}.`,
        );
      }
    }
    await sleep(pauseMilliseconds);
  }
}
