import { backoff } from '../../core/backoff.ts';
import { reasonOf } from '../../core/cert-error.ts';
import type { Log } from '../../core/log.ts';
import type { AccountPolicy } from '../../identity/accounts/account-policy.ts';
import type {
  LoginOutcome,
  OwnPasswordChange,
  PasswordLogin,
  Rename,
  User,
  UserChange,
  UserChanges,
  UserPolicy,
  Users,
} from '../../identity/accounts/user-directory.ts';
import { IdentityError } from '../../identity/identity-error.ts';
import { signatureOf } from '../server/interface.ts';
import type { Signal } from '../transport/bus.ts';
import { NameOwnerWatch } from '../transport/name-owner-watch.ts';
import { fromBusError } from './account-errors.ts';
import {
  type AccountTuple,
  accountsInterface,
  accountsName,
  accountsRoot,
  type Dictionary,
  fromAccount,
  fromPolicy,
  fromRename,
  type RenameTuple,
  toChanges,
  toPolicy,
} from './accounts-interface.ts';

export interface BusAccountsOptions {
  readonly busAddress: string;
  readonly log: Log;
}

/** What is known of the accounts, without a hash. */
interface Copy {
  readonly version: bigint;
  readonly users: ReadonlyMap<string, User>;
  readonly policy: Partial<AccountPolicy>;
}

/** Longer than a queue of logins on a slow device. */
const callMilliseconds = 60_000;

/**
 * The accounts of the account manager, for an edge. It has a live copy of them, so that a request needs no call. While the
 * account manager is away, the last copy counts: sessions and logins with certificates go on, logins with passwords and
 * changes are `unavailable`. Before there is a copy everything is.
 */
export class BusAccounts implements Users {
  readonly source = 'file';
  readonly changes: UserChanges;
  readonly policy: UserPolicy;
  readonly #manager: NameOwnerWatch;
  readonly #log: Log;
  readonly #followers = new Set<(rename: Rename) => void>();
  readonly #listeners = new Set<() => void>();
  #copy: Copy | undefined;
  #renames: readonly Required<Rename>[] = [];
  /** The newest version that a signal told of. */
  #announced = 0n;
  #retry: NodeJS.Timeout | undefined;
  #onKnown = () => {};

