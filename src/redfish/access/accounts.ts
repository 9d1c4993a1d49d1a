import { isDeepStrictEqual } from 'node:util';
import { stampOf } from '../../durable/file-stamp.ts';
import { OneAtATime } from '../../durable/one-at-a-time.ts';
import { reasonOf } from '../../manager/errors.ts';
import type { Log } from '../../platform/log.ts';
import { readAccounts, type StoredAccount, writeAccounts } from './account-file.ts';
import { withAccountsLocked } from './account-lock.ts';
import { hashPassword, matchesHash, type PasswordHash, stampOfHash } from './password-hash.ts';
import type { RoleId } from './privileges.ts';
import {
  type LoginOutcome,
  type NewUser,
  type OwnPasswordChange,
  type User,
  type UserChange,
  type UserChanges,
  type UserDirectory,
  UserError,
} from './user-directory.ts';

/**
 * The users of the service in a file of its own, which holds only hashes of passwords. Another program may
 * write the file, such as one that resets a password on the device: what stands in it counts at once.
 */
export class Accounts implements UserDirectory {
  readonly changes: UserChanges;
  readonly #path: string;
  readonly #decoy: Promise<PasswordHash>;
  readonly #log: Pick<Log, 'error'> | undefined;
  #known: readonly StoredAccount[];
  #stamp: string | undefined;
  readonly #turn = new OneAtATime();

  /**
   * @param most how many accounts there may be
   * @throws SetupError when the file is there but not readable as what it should be
   */
  constructor(path: string, most: number, log?: Pick<Log, 'error'>) {
    this.#path = path;
    this.#log = log;
    this.#stamp = stampOf(path);
    this.#known = readAccounts(path);
    this.#decoy = hashPassword('');
    this.changes = {
      create: (user) => this.#turn.run(() => this.#create(user, most)),
      update: (userName, change, own) => this.#turn.run(() => this.#update(userName, change, own)),
      remove: (userName) => this.#turn.run(() => this.#remove(userName)),
    };
  }

  has(userName: string): boolean {
    return this.#stored(userName) !== undefined;
  }

  get isEmpty(): boolean {
    return this.#current().length === 0;
  }

  async list(): Promise<readonly User[]> {
    return this.#current().map(userOf);
  }

  async find(userName: string): Promise<User | undefined> {
    const account = this.#stored(userName);
    return account && userOf(account);
  }

  passwordStamp(userName: string): string | undefined {
    const account = this.#stored(userName);
    return account && stampOfHash(account.password);
  }

