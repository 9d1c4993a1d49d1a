import { isDeepStrictEqual } from 'node:util';
import { reasonOf } from '../../core/cert-error.ts';
import type { Log } from '../../core/log.ts';
import { Mutex } from '../../core/mutex.ts';
import { IdentityError } from '../identity-error.ts';
import type { RoleId } from '../roles.ts';
import { AccountFile, type StoredAccount, type StoredAccounts } from './account-file.ts';
import { hashPassword, matchesHash, type PasswordHash, stampOfHash } from './password-hash.ts';
import type {
  FollowRename,
  LoginOutcome,
  NewUser,
  OwnPasswordChange,
  User,
  UserChange,
  UserChanges,
  UserDirectory,
} from './user-directory.ts';

/** The users of the service in a file of its own, which holds only hashes of passwords. */
export class Accounts implements UserDirectory {
  readonly changes: UserChanges;
  readonly #file: AccountFile;
  readonly #decoy: Promise<PasswordHash>;
  readonly #log: Pick<Log, 'error'> | undefined;
  readonly #hash: (password: string) => Promise<PasswordHash>;
  readonly #turn = new Mutex();

  /**
   * @param most how many accounts there may be
   * @param hashCost of new passwords, as of `hashPassword`
   * @throws SetupError when the file is there but not readable as what it should be
   */
  constructor(path: string, max: number, log?: Pick<Log, 'error'>, hashCost?: number) {
    this.#file = new AccountFile(path, log);
    this.#log = log;
    this.#hash = (password) => hashPassword(password, hashCost);
    this.#decoy = this.#hash('');
    this.changes = {
      create: (user) => this.#turn.run(() => this.#create(user, max)),
      update: (userName, change, own) => this.#turn.run(() => this.#update(userName, change, own)),
      remove: (userName) => this.#turn.run(() => this.#remove(userName)),
    };
  }

  onRename(follow: FollowRename): void {
    this.#file.onRename(follow);
  }

  settleRenames(): Promise<void> {
    return this.#turn.run(() => this.#file.settleRenames());
  }

  has(userName: string): boolean {
    return this.#stored(userName) !== undefined;
  }

  get isEmpty(): boolean {
    return this.#file.current().length === 0;
  }

  async list(): Promise<readonly User[]> {
    return this.#file.current().map(userOf);
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
      const hash = await this.#hash(password);
      own?.foretell(stampOfHash(hash));
      await this.#file.change(({ accounts, renames }) => {
        const others = accounts.filter((one) => one.userName !== userName);
        refuseOutdated(
          accounts.find((one) => !others.includes(one)),
          own,
        );
        return { accounts: [...others, { userName, role, password: hash }], renames };
      });
    });
  }

  async #create({ userName, password, ...rest }: NewUser, max: number): Promise<User> {
    // What is under the name of an account that has another one now must not be of the new account
    await this.#file.settleRenames();
    // Others wait for as long as a hash takes
    refuseTaken(this.#file.writable(), userName);
    const account = { userName, ...rest, password: await this.#hash(password) };
    await this.#change(({ accounts, renames }) => {
      refuseTaken(accounts, userName);
      if (accounts.length >= max) {
        throw new IdentityError('limit', userName, `There are no more than ${max} accounts`);
      }
      return { accounts: [...accounts, account], renames };
    });
    return userOf(account);
  }

  async #update(userName: string, change: UserChange, own?: OwnPasswordChange): Promise<User> {
    const { password, locked: _, ...members } = change;
    const name = change.userName ?? userName;
    const isNew = name !== userName;
    if (isNew) await this.#file.settleRenames();
    const asked = present(this.#file.writable(), userName);
    if (password !== undefined && asked.passwordChangeRequired === true) {
      if (await matchesHash(password, asked.password)) {
        throw new IdentityError('password-refused', name, 'The new password is the old one');
      }
    }
    const hash = password === undefined ? undefined : await this.#hash(password);
    if (hash) own?.foretell(stampOfHash(hash));
    // The file may have changed while the hash was made
    const all = await this.#change(({ accounts, renames }) => {
      const before = present(accounts, userName);
      const others = accounts.filter((one) => one !== before);
      refuseOutdated(before, own);
      if (isNew) refuseTaken(others, name);
      const after = { ...before, ...members, password: hash ?? before.password };
      return {
        accounts: accounts.map((one) => (one === before ? after : one)),
        renames: isNew ? [...renames, { from: userName, to: name }] : renames,
      };
    });
    if (isNew) await this.#follow(userName, name);
    return userOf(present(all, name));
  }

  async #remove(userName: string): Promise<void> {
    await this.#change(({ accounts, renames }) => {
      const account = present(accounts, userName);
      return { accounts: accounts.filter((one) => one !== account), renames };
    });
  }

  /** The account has its new name; what a disk does not let follow now is tried again. */
  async #follow(user: string, name: string): Promise<void> {
    await this.#file.settleRenames().catch((error: unknown) => {
      const fields = { user, name, reason: reasonOf(error) };
      this.#log?.error('not all data of a renamed user has the new name yet', fields);
    });
  }

  /** Nobody may take away the last one that could give rights back. @returns what is written */
  #change(alter: (before: StoredAccounts) => StoredAccounts): Promise<readonly StoredAccount[]> {
    return this.#file.change((before) => {
      const after = alter(before);
      if (
        before.accounts.some(isWorkingAdministrator) &&
        !after.accounts.some(isWorkingAdministrator)
      ) {
        throw new IdentityError(
          'last-administrator',
          '',
          'The last enabled administrator stays as he is',
        );
      }
      return after;
    });
  }

  #stored(userName: string): StoredAccount | undefined {
    return this.#file.current().find((one) => one.userName === userName);
  }
}

/** @throws IdentityError `not-found` */
function present(accounts: readonly StoredAccount[], userName: string): StoredAccount {
  const account = accounts.find((one) => one.userName === userName);
  if (!account) throw new IdentityError('not-found', userName);
  return account;
}

/** @throws IdentityError `exists` */
function refuseTaken(accounts: readonly StoredAccount[], userName: string): void {
  const taken = userName.toLowerCase();
  if (!accounts.some((one) => one.userName.toLowerCase() === taken)) return;
  throw new IdentityError('exists', userName);
}

/** @throws IdentityError `password-refused` to whoever is known by a password that is not that of the account any more */
function refuseOutdated(
  before: StoredAccount | undefined,
  own: OwnPasswordChange | undefined,
): void {
  if (!own || !before || stampOfHash(before.password) === own.passwordStamp) return;
  const message = 'The account has got another password meanwhile';
  throw new IdentityError('password-refused', before.userName, message);
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
