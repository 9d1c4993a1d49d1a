import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import {
  type Accounts as StoredState,
  validateAccounts,
} from '../../../schemas/generated/validators.js';
import { Mutex } from '../../core/mutex.ts';
import { readState, StateFile } from '../../storage/state-file.ts';
import { IdentityError } from '../identity-error.ts';
import type { RoleId } from '../roles.ts';
import { type AccountPolicy, policyFaults } from './account-policy.ts';
import { hashPassword, matchesHash, type PasswordHash } from './password-hash.ts';
import {
  type LoginOutcome,
  type NewUser,
  type OwnPasswordChange,
  type Rename,
  removed,
  type User,
  type UserChange,
  type UserChanges,
  type UserDirectory,
  type UserPolicy,
} from './user-directory.ts';

type StoredAccount = StoredState['accounts'][number];

/** What the file holds, and what of it is in force. */
interface State {
  readonly accounts: readonly StoredAccount[];
  /** The newest of all that there ever were, oldest first. */
  readonly renames: readonly Required<Rename>[];
  /** What clients have set over the configuration. */
  readonly policy: Partial<AccountPolicy>;
}

export interface AccountsOptions {
  /** How many accounts there may be. */
  readonly max: number;
  /** The rules until a client sets others. */
  readonly policy: AccountPolicy;
  /** Of new passwords, as of `hashPassword`. */
  readonly hashCost?: number;
}

const form = { what: 'accounts', validator: validateAccounts };

/** An edge that was away for more renames and removals than that ends what it has of names without an account. */
const maxRenames = 1000;

/** A stamp of a new password. */
export function newPasswordStamp(): string {
  return randomBytes(16).toString('hex');
}

/**
 * The accounts in a file, which holds hashes of their passwords, and the rules for them. The program that has the claim to
 * the file (`claimAccounts`) is the only one that writes it.
 */
export class Accounts implements UserDirectory {
  readonly source = 'file';
  readonly changes: UserChanges;
  readonly policy: UserPolicy;
  readonly #options: AccountsOptions;
  readonly #file: StateFile<State>;
  readonly #decoy: Promise<PasswordHash>;
  readonly #followers = new Set<(rename: Rename) => void>();
  readonly #listeners = new Set<() => void>();
  readonly #turn = new Mutex();
  #configured: AccountPolicy;
  #state: State;

  /** @throws SetupError when the file is there but not readable as what it should be */
  constructor(path: string, options: AccountsOptions) {
    this.#options = options;
    this.#configured = options.policy;
    const { accounts = [], renames = [], policy = {} } = readState(path, form) ?? {};
    this.#state = { accounts, renames, policy };
    this.#file = new StateFile(path, this.#state);
    this.#decoy = hashPassword('', options.hashCost);
    this.changes = {
      create: (user) => this.#turn.run(() => this.#create(user)),
      update: (userName, change, own) => this.#turn.run(() => this.#update(userName, change, own)),
      remove: (userName) => this.#turn.run(() => this.#remove(userName)),
    };
    this.policy = {
      read: async () => this.rules,
      change: (members) => this.#turn.run(() => this.#setPolicy(members)),
    };
  }

  /** The rules in force. */
  get rules(): AccountPolicy {
    return { ...this.#configured, ...this.#state.policy };
  }

  /** Sets other rules in place of those of the configuration; what clients have set stays. */
  configure(policy: AccountPolicy): void {
    this.#configured = policy;
    for (const listener of this.#listeners) listener();
  }

  get renames(): readonly Required<Rename>[] {
    return this.#state.renames;
  }

  get users(): readonly User[] {
    return this.#state.accounts.map(userOf);
  }

  async list(): Promise<readonly User[]> {
    return this.users;
  }

  async find(userName: string): Promise<User | undefined> {
    const account = this.#stored(userName);
    return account && userOf(account);
  }

  passwordStamp(userName: string): string | undefined {
    return this.#stored(userName)?.passwordStamp;
  }

  onRename(follow: (rename: Rename) => void): void {
    this.#followers.add(follow);
    for (const rename of this.#state.renames) follow(rename);
  }

  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  async checkPassword(userName: string, password: string): Promise<LoginOutcome> {
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
  setPassword(userName: string, role: RoleId, password: string): Promise<void> {
    return this.#turn.run(async () => {
      const hash = await hashPassword(password, this.#options.hashCost);
      const account = { userName, role, password: hash, passwordStamp: newPasswordStamp() };
      await this.#change(({ accounts }) => ({
        accounts: [...accounts.filter((one) => one.userName !== userName), account],
      }));
    });
  }

