import { createHash } from 'node:crypto';

/** Members of AccountService; a threshold or a duration of 0 means that nothing is ever locked. */
export interface LockoutRules {
  readonly threshold: number;
  readonly lockSeconds: number;
  readonly resetSeconds: number;
  /** Without it failures never age, and a lock lasts until an administrator takes it away. */
  readonly resetEnabled: boolean;
}

interface Failures {
  readonly account: string | undefined;
  count: number;
  last: number;
  lockedUntil: number;
}

/** What a failed login locked: the account for the address, or every account for it. */
export type Lock = 'account' | 'address';

export interface FailedLoginLimits {
  /** Entries of the table. */
  readonly entries: number;
  /** Failures of one address, over all names, after which it must wait. */
  readonly perAddress: number;
}

/** The longest that an address must wait for its next try. */
const longestWaitMilliseconds = 300_000;

/**
 * Failed logins, counted for each account and address together: who guesses from his address locks that
 * address out of the account, never its owner at another one. Names that do not exist are counted the
 * same. An address that fails with many names must wait, twice as long after each further failure. A new password
 * begins the count of its account anew: an operator who has forgotten the old one and sets another is let in.
 */
export class FailedLogins {
  readonly #rules: () => LockoutRules;
  readonly #limits: FailedLoginLimits;
  readonly #now: () => number;
  readonly #stampOf: (userName: string) => string | undefined;
  readonly #table = new Map<string, Failures>();

  /**
   * @param now a clock in milliseconds that never jumps
   * @param stampOf the stamp of a user's password as it is now
   */
  constructor(
    rules: () => LockoutRules,
    limits: FailedLoginLimits,
    now: () => number = () => performance.now(),
    stampOf: (userName: string) => string | undefined = () => undefined,
  ) {
    this.#rules = rules;
    this.#limits = limits;
    this.#now = now;
    this.#stampOf = stampOf;
  }

  get size(): number {
    return this.#table.size;
  }

  /** Whether this address may not even try. */
  isLocked(userName: string, address: string): boolean {
    return this.#locks(this.#pairKey(userName, address)) || this.#locks(addressKey(address));
  }

  /** Failed logins of an address of late, over all names. */
  failuresOf(address: string): number {
    const entry = this.#table.get(addressKey(address));
    return entry === undefined || this.#isOver(entry) ? 0 : entry.count;
  }

  /** Whether any address is locked out of the account: what `Locked` of its resource shows. */
  isAccountLocked(userName: string): boolean {
    const account = this.#accountKey(userName);
    return [...this.#table].some(([key, entry]) => entry.account === account && this.#locks(key));
  }

  /** @returns the locks that began with this failure */
  failed(userName: string, address: string): readonly Lock[] {
    const locks: Lock[] = [];
    const { threshold, lockSeconds, resetEnabled } = this.#rules();
    const now = this.#now();
    const pair = this.#count(this.#pairKey(userName, address), this.#accountKey(userName));
    if (threshold > 0 && lockSeconds > 0 && pair.count >= threshold) {
      pair.lockedUntil = resetEnabled ? now + lockSeconds * 1000 : Number.POSITIVE_INFINITY;
      locks.push('account');
    }
    const whole = this.#count(addressKey(address), undefined);
    const beyond = whole.count - this.#limits.perAddress;
    if (beyond >= 0) {
      whole.lockedUntil = now + Math.min(1000 * 2 ** Math.min(beyond, 20), longestWaitMilliseconds);
      locks.push('address');
    }
    return locks;
  }

  succeeded(userName: string, address: string): void {
    this.#table.delete(this.#pairKey(userName, address));
  }

  /** Takes every lock of an account away. */
  unlock(userName: string): void {
    const account = this.#accountKey(userName);
    for (const [key, entry] of this.#table) if (entry.account === account) this.#table.delete(key);
  }

  #pairKey(userName: string, address: string): string {
    return `${this.#accountKey(userName)} ${digest(address)}`;
  }

  #accountKey(userName: string): string {
    return digest(`${this.#stampOf(userName) ?? ''} ${userName}`);
  }

  #locks(key: string): boolean {
    const entry = this.#table.get(key);
    return entry !== undefined && entry.lockedUntil > this.#now();
  }

  #count(key: string, account: string | undefined): Failures {
    const now = this.#now();
    const entry = this.#table.get(key) ?? { account, count: 0, last: now, lockedUntil: 0 };
    if (this.#isOver(entry)) entry.count = 0;
    entry.count += 1;
    entry.last = now;
    this.#table.delete(key);
    this.#makeRoom();
    this.#table.set(key, entry);
    return entry;
  }

  /** A lock that has run out begins the count anew, as does the time that resets it. */
  #isOver({ account, last, lockedUntil }: Failures): boolean {
    const { resetSeconds, resetEnabled } = this.#rules();
    const now = this.#now();
    if (account !== undefined && lockedUntil > 0 && lockedUntil <= now) return true;
    if (account !== undefined && !resetEnabled) return false;
    const reset = account === undefined ? longestWaitMilliseconds * 2 : resetSeconds * 1000;
    return now - last >= reset;
  }

  /** The oldest goes, one without a lock before any with one. */
  #makeRoom(): void {
    if (this.#table.size < this.#limits.entries) return;
    const keys = [...this.#table.keys()];
    const free = keys.find((key) => !this.#locks(key)) ?? keys[0];
    if (free !== undefined) this.#table.delete(free);
  }
}

function addressKey(address: string): string {
  return digest(address);
}

/** A name is as long as its client likes; what we keep of it is not. */
function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
