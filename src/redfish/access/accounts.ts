import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { validateAccounts } from '../../../schemas/generated/validators.js';
import { makeDirectory, ownerOnly, writeFileAtomic } from '../../durable/atomic-file.ts';
import { SetupError } from '../../platform/configuration.ts';
import { validate } from '../../platform/validation.ts';
import { hashPassword, matchesHash, type PasswordHash } from './password-hash.ts';
import type { RoleId } from './privileges.ts';

export interface Account {
  readonly userName: string;
  readonly role: RoleId;
}

/** Too many logins wait already. */
export class LoginQueueFull extends Error {
  override readonly name = 'LoginQueueFull';
}

interface StoredAccount extends Account {
  readonly password: PasswordHash;
}

/**
 * The accounts of the service, in a file that holds only hashes. Passwords are checked one at a time:
 * each check takes 16 MiB, and a flood of logins must not take them all at once.
 */
export class Accounts {
  readonly #path: string;
  readonly #mostWaiting: number;
  readonly #decoy: Promise<PasswordHash>;
  #accounts: readonly StoredAccount[];
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** @throws SetupError when the file is there but not readable as what it should be */
  constructor(path: string, mostWaiting: number) {
    this.#path = path;
    this.#mostWaiting = mostWaiting;
    this.#accounts = readAccounts(path);
    this.#decoy = hashPassword('');
  }

  has(userName: string): boolean {
    return this.#accounts.some((account) => account.userName === userName);
  }

  async find(userName: string): Promise<Account | undefined> {
    const found = this.#accounts.find((account) => account.userName === userName);
    return found && { userName, role: found.role };
  }

  get isEmpty(): boolean {
    return this.#accounts.length === 0;
  }

  /**
   * The account, when the password is right. An unknown name costs the same time as a wrong password.
   * @throws LoginQueueFull
   */
  async login(userName: string, password: string): Promise<Account | undefined> {
    if (this.#waiting >= this.#mostWaiting) throw new LoginQueueFull('too many logins');
    this.#waiting += 1;
    const turn = this.#last.then(() => this.#check(userName, password));
    this.#last = turn.catch(() => undefined);
    try {
      return await turn;
    } finally {
      this.#waiting -= 1;
    }
  }

  /** Creates the account or gives it a new password. */
  async setPassword(userName: string, role: RoleId, password: string): Promise<void> {
    const account = { userName, role, password: await hashPassword(password) };
    const others = this.#accounts.filter((one) => one.userName !== userName);
    await makeDirectory(dirname(this.#path), ownerOnly);
    const text = JSON.stringify({ accounts: [...others, account] }, null, 2);
    await writeFileAtomic(this.#path, `${text}\n`, ownerOnly);
    this.#accounts = [...others, account];
  }

  async #check(userName: string, password: string): Promise<Account | undefined> {
    const account = this.#accounts.find((one) => one.userName === userName);
    const matches = await matchesHash(password, account?.password ?? (await this.#decoy));
    return account && matches ? { userName, role: account.role } : undefined;
  }
}

function readAccounts(path: string): readonly StoredAccount[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw new SetupError(`The accounts in ${path} cannot be read.`, { cause: error });
  }
  const result = validate(validateAccounts, parseJson(text));
  if (!result.ok) throw new SetupError(`The file ${path} does not hold accounts.`);
  return result.value.accounts;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
