import { createHash, randomBytes } from 'node:crypto';
import type { Account } from './accounts.ts';

export interface Session {
  readonly id: string;
  readonly account: Account;
  /** Address of the client that logged in. */
  readonly address: string;
  readonly context: string | undefined;
  readonly created: number;
  lastUsed: number;
}

export interface SessionLimits {
  readonly sessions: number;
  readonly idleMilliseconds: number;
}

/** Sessions by their tokens; a token is known to its client alone, we keep its hash. */
export class Sessions {
  readonly #limits: SessionLimits;
  readonly #now: () => number;
  readonly #byTokenHash = new Map<string, Session>();

  /** @param now a clock in milliseconds that never jumps */
  constructor(limits: SessionLimits, now: () => number = () => performance.now()) {
    this.#limits = limits;
    this.#now = now;
  }

  /** When there are too many sessions, the one that was idle for longest ends. */
  create(account: Account, address: string, context?: string): { session: Session; token: string } {
    this.#dropIdle();
    while (this.#byTokenHash.size >= this.#limits.sessions) this.#dropOldest();
    const token = randomBytes(32).toString('hex');
    const now = this.#now();
    const id = randomBytes(8).toString('hex');
    const session: Session = { id, account, address, context, created: now, lastUsed: now };
    this.#byTokenHash.set(hashOf(token), session);
    return { session, token };
  }

  /** The session of a token, whose idle time begins anew. */
  use(token: string): Session | undefined {
    this.#dropIdle();
    const session = this.#byTokenHash.get(hashOf(token));
    if (session) session.lastUsed = this.#now();
    return session;
  }

  get(id: string): Session | undefined {
    this.#dropIdle();
    return this.list().find((session) => session.id === id);
  }

  list(): readonly Session[] {
    this.#dropIdle();
    return [...this.#byTokenHash.values()];
  }

  end(id: string): void {
    for (const [hash, session] of this.#byTokenHash) {
      if (session.id === id) this.#byTokenHash.delete(hash);
    }
  }

  #dropIdle(): void {
    const oldest = this.#now() - this.#limits.idleMilliseconds;
    for (const [hash, session] of this.#byTokenHash) {
      if (session.lastUsed < oldest) this.#byTokenHash.delete(hash);
    }
  }

  #dropOldest(): void {
    const entries = [...this.#byTokenHash.entries()];
    const [oldest] = entries.sort(([, a], [, b]) => a.lastUsed - b.lastUsed);
    if (oldest) this.#byTokenHash.delete(oldest[0]);
  }
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
