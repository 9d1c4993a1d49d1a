import { createHash, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';

export interface Session {
  readonly id: string;
  userName: string;
  /** Address of the client that logged in. */
  readonly address: string;
  readonly context: string | undefined;
  /** When it began, in milliseconds since 1970. */
  readonly createdAt: number;
  /** That of the password by which it counts; `undefined` where the directory of users knows of none. */
  passwordStamp: string | undefined;
  /** SHA-256 of what a browser must repeat in X-XSRF-TOKEN; absent unless the token is in a cookie. */
  readonly xsrfHash: string | undefined;
  lastUsed: number;
}

/**
 * Why a session ended: its DELETE, no request for too long, a newer session in its place, another password of
 * its user, or a change of its user's account.
 */
export type SessionEnd = 'deleted' | 'idle' | 'displaced' | 'password-changed' | 'account-changed';

type TellEnd = (session: Session, reason: SessionEnd) => void;

export interface SessionLimits {
  readonly sessions: number;
  readonly perUser: number;
  readonly idleMilliseconds: () => number;
}

export interface NewSession {
  readonly userName: string;
  readonly address: string;
  readonly context?: string | undefined;
  /** That of the password of the login; the one of now unless given. */
  readonly passwordStamp?: string | undefined;
  /** The token goes into a cookie of a browser. */
  readonly cookie?: boolean;
}

/** A session with the hash of its token, to be kept over a restart. */
export interface KeptSession extends Omit<Session, 'lastUsed'> {
  readonly tokenHash: string;
  readonly idleMilliseconds: number;
}

/** Sessions by their tokens; a token is known to its client alone, we keep its hash. */
export class Sessions {
  readonly #limits: SessionLimits;
  readonly #now: () => number;
  readonly #stampOf: (userName: string) => string | undefined;
  readonly #byTokenHash = new Map<string, Session>();
  /** Stamps of passwords that users set over their own sessions, by the ids of those. */
  readonly #foretold = new Map<string, string>();
  readonly #onEnd = new Set<TellEnd>();
  #kept: () => Promise<unknown> = async () => undefined;

  /**
   * @param now a clock in milliseconds that never jumps
   * @param stampOf the stamp of a user's password as it is now: a session of another one has ended
   */
  constructor(
    limits: SessionLimits,
    now: () => number = () => performance.now(),
    stampOf: (userName: string) => string | undefined = () => undefined,
  ) {
    this.#limits = limits;
    this.#now = now;
    this.#stampOf = stampOf;
  }

  /**
   * A user's oldest session gives way to the user's new session, and in a full table the oldest of the user that
   * has the most: the logins of one user never end the sessions of all others.
   */
  create({ userName, address, context, cookie, passwordStamp }: NewSession): {
    readonly session: Session;
    readonly token: string;
    readonly xsrfToken: string | undefined;
  } {
    this.endIdle();
    const ofUser = () => this.list().filter((one) => one.userName === userName);
    while (ofUser().length >= this.#limits.perUser) this.#endOldest(ofUser());
    while (this.#byTokenHash.size >= this.#limits.sessions) this.#endOldest(this.#maxOfOneUser());
    const token = randomBytes(32).toString('hex');
    const xsrfToken = cookie === true ? randomBytes(16).toString('hex') : undefined;
    const session: Session = {
      id: randomUUID().replaceAll('-', '').slice(0, 16),
      userName,
      address,
      context,
      createdAt: Date.now(),
      passwordStamp: passwordStamp ?? this.#stampOf(userName),
      xsrfHash: xsrfToken === undefined ? undefined : hashOf(xsrfToken),
      lastUsed: this.#now(),
    };
    this.#byTokenHash.set(hashOf(token), session);
    return { session, token, xsrfToken };
  }

  /** The session of a token. */
  find(token: string): Session | undefined {
    this.endIdle();
    return this.#current(this.#byTokenHash.get(hashOf(token)));
  }

  /** The session of a token, whose idle time begins anew. */
  use(token: string): Session | undefined {
    const session = this.find(token);
    if (session) session.lastUsed = this.#now();
    return session;
  }

  get(id: string): Session | undefined {
    this.endIdle();
    return this.#current([...this.#byTokenHash.values()].find((session) => session.id === id));
  }

  list(): readonly Session[] {
    this.endIdle();
    return [...this.#byTokenHash.values()].filter((session) => this.#current(session));
  }

  /** A session goes on with the password that its user sets over it, from the moment that this one counts. */
  foretell(id: string, passwordStamp: string): void {
    if (this.get(id)) this.#foretold.set(id, passwordStamp);
  }

  /** The sessions of a user go on under the new name, from this moment on. */
  rename(from: string, to: string): void {
    for (const session of this.#byTokenHash.values()) {
      if (session.userName === from) session.userName = to;
    }
  }

  end(id: string, reason: SessionEnd = 'account-changed'): void {
    this.#endWhere((session) => session.id === id, reason);
  }

  /** Ends all sessions of a user but one. */
  endOf(userName: string, exceptId?: string): void {
    const isOther = (session: Session) => session.userName === userName && session.id !== exceptId;
    this.#endWhere(isOther, 'account-changed');
  }

  endAll(): void {
    this.#endWhere(() => true, 'account-changed');
  }

  endIdle(): void {
    const oldest = this.#now() - this.#limits.idleMilliseconds();
    this.#endWhere((session) => session.lastUsed < oldest, 'idle');
  }

  /**
   * To be waited for before a client is told that a session has ended: a power cut must not bring back a
   * token that its owner believes to be worth nothing.
   */
  async ended(): Promise<void> {
    await this.#kept().catch(() => undefined);
  }

  /** As `ended`, where a session may come back on no account. @throws when the file cannot say so now */
  async endedForGood(): Promise<void> {
    await this.#kept();
  }

  /** @param kept settles when the file has what is true now */
  keepWith(kept: () => Promise<unknown>): void {
    this.#kept = kept;
  }

  /** Tells of each session that ends, for whatever reason. @returns stops the telling */
  onEnd(tell: TellEnd): () => void {
    this.#onEnd.add(tell);
    return () => this.#onEnd.delete(tell);
  }

  keep(): readonly KeptSession[] {
    const now = this.#now();
    this.list();
    return [...this.#byTokenHash].map(([tokenHash, { lastUsed, ...session }]) => ({
      ...session,
      tokenHash,
      idleMilliseconds: now - lastUsed,
    }));
  }

  restore(kept: readonly KeptSession[]): void {
    const now = this.#now();
    for (const { tokenHash, idleMilliseconds, ...session } of kept.slice(-this.#limits.sessions)) {
      this.#byTokenHash.set(tokenHash, { ...session, lastUsed: now - idleMilliseconds });
    }
    this.endIdle();
  }

  /** A session, unless its user has another password by now: others may know the old one. */
  #current(session: Session | undefined): Session | undefined {
    if (!session) return undefined;
    const { id, userName, passwordStamp } = session;
    const now = this.#stampOf(userName);
    if (now === passwordStamp) return session;
    if (now === undefined || now !== this.#foretold.get(id)) {
      this.end(id, 'password-changed');
      return undefined;
    }
    this.#foretold.delete(id);
    session.passwordStamp = now;
    return session;
  }

  #endWhere(matches: (session: Session) => boolean, reason: SessionEnd): void {
    for (const [hash, session] of this.#byTokenHash) {
      if (!matches(session)) continue;
      this.#byTokenHash.delete(hash);
      this.#foretold.delete(session.id);
      for (const tell of this.#onEnd) tell(session, reason);
    }
  }

  #maxOfOneUser(): readonly Session[] {
    const sessions = [...this.#byTokenHash.values()];
    const lists = [...new Set(sessions.map(({ userName }) => userName))].map((userName) =>
      sessions.filter((one) => one.userName === userName),
    );
    const [max = []] = lists.sort((a, b) => b.length - a.length);
    return max;
  }

  #endOldest(sessions: readonly Session[]): void {
    const [oldest] = [...sessions].sort((a, b) => a.lastUsed - b.lastUsed);
    if (oldest) this.end(oldest.id, 'displaced');
  }
}

/** Whether a browser's script knows what only its own site can read (constant time). */
export function knowsXsrfToken({ xsrfHash }: Session, token: string | undefined): boolean {
  if (xsrfHash === undefined || token === undefined) return false;
  return timingSafeEqual(Buffer.from(hashOf(token)), Buffer.from(xsrfHash));
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