  async login(userName: string, password: string): Promise<LoginOutcome> {
    const account = this.#stored(userName);
    const hash = account?.password ?? (await this.#decoy);
    if (!(await matchesHash(password, hash))) return { kind: 'wrong' };
    // The account may have changed during the check
    const current = this.#stored(userName);
    if (!current || !isDeepStrictEqual(current.password, hash)) return { kind: 'wrong' };
    const user = userOf(current);
    return user.enabled ? { kind: 'ok', user } : { kind: 'disabled' };
  }

  /** Creates the account or gives it a new role and password, whatever it was before. */
  setPassword(
    userName: string,
    role: RoleId,
    password: string,
    own?: OwnPasswordChange,
  ): Promise<void> {
    return this.#turn.run(async () => {
      const hash = await hashPassword(password);
      own?.foretell(stampOfHash(hash));
      await withAccountsLocked(this.#path, async () => {
        const accounts = this.#writable();
        const others = accounts.filter((one) => one.userName !== userName);
        refuseOutdated(
          accounts.find((one) => !others.includes(one)),
          own,
        );
        await this.#store([...others, { userName, role, password: hash }]);
      });
    });
  }

  async #create({ userName, password, ...rest }: NewUser, most: number): Promise<User> {
    // Others wait for as long as a hash takes
    refuseTaken(this.#writable(), userName);
    const account = { userName, ...rest, password: await hashPassword(password) };
    await this.#change((accounts) => {
      refuseTaken(accounts, userName);
      if (accounts.length >= most) {
        throw new UserError('limit', `There are no more than ${most} accounts`);
      }
      return [...accounts, account];
    });
    return userOf(account);
  }

  async #update(userName: string, change: UserChange, own?: OwnPasswordChange): Promise<User> {
    const asked = present(this.#writable(), userName);
    const { password, locked: _, ...members } = change;
    if (password !== undefined && asked.passwordChangeRequired === true) {
      if (await matchesHash(password, asked.password)) {
        throw new UserError('password-refused', 'The new password is the old one');
      }
    }
    const hash = password === undefined ? undefined : await hashPassword(password);
    if (hash) own?.foretell(stampOfHash(hash));
    // The file may have changed while the hash was made
    const all = await this.#change((accounts) => {
      const before = present(accounts, userName);
      refuseOutdated(before, own);
      const after = { ...before, ...members, password: hash ?? before.password };
      return accounts.map((one) => (one === before ? after : one));
    });
    return userOf(present(all, userName));
  }

  async #remove(userName: string): Promise<void> {
    await this.#change((accounts) => {
      const account = present(accounts, userName);
      return accounts.filter((one) => one !== account);
    });
  }

  /** Nobody may take away the last one that could give rights back. @returns what is written */
  #change(
    alter: (accounts: readonly StoredAccount[]) => readonly StoredAccount[],
  ): Promise<readonly StoredAccount[]> {
    return withAccountsLocked(this.#path, async () => {
      const before = this.#writable();
      const after = alter(before);
      if (before.some(isWorkingAdministrator) && !after.some(isWorkingAdministrator)) {
        throw new UserError('last-administrator', 'The last enabled administrator stays as he is');
      }
      await this.#store(after);
      return after;
    });
  }

  async #store(accounts: readonly StoredAccount[]): Promise<void> {
    await writeAccounts(this.#path, accounts);
    this.#known = accounts;
    // Somebody else may have written since, so the next use looks for itself
    this.#stamp = 'written';
  }

  /** As they stand in the file; as they were where that cannot be read any more. */
  #current(): readonly StoredAccount[] {
    try {
      if (stampOf(this.#path) !== this.#stamp) this.#read();
    } catch (error) {
      const reason = reasonOf(error);
      this.#log?.error('the accounts cannot be read, the old ones stay', { reason });
    }
    return this.#known;
  }

  /** What nobody could read is not written over. @throws SetupError */
  #writable(): readonly StoredAccount[] {
    this.#read();
    return this.#known;
  }

  /** @throws SetupError */
  #read(): void {
    const stamp = stampOf(this.#path);
    try {
      this.#known = readAccounts(this.#path);
    } catch (error) {
      // A disk that did not answer is asked again at the next use, damage is looked at when it changes
      this.#stamp = error instanceof Error && error.cause !== undefined ? 'unread' : stamp;
      throw error;
    }
    this.#stamp = stamp;
  }

  #stored(userName: string): StoredAccount | undefined {
    return this.#current().find((one) => one.userName === userName);
  }
}

/** @throws UserError `not-found` */
function present(accounts: readonly StoredAccount[], userName: string): StoredAccount {
  const account = accounts.find((one) => one.userName === userName);
  if (!account) throw new UserError('not-found', 'There is no such account');
  return account;
}

/** @throws UserError `exists` */
function refuseTaken(accounts: readonly StoredAccount[], userName: string): void {
  const taken = userName.toLowerCase();
  if (!accounts.some((one) => one.userName.toLowerCase() === taken)) return;
  throw new UserError('exists', 'There is an account with this name, or one that looks like it');
}

/** @throws UserError `password-refused` to whoever is known by a password that is not that of the account any more */
function refuseOutdated(
  before: StoredAccount | undefined,
  own: OwnPasswordChange | undefined,
): void {
  if (!own || !before || stampOfHash(before.password) === own.passwordStamp) return;
  throw new UserError('password-refused', 'The account has got another password meanwhile');
}

function isWorkingAdministrator({ role, enabled = true }: StoredAccount): boolean {
  return role === 'Administrator' && enabled;
}

function userOf(stored: StoredAccount): User {
  const { userName, role, enabled, passwordChangeRequired } = stored;
  return {
    userName,
    role,
    passwordStamp: stampOfHash(stored.password),
    enabled: enabled ?? true,
    locked: false,
    passwordChangeRequired: passwordChangeRequired ?? false,
    accountTypes: ['Redfish', 'WebUI'],
  };
}
