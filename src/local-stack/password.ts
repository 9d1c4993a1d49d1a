import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SetupError } from '../platform/configuration.ts';
import { Accounts } from '../redfish/access/accounts.ts';

export const userName = 'admin';

/**
 * Sees to it that the operator can log in: with the password of the file, else with a random one that is
 * made when there is no account yet.
 * @returns the random password, which is kept nowhere; `undefined` when none was made
 */
export async function preparePassword(
  stateDirectory: string,
  passwordFile: string | undefined,
): Promise<string | undefined> {
  const accounts = new Accounts(join(stateDirectory, 'accounts.json'), 1);
  if (passwordFile !== undefined) {
    await accounts.setPassword(userName, 'Administrator', readPassword(passwordFile));
    return undefined;
  }
  if (accounts.has(userName)) return undefined;
  const password = randomBytes(12).toString('base64url');
  await accounts.setPassword(userName, 'Administrator', password);
  return password;
}

function readPassword(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch (cause) {
    throw new SetupError(`The password file ${path} cannot be read.`, { cause });
  }
  if (text === '') throw new SetupError(`The password file ${path} is empty.`);
  return text;
}
