import type { Log } from '../../core/log.ts';
import { Mutex } from '../../core/mutex.ts';
import {
  type SystemUser,
  SystemUserError,
  type SystemUserSetting,
  type SystemUsers,
} from '../../platform/system-users.ts';
import type { AccountPolicy } from '../accounts/account-policy.ts';
import type {
  LoginOutcome,
  NewUser,
  Rename,
  User,
  UserChange,
  UserChanges,
  UserDirectory,
  UserPolicy,
} from '../accounts/user-directory.ts';
import { IdentityError } from '../identity-error.ts';
import { ExpiredPasswords } from './expired-passwords.ts';
import { type Passwords, PasswordsBusy, PasswordsUnavailable } from './passwords.ts';
import { askUserManager } from './system-user-errors.ts';
import {
  asUser,
  isSystemName,
  isWorkingAdministrator,
  ownGroups,
  privileges,
} from './system-user-view.ts';

export interface SystemUserDirectoryOptions {
  readonly users: SystemUsers;
  readonly passwords: Passwords;
  /** The rules that the user manager does not have. */
  readonly policy: AccountPolicy;
  readonly log: Log;
}

/**
 * The users of the system's user manager, with the passwords of PAM. It holds nothing: every
 * request sees a user as he is at that moment. While the user manager is away, every question is answered
 * with the error `unavailable`; sessions outlive that.
 */
export class SystemUserDirectory implements UserDirectory {
  readonly changes: UserChanges;
  readonly source = 'bus';
  readonly policy: UserPolicy;
  readonly #users: SystemUsers;
  readonly #passwords: Passwords;
  readonly #log: Log;
  readonly #expired = new ExpiredPasswords();
  readonly #followers = new Set<(rename: Rename) => void>();
  readonly #turn = new Mutex();