  async #create({ userName, password, ...rest }: NewUser): Promise<User> {
    // A refusal need not wait for the hash
    this.#refuseTaken(userName);
    const { max, hashCost } = this.#options;
    if (this.#state.accounts.length >= max) {
      throw new IdentityError('limit', userName, `There are no more than ${max} accounts`);
    }
    const hash = await hashPassword(password, hashCost);
    const account = { userName, ...rest, password: hash, passwordStamp: newPasswordStamp() };
    await this.#change(({ accounts }) => ({ accounts: [...accounts, account] }));
    return userOf(account);
  }

  async #update(userName: string, change: UserChange, own?: OwnPasswordChange): Promise<User> {
    const { password, locked: _, ...members } = change;
    const name = change.userName ?? userName;
    const before = this.#present(userName);
    if (own) refuseOutdated(before, own);
    if (name !== userName) this.#refuseTaken(name, before);
    if (password !== undefined && before.passwordChangeRequired === true) {
      if (await matchesHash(password, before.password)) {
        throw new IdentityError('password-refused', name, 'The new password is the old one');
      }
    }
    const stamp = own?.nextStamp ?? newPasswordStamp();
    const hash = password !== undefined && (await hashPassword(password, this.#options.hashCost));
    const next = hash ? { password: hash, passwordStamp: stamp } : {};
    const after = { ...before, ...members, ...next };
    await this.#change(({ accounts, renames }) => ({
      accounts: accounts.map((one) => (one === before ? after : one)),
      ...(name !== userName && { renames: withRename(renames, userName, name) }),
    }));
    return userOf(after);
  }

  async #remove(userName: string): Promise<void> {
    const account = this.#present(userName);
    await this.#change(({ accounts, renames }) => ({
      accounts: accounts.filter((one) => one !== account),
      renames: withRename(renames, userName, removed),
    }));
  }

  async #setPolicy(members: Partial<AccountPolicy>): Promise<void> {
    // A change cannot mend what stood there before
    const before = policyFaults(this.rules);
    const faults = policyFaults({ ...this.rules, ...members });
    const fault = faults.find((one) => !before.includes(one));
    if (fault !== undefined) throw new IdentityError('rule-refused', '', fault);
    await this.#change(({ policy }) => ({ policy: { ...policy, ...members } }));
  }

  /**
   * The last account that could give rights back stays. What could not be read again is not written. Followers hear of a
   * new name in the same breath in which the account gets it, so that no client finds it there without what it has.
   */
  async #change(alter: (state: State) => Partial<State>): Promise<void> {
    const state = await this.#file.change((before) => {
      const after = { ...before, ...alter(before) };
      if (
        before.accounts.some(isWorkingAdministrator) &&
        !after.accounts.some(isWorkingAdministrator)
      ) {
        const message = 'The last enabled administrator cannot be taken away';
        throw new IdentityError('last-administrator', '', message);
      }
      if (!validateAccounts(structuredClone(after))) throw new IdentityError('rule-refused');
      return after;
    });
    const renames = state.renames.filter((one) => !this.#state.renames.includes(one));
    for (const rename of renames) for (const follow of this.#followers) follow(rename);
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }

  #stored(userName: string): StoredAccount | undefined {
    return this.#state.accounts.find((one) => one.userName === userName);
  }

  /** @throws IdentityError `not-found` */
  #present(userName: string): StoredAccount {
    const account = this.#stored(userName);
    if (!account) throw new IdentityError('not-found', userName);
    return account;
  }

  /** @param own the account that may have the name in another case. @throws IdentityError `exists` */
  #refuseTaken(userName: string, own?: StoredAccount): void {
    const name = userName.toLowerCase();
    const others = this.#state.accounts.filter((one) => one !== own);
    if (!others.some((one) => one.userName.toLowerCase() === name)) return;
    throw new IdentityError('exists', userName);
  }
}

function withRename(
  renames: readonly Required<Rename>[],
  from: string,
  to: string,
): readonly Required<Rename>[] {
  const serial = (renames.at(-1)?.serial ?? 0) + 1;
  return [...renames, { serial, from, to }].slice(-maxRenames);
}

/** @throws IdentityError `password-refused` to a user whose password was replaced meanwhile */
function refuseOutdated(before: StoredAccount, own: OwnPasswordChange): void {
  if (before.passwordStamp === own.passwordStamp) return;
  const message = 'The account has got another password meanwhile';
  throw new IdentityError('password-refused', before.userName, message);
}

function isWorkingAdministrator({ role, enabled = true }: StoredAccount): boolean {
  return role === 'Administrator' && enabled;
}

function userOf(stored: StoredAccount): User {
  const { userName, role, passwordStamp, enabled, passwordChangeRequired } = stored;
  return {
    ...{ userName, role, passwordStamp, accountTypes: ['Redfish', 'WebUI'] },
    enabled: enabled ?? true,
    locked: false,
    passwordChangeRequired: passwordChangeRequired ?? false,
  };
}