  constructor({ busAddress, log }: BusAccountsOptions) {
    this.#log = log;
    this.#manager = new NameOwnerWatch({ busAddress, name: accountsName, log, activate: true });
    this.#manager.onSignal((signal) => this.#hear(signal));
    this.changes = {
      create: ({ userName, password, role, enabled, passwordChangeRequired }) =>
        this.#change('Create', userName, [
          ...[userName, Buffer.from(password), role, enabled, passwordChangeRequired],
        ]),
      update: (userName, change, own) => this.#update(userName, change, own),
      remove: async (userName) => {
        await this.#call('Remove', userName, [userName]);
      },
    };
    this.policy = {
      read: async () => {
        const { policy } = this.#known();
        return { ...noRules, ...policy };
      },
      change: async (members) => {
        await this.#call('SetPolicy', '', [toPolicy(members)]);
      },
    };
  }

  /** Resolves when the accounts are known for the first time, however long that takes. */
  async start(): Promise<void> {
    const known = new Promise<void>((resolve) => {
      this.#onKnown = resolve;
    });
    this.#manager.onFound(() => void this.#watch());
    await this.#manager.start();
    await known;
  }

  close(): void {
    clearTimeout(this.#retry);
    this.#manager.close();
  }

  async list(): Promise<readonly User[]> {
    return [...this.#known().users.values()];
  }

  async find(userName: string): Promise<User | undefined> {
    return this.#known().users.get(userName);
  }

  passwordStamp(userName: string): string | undefined {
    return this.#known().users.get(userName)?.passwordStamp;
  }

  onRename(follow: (rename: Rename) => void): void {
    this.#followers.add(follow);
    for (const rename of this.#renames) follow(rename);
  }

  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  async login(
    { userName, address, edge, id }: PasswordLogin,
    password: string,
  ): Promise<LoginOutcome> {
    const body = [userName, Buffer.from(password), address, edge, id];
    const [result] = await this.#call('Authenticate', userName, body);
    const [kind, account] = result as [string, AccountTuple];
    const user = fromAccount(account);
    if (kind === 'ok' || kind === 'password-expired') {
      // A user with a role that this edge does not know stays out
      return user ? { kind, user } : { kind: 'disabled' };
    }
    return { kind: refusals.find((one) => one === kind) ?? 'wrong' };
  }

  #update(userName: string, change: UserChange, own?: OwnPasswordChange): Promise<User> {
    const changes = toChanges(change);
    const stamps = own ? [own.passwordStamp ?? '', own.nextStamp] : ['', ''];
    const about = change.userName ?? userName;
    return this.#change('Update', about, [userName, changes, ...stamps]);
  }

  async #change(
    member: 'Create' | 'Update',
    userName: string,
    body: readonly unknown[],
  ): Promise<User> {
    const [account] = await this.#call(member, userName, body);
    const user = fromAccount(account as AccountTuple);
    if (user) return user;
    throw new IdentityError('failed', userName);
  }

  async #call(
    member: keyof typeof accountsInterface.methods,
    userName: string,
    body: readonly unknown[],
  ): Promise<readonly unknown[]> {
    try {
      return await this.#manager.call({
        path: accountsRoot,
        interface: accountsInterface.name,
        member,
        signature: signatureOf(accountsInterface.methods[member].in),
        body,
        timeout: callMilliseconds,
      });
    } catch (error) {
      throw fromBusError(error, userName);
    }
  }

  /** @throws IdentityError `unavailable` */
  #known(): Copy {
    if (this.#copy) return this.#copy;
    throw new IdentityError('unavailable');
  }

  /** Learns of everything, and goes on until that succeeds. */
  async #watch(pauses = backoff(250, 10_000)): Promise<void> {
    clearTimeout(this.#retry);
    this.#announced = 0n;
    try {
      const [state] = await this.#call('Watch', '', []);
      const [version, accounts, renames, policy] = state as [
        bigint,
        AccountTuple[],
        RenameTuple[],
        Dictionary,
      ];
      this.#adopt(version, new Map(), accounts, renames, policy);
      // A change that was told while the answer was on its way
      if (this.#announced > version) return await this.#watch(pauses);
    } catch (error) {
      if (!this.#manager.isOwned) return;
      this.#log.warn('the accounts are not known, asking again', { reason: reasonOf(error) });
      this.#retry = setTimeout(() => void this.#watch(pauses), pauses.next().value);
    }
  }

  #hear({ path, interface: name, member, body }: Signal): void {
    if (path !== accountsRoot || name !== accountsInterface.name || member !== 'Changed') return;
    const [version, accounts, gone, renames, policy] = body as [
      bigint,
      AccountTuple[],
      string[],
      RenameTuple[],
      Dictionary,
    ];
    this.#announced = version;
    if (!this.#copy || version !== this.#copy.version + 1n) return void this.#watch();
    const users = new Map(this.#copy.users);
    for (const userName of gone) users.delete(userName);
    this.#adopt(version, users, accounts, renames, policy);
  }

  /** Followers hear of a new name in the same breath in which the account is found by it. */
  #adopt(
    version: bigint,
    users: Map<string, User>,
    accounts: readonly AccountTuple[],
    renames: readonly RenameTuple[],
    policy: Dictionary,
  ): void {
    const last = this.#renames.at(-1)?.serial ?? 0;
    const fresh = renames.map(fromRename).filter(({ serial }) => serial > last);
    this.#renames = [...this.#renames, ...fresh];
    for (const rename of fresh) for (const follow of this.#followers) follow(rename);
    for (const account of accounts) {
      const user = fromAccount(account);
      if (user) users.set(user.userName, user);
      else users.delete(account[0]);
    }
    this.#copy = { version, users, policy: fromPolicy(policy) ?? {} };
    this.#onKnown();
    for (const listener of this.#listeners) listener();
  }
}

const refusals = ['wrong', 'locked', 'disabled', 'busy'] as const;

/** What a policy of which nothing is known says. */
const noRules: AccountPolicy = {
  ...{ minPasswordLength: 1, maxPasswordLength: 1024 },
  ...{ lockoutThreshold: 0, lockoutSeconds: 0, lockoutResetSeconds: 0, lockoutResetEnabled: true },
};
