import { readAccounts, type StoredAccount, writeAccounts } from './account-file.ts';
import { hashPassword, matchesHash, type PasswordHash } from './password-hash.ts';
import type { RoleId } from './privileges.ts';
import {
  type LoginOutcome,
  type NewUser,
  type User,
  type UserChange,
  type UserChanges,
  type UserDirectory,
  UserError,
} from './user-directory.ts';

/** The users of the service in a file of its own, which holds only hashes of passwords. */
export class Accounts implements UserDirectory {
  readonly changes: UserChanges;
  readonly #path: string;
  readonly #decoy: Promise<PasswordHash>;
  #accounts: readonly StoredAccount[];
  #last: Promise<unknown> = Promise.resolve();

  /**
   * @param most how many accounts there may be
   * @throws SetupError when the file is there but not readable as what it should be
   */
  constructor(path: string, most: number) {
    this.#path = path;
    this.#accounts = readAccounts(path);
    this.#decoy = hashPassword('');
    this.changes = {
      create: (user) => this.#inTurn(() => this.#create(user, most)),
      update: (userName, change) => this.#inTurn(() => this.#update(userName, change)),
      remove: (userName) => this.#inTurn(() => this.#remove(userName)),
    };
  }

  has(userName: string): boolean {
    return this.#stored(userName) !== undefined;
  }

  get isEmpty(): boolean {
    return this.#accounts.length === 0;
  }

  async list(): Promise<readonly User[]> {
    return this.#accounts.map(userOf);
  }

  async find(userName: string): Promise<User | undefined> {
    const account = this.#stored(userName);
    return account && userOf(account);
  }

  async login(userName: string, password: string): Promise<LoginOutcome> {
    const account = this.#stored(userName);
    const hash = account?.password ?? (await this.#decoy);
    if (!(await matchesHash(password, hash))) return { kind: 'wrong' };
    // The account may have changed during the check
    const current = this.#stored(userName);
    if (!current || current.password !== hash) return { kind: 'wrong' };
    const user = userOf(current);
    return user.enabled ? { kind: 'ok', user } : { kind: 'disabled' };
  }

  /** Creates the account or gives it a new role and password, whatever it was before. */
  setPassword(userName: string, role: RoleId, password: string): Promise<void> {
    return this.#inTurn(async () => {
      const others = this.#accounts.filter((one) => one.userName !== userName);
      await this.#store([...others, { userName, role, password: await hashPassword(password) }]);
    });
  }

  async #create({ userName, password, ...rest }: NewUser, most: number): Promise<User> {
    const taken = userName.toLowerCase();
    if (this.#accounts.some((one) => one.userName.toLowerCase() === taken)) {
      throw new UserError(
        'exists',
        'There is an account with this name, or one that looks like it',
      );
    }
    if (this.#accounts.length >= most) {
      throw new UserError('limit', `There are no more than ${most} accounts`);
    }
    const account = { userName, ...rest, password: await hashPassword(password) };
    await this.#write([...this.#accounts, account]);
    return userOf(account);
  }

  async #update(userName: string, change: UserChange): Promise<User> {
    const before = this.#present(userName);
    const { password, locked: _, ...members } = change;
    if (password !== undefined && before.passwordChangeRequired === true) {
      if (await matchesHash(password, before.password)) {
        throw new UserError('password-refused', 'The new password is the old one');
      }
    }
    const hash = password === undefined ? before.password : await hashPassword(password);
    const after: StoredAccount = { ...before, ...members, password: hash };
    await this.#write(this.#accounts.map((one) => (one === before ? after : one)));
    return userOf(after);
  }

  async #remove(userName: string): Promise<void> {
    const account = this.#present(userName);
    await this.#write(this.#accounts.filter((one) => one !== account));
  }

  /** Nobody may take away the last one that could give rights back. */
  async #write(accounts: readonly StoredAccount[]): Promise<void> {
    if (this.#accounts.some(isWorkingAdministrator) && !accounts.some(isWorkingAdministrator)) {
      throw new UserError('last-administrator', 'The last enabled administrator stays as he is');
    }
    await this.#store(accounts);
  }

  async #store(accounts: readonly StoredAccount[]): Promise<void> {
    await writeAccounts(this.#path, accounts);
    this.#accounts = accounts;
  }

  #stored(userName: string): StoredAccount | undefined {
    return this.#accounts.find((one) => one.userName === userName);
  }

  #present(userName: string): StoredAccount {
    const account = this.#stored(userName);
    if (!account) throw new UserError('not-found', 'There is no such account');
    return account;
  }

  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(change);
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}

function isWorkingAdministrator({ role, enabled = true }: StoredAccount): boolean {
  return role === 'Administrator' && enabled;
}

function userOf({ userName, role, enabled, passwordChangeRequired }: StoredAccount): User {
  return {
    userName,
    role,
    enabled: enabled ?? true,
    locked: false,
    passwordChangeRequired: passwordChangeRequired ?? false,
    accountTypes: ['Redfish', 'WebUI'],
  };
}