  constructor({ users, passwords, policy, log }: SystemUserDirectoryOptions) {
    this.#users = users;
    this.#passwords = passwords;
    this.#log = log;
    this.changes = {
      create: (user) => this.#turn.run(() => this.#create(user)),
      update: (userName, change) => this.#turn.run(() => this.#update(userName, change)),
      remove: (userName) => this.#turn.run(() => this.#remove(userName)),
    };
    this.policy = {
      read: async () => ({ ...policy, ...(await askUserManager('', this.#users.policy())) }),
      change: (members) => askUserManager('', this.#users.setPolicy(members), 'rule-refused'),
    };
  }

  onRename(follow: (rename: Rename) => void): void {
    this.#followers.add(follow);
  }

  /** The user manager is asked at each request, and tells of nothing. */
  onChange(): void {}

  async list(): Promise<readonly User[]> {
    const users = await askUserManager('', this.#users.list());
    return users.flatMap((one) => this.#userOf(one) ?? []);
  }

  async find(userName: string): Promise<User | undefined> {
    const known = await this.#ask(userName);
    return known && this.#userOf(known);
  }

  /** PAM tells no program of a new password. */
  passwordStamp(): undefined {
    return undefined;
  }

  async checkPassword(
    userName: string,
    password: string,
    clientAddress: string,
  ): Promise<LoginOutcome> {
    if (!isSystemName(userName)) return { kind: 'wrong' };
    // A user name that does not resolve need not count as a failure in PAM
    if (!this.#users.isThere) throw new IdentityError('unavailable', userName);
    let answer: Awaited<ReturnType<Passwords['check']>>;
    try {
      answer = await this.#passwords.check(userName, password, clientAddress);
    } catch (error) {
      if (error instanceof PasswordsBusy) return { kind: 'busy' };
      throw asUnavailable(error, userName);
    }
    const known = await this.#ask(userName);
    const user = known && asUser(known);
    if (!user || answer === 'wrong') return { kind: 'wrong' };
    if (user.locked || answer === 'locked') return { kind: 'locked' };
    if (!user.enabled) return { kind: 'disabled' };
    if (answer === 'right' && !user.passwordChangeRequired) {
      this.#expired.forget(userName);
      return { kind: 'ok', user };
    }
    await this.#expired.note(userName, password);
    return { kind: 'password-expired', user: { ...user, passwordChangeRequired: true } };
  }

  async #create({ userName, password, role, enabled, ...rest }: NewUser): Promise<User> {
    if (!isSystemName(userName)) await this.#refuseName(userName);
    const privilege = privileges[role];
    const user = { name: userName, groups: ownGroups, privilege, enabled };
    await askUserManager(userName, this.#users.create(user));
    this.#expired.forget(userName);
    try {
      await this.#setPassword(userName, password);
      if (rest.passwordChangeRequired) {
        await this.#set(userName, { attribute: 'passwordExpired', value: true });
      }
    } catch (error) {
      await this.#putRight(userName, () => this.#users.remove(userName));
      throw error;
    }
    return this.#present(userName);
  }

  /** The password comes after what can be taken back, and what cannot be refused comes after the password. */
  async #update(userName: string, change: UserChange): Promise<User> {
    const before = await this.#local(userName);
    const user = this.#userOf(before);
    if (!user) throw new IdentityError('not-found', userName);
    const name = change.userName ?? userName;
    if (!isSystemName(name)) await this.#refuseName(name);
    const role = change.role ?? user.role;
    const enabled = change.enabled ?? before.enabled;
    if (role !== 'Administrator' || !enabled) await this.#keepAnAdministrator(before);
    const { password } = change;
    if (password !== undefined && (await this.#expired.is(userName, password))) {
      throw new IdentityError('password-refused', name, 'The new password is the old one');
    }
    const undo: (() => Promise<void>)[] = [];
    const apply = async (setting: SystemUserSetting, old: SystemUserSetting) => {
      await this.#set(name, setting);
      undo.unshift(() => this.#users.set(name, old));
    };
    try {
      if (name !== userName) {
        await this.#rename(userName, name);
        undo.unshift(() => this.#rename(name, userName));
      }
      if (role !== user.role) {
        const old = { attribute: 'privilege', value: before.privilege } as const;
        await apply({ attribute: 'privilege', value: privileges[role] }, old);
      }
      if (enabled !== before.enabled) {
        const old = { attribute: 'enabled', value: before.enabled } as const;
        await apply({ attribute: 'enabled', value: enabled }, old);
      }
      if (password !== undefined) await this.#setPassword(name, password);
    } catch (error) {
      for (const step of undo) await this.#putRight(name, step);
      throw error;
    }
    await this.#setExpiry(name, before, change);
    if (change.locked === false) await this.#set(name, { attribute: 'locked', value: false });
    return this.#present(name);
  }

  /**
   * The user manager has no record of it that outlives a crash: what does not follow in time has no owner, and goes with
   * the next look after users who are gone.
   */
  async #rename(from: string, to: string): Promise<void> {
    await askUserManager(to, this.#users.rename(from, to));
    this.#expired.rename(from, to);
    for (const follow of this.#followers) follow({ from, to });
  }

  /**
   * A new password has not expired. PAM notes that where the user manager reads it; where PAM keeps it elsewhere, we tell
   * the user manager.
   */
  async #setExpiry(userName: string, before: SystemUser, change: UserChange): Promise<void> {
    const asked = change.passwordChangeRequired;
    const isNew = change.password !== undefined;
    if (isNew || asked === false) this.#expired.forget(userName);
    const now = isNew ? await this.#local(userName) : before;
    const wanted = asked ?? (isNew ? false : now.passwordExpired);
    if (wanted === now.passwordExpired) return;
    const setting = { attribute: 'passwordExpired', value: wanted } as const;
    if (wanted || !isNew) await this.#set(userName, setting);
    else await this.#putRight(userName, () => this.#users.set(userName, setting));
  }

  async #remove(userName: string): Promise<void> {
    await this.#keepAnAdministrator(await this.#local(userName));
    await askUserManager(userName, this.#users.remove(userName));
    this.#expired.forget(userName);
  }

  /** The last administrator, who could give rights back, stays. */
  async #keepAnAdministrator(leaving: SystemUser): Promise<void> {
    if (!isWorkingAdministrator(leaving)) return;
    const all = await askUserManager('', this.#users.list());
    const others = all.filter(({ name }) => name !== leaving.name);
    if (others.some(isWorkingAdministrator)) return;
    const message = 'The last enabled administrator stays as he is';
    throw new IdentityError('last-administrator', leaving.name, message);
  }

  #userOf(one: SystemUser): User | undefined {
    const user = asUser(one);
    return user && this.#expired.has(one.name) ? { ...user, passwordChangeRequired: true } : user;
  }

  /**
   * A user whom the manager cannot tell about is one who is not there: it also says so of names that are
   * unknown, when the service for remote users does not run.
   */
  async #ask(userName: string): Promise<SystemUser | undefined> {
    if (!isSystemName(userName)) return undefined;
    const asked = this.#users.find(userName).catch((error: unknown) => {
      const fault = error instanceof SystemUserError ? error.fault : undefined;
      if (fault === 'failed' || fault === 'argument-refused') return undefined;
      throw error;
    });
    return askUserManager(userName, asked);
  }

  async #present(userName: string): Promise<User> {
    const user = await this.find(userName);
    if (!user) throw new IdentityError('not-found', userName);
    return user;
  }

  /** @throws IdentityError `not-found`, `read-only` for a remote one */
  async #local(userName: string): Promise<SystemUser> {
    const known = await this.#ask(userName);
    if (!known || !this.#userOf(known)) throw new IdentityError('not-found', userName);
    if (known.remote) {
      throw new IdentityError('read-only', userName, 'This user is kept elsewhere');
    }
    return known;
  }

  #refuseName(userName: string): Promise<never> {
    return askUserManager(
      userName,
      Promise.reject(new SystemUserError('argument-refused', 'no name of a system')),
    );
  }

  #set(userName: string, setting: SystemUserSetting): Promise<void> {
    return askUserManager(userName, this.#users.set(userName, setting));
  }

  async #setPassword(userName: string, password: string): Promise<void> {
    await this.#passwords.set(userName, password).catch((error: unknown) => {
      throw asUnavailable(error, userName);
    });
  }

  async #putRight(userName: string, step: () => Promise<void>): Promise<void> {
    await step().catch((error: unknown) => {
      this.#log.error('state of a user not put right', { user: userName, reason: String(error) });
    });
  }
}

function asUnavailable(error: unknown, userName: string): unknown {
  const isAway = error instanceof PasswordsBusy || error instanceof PasswordsUnavailable;
  return isAway ? new IdentityError('unavailable', userName) : error;
}
