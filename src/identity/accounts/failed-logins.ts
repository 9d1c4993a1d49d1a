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
  /** Of a lock of an account, for the line that says that it has ended. */
  lock?: Lock;
  timer?: NodeJS.Timeout;
}

/** An account that is locked for an address, or an address for which every account is locked. */
export interface Lock {
  readonly of: 'account' | 'address';
  readonly userName: string;
  /** The address of the last failed login. */
  readonly address: string;
  /** 0 for a lock that an administrator must take away. */
  readonly seconds: number;
}

/** Why an account is locked no longer. */
export type LockEnd = 'expired' | 'unlocked';

export interface FailedLoginLimits {
  /** Entries of the table. */
  readonly entries: number;
  /** Failures of one address, over all names, after which it must wait. */
  readonly perAddress: number;
}

/** The longest that an address must wait for its next try. */
const longestWaitMilliseconds = 300_000;
/** Characters of a name that are kept for the line of its lock. */
const maxNameLength = 64;

/**
 * Failed logins, counted for each account and address together: who guesses from his address locks that
 * address out of the account, never its owner at another one. Names that do not exist are counted the
 * same. An address that fails with many names must wait, twice as long after each further failure.
 */
export class FailedLogins {
  readonly #rules: () => LockoutRules;
  readonly #limits: FailedLoginLimits;
  readonly #now: () => number;
  readonly #ended: (lock: Lock, why: LockEnd) => void;
  readonly #table = new Map<string, Failures>();

  /**
   * @param now a clock in milliseconds that never jumps
   * @param ended told of each account that is locked no longer for an address
   */
  constructor(
    rules: () => LockoutRules,
    limits: FailedLoginLimits,
    now: () => number = () => performance.now(),
    ended: (lock: Lock, why: LockEnd) => void = () => undefined,
  ) {
    this.#rules = rules;
    this.#limits = limits;
    this.#now = now;
    this.#ended = ended;
  }

  get size(): number {
    return this.#table.size;
  }

  /** Whether this address may not even try. */
  isLocked(userName: string, address: string): boolean {
    return this.#locks(pairKey(userName, address)) || this.#locks(digest(address));
  }

  /** Failed logins of an address of late, over all names. */
  failuresOf(address: string): number {
    const entry = this.#table.get(digest(address));
    return entry === undefined || this.#isOver(entry) ? 0 : entry.count;
  }

  /** Whether any address is locked out of the account: what `Locked` of its resource shows. */
  isAccountLocked(userName: string): boolean {
    const account = digest(userName);
    return [...this.#table].some(([key, entry]) => entry.account === account && this.#locks(key));
  }

  /** @returns the locks that began with this failure */
  failed(userName: string, address: string): readonly Lock[] {
    const locks: Lock[] = [];
    const of = (what: Lock['of'], milliseconds: number): Lock => {
      const seconds = Number.isFinite(milliseconds) ? Math.ceil(milliseconds / 1000) : 0;
      return { of: what, userName: userName.slice(0, maxNameLength), address, seconds };
    };
    const { threshold, lockSeconds, resetEnabled } = this.#rules();
    const now = this.#now();
    const pair = this.#count(pairKey(userName, address), digest(userName));
    if (threshold > 0 && lockSeconds > 0 && pair.count >= threshold) {
      const milliseconds = resetEnabled ? lockSeconds * 1000 : Number.POSITIVE_INFINITY;
      this.#lock(pair, of('account', milliseconds), now + milliseconds);
      locks.push(pair.lock);
    }
    const whole = this.#count(digest(address), undefined);
    const beyond = whole.count - this.#limits.perAddress;
    if (beyond >= 0) {
      const milliseconds = Math.min(1000 * 2 ** Math.min(beyond, 20), longestWaitMilliseconds);
      whole.lockedUntil = now + milliseconds;
      locks.push(of('address', milliseconds));
    }
    return locks;
  }

  succeeded(userName: string, address: string): void {
    this.#table.delete(pairKey(userName, address));
  }

  /** Takes every lock of an account away. */
  unlock(userName: string): void {
    const account = digest(userName);
    for (const [key, entry] of this.#table) {
      if (entry.account !== account) continue;
      this.#table.delete(key);
      this.#end(entry, 'unlocked');
    }
  }

  #lock(entry: Failures, lock: Lock, until: number): asserts entry is Failures & { lock: Lock } {
    entry.lock = lock;
    entry.lockedUntil = until;
    clearTimeout(entry.timer);
    if (lock.seconds === 0) return;
    entry.timer = setTimeout(() => this.#end(entry, 'expired'), lock.seconds * 1000).unref();
  }

  #end(entry: Failures, why: LockEnd): void {
    clearTimeout(entry.timer);
    const { lock } = entry;
    delete entry.lock;
    if (lock) this.#ended(lock, why);
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
    if (free === undefined) return;
    const gone = this.#table.get(free);
    this.#table.delete(free);
    if (gone) this.#end(gone, 'expired');
  }
}

function pairKey(userName: string, address: string): string {
  return `${digest(userName)} ${digest(address)}`;
}

/** A name is as long as its client likes; what we keep of it is not. */
function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
