import type { Audit } from '../../core/audit.ts';
import { addressGroup } from '../../core/client-address.ts';
import { FairQueue, QueueFull } from '../../core/fair-queue.ts';
import { IdentityError } from '../identity-error.ts';
import { passwordRulesOf } from './account-policy.ts';
import {
  type FailedLoginLimits,
  FailedLogins,
  type Lock,
  type LockEnd,
  type LockoutRules,
} from './failed-logins.ts';
import { passwordFault } from './password-rules.ts';
import type {
  LoginOutcome,
  NewUser,
  OwnPasswordChange,
  PasswordLogin,
  Rename,
  User,
  UserChange,
  UserChanges,
  UserDirectory,
  UserPolicy,
  Users,
} from './user-directory.ts';
import { userNameFault } from './user-names.ts';

export interface GuardOptions {
  readonly rules: () => LockoutRules;
  /** The most logins that wait for their password check. */
  readonly queuedLogins: number;
  readonly failedLogins: FailedLoginLimits;
  readonly audit: Audit;
  /** A clock in milliseconds that never jumps. */
  readonly now?: () => number;
}

/**
 * Users whose passwords cannot be guessed: logins in fair turns, locks for addresses that guess, rules for new names and
 * passwords. Each lock has a line of the audit when it begins, and when that of an account ends.
 */
export class GuardedUsers implements Users {
  readonly source: Users['source'];
  readonly changes: UserChanges;
  readonly #directory: UserDirectory;
  readonly #audit: Audit;
  readonly #failures: FailedLogins;
  readonly #queue: FairQueue;
  readonly #onLock = new Set<() => void>();

  constructor(directory: UserDirectory, options: GuardOptions) {
    const { rules, failedLogins, queuedLogins, audit, now } = options;
    this.source = directory.source;
    this.#directory = directory;
    this.#audit = audit;
    const ended = (lock: Lock, why: LockEnd) => this.#ended(lock, why);
    this.#failures = new FailedLogins(rules, failedLogins, now, ended);
    this.#queue = new FairQueue(queuedLogins, (address) => this.#failures.failuresOf(address));
    this.changes = {
      create: (user) => this.#create(user),
      update: (userName, change, own) => this.#update(userName, change, own),
      remove: (userName) => this.#remove(userName),
    };
  }

  get policy(): UserPolicy {
    return this.#directory.policy;
  }

  async list(): Promise<readonly User[]> {
    return (await this.#directory.list()).map((user) => this.withLock(user));
  }

  async find(userName: string): Promise<User | undefined> {
    const user = await this.#directory.find(userName);
    return user && this.withLock(user);
  }

  passwordStamp(userName: string): string | undefined {
    return this.#directory.passwordStamp(userName);
  }

  onRename(follow: (rename: Rename) => void): void {
    this.#directory.onRename(follow);
  }

  onChange(listener: () => void): void {
    this.#directory.onChange(listener);
  }

  /** Told when an account is locked for an address, and when it is not any more. */
  onLock(listener: () => void): void {
    this.#onLock.add(listener);
  }

  /** The user as `locked` tells others. */
  withLock(user: User): User {
    return { ...user, locked: user.locked || this.#failures.isAccountLocked(user.userName) };
  }

  /** Takes the locks of an account away, for one who got a new password. */
  unlock(userName: string): void {
    this.#failures.unlock(userName);
  }

  async login(attempt: PasswordLogin, password: string): Promise<LoginOutcome> {
    const locks: Lock[] = [];
    const outcome = await this.#inTurn(attempt, password, locks);
    // Not where the password is checked: that is in the turn, and so in the change, of another client
    for (const { of, seconds } of locks) {
      const { userName: user, address, edge, id } = attempt;
      this.#audit.write('lockout begun', { user, address, edge, attempt: id, of, seconds });
    }
    if (locks.some(({ of }) => of === 'account')) this.#tell();
    return outcome;
  }

  async #inTurn(
    { userName, address: clientAddress }: PasswordLogin,
    password: string,
    locks: Lock[],
  ): Promise<LoginOutcome> {
    const address = addressGroup(clientAddress);
    const isLocked = () => this.#failures.isLocked(userName, address);
    const check = async (): Promise<LoginOutcome> => {
      // Asked again here: many that wait together must not get past the count
      if (isLocked()) return { kind: 'locked' };
      const outcome = await this.#directory.checkPassword(userName, password, clientAddress);
      if (outcome.kind === 'wrong') locks.push(...this.#failures.failed(userName, address));
      if ('user' in outcome) this.#failures.succeeded(userName, address);
      return 'user' in outcome ? { ...outcome, user: this.withLock(outcome.user) } : outcome;
    };
    if (isLocked()) return { kind: 'locked' };
    try {
      return await this.#queue.take(address, check);
    } catch (error) {
      if (error instanceof QueueFull) return { kind: 'busy' };
      throw error;
    }
  }

  async #create(user: NewUser): Promise<User> {
    refuseBadName(user.userName);
    await this.#refuseBadPassword(user.userName, user.password);
    const made = await this.#directory.changes.create(user);
    this.unlock(made.userName);
    return this.withLock(made);
  }

  async #update(userName: string, change: UserChange, own?: OwnPasswordChange): Promise<User> {
    const { userName: newName, password, locked } = change;
    if (newName !== undefined && newName !== userName) refuseBadName(newName);
    if (password !== undefined) await this.#refuseBadPassword(newName ?? userName, password);
    const user = await this.#directory.changes.update(userName, change, own);
    const isRenamed = user.userName !== userName;
    // Who has a new password was not to be kept out for the guesses at the old one
    if (isRenamed || password !== undefined || locked === false) this.unlock(userName);
    if (isRenamed) this.unlock(user.userName);
    return this.withLock(user);
  }

  async #remove(userName: string): Promise<void> {
    await this.#directory.changes.remove(userName);
    this.unlock(userName);
  }

  /** @throws IdentityError `password-refused` */
  async #refuseBadPassword(userName: string, password: string): Promise<void> {
    const fault = passwordFault(password, userName, passwordRulesOf(await this.policy.read()));
    if (fault !== undefined) throw new IdentityError('password-refused', userName, fault);
  }

  #ended({ userName: user, address, of }: Lock, reason: LockEnd): void {
    const write = () => this.#audit.write('lockout ended', { user, address, of, reason });
    if (reason === 'expired') this.#audit.apart(write);
    else write();
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#onLock) listener();
  }
}

/** @throws IdentityError `name-refused` */
function refuseBadName(userName: string): void {
  const fault = userNameFault(userName);
  if (fault !== undefined) throw new IdentityError('name-refused', userName, fault);
}
