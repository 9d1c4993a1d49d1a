import { Listeners } from '../../core/listeners.ts';
import type { EventLog } from '../../core/log.ts';

/** Why a session ended, in the words of ietf-netconf-notifications (RFC 6470). */
export type TerminationReason = 'closed' | 'killed' | 'dropped' | 'timeout' | 'bad-hello' | 'other';

/** Counters of RFC 6022 for one session. */
export interface SessionCounters {
  inRpcs: number;
  inBadRpcs: number;
  outRpcErrors: number;
}

/** A session that is up. */
export interface Session {
  readonly id: number;
  readonly userName: string;
  /** IP address. */
  readonly address: string;
  readonly loginTime: Date;
  readonly counters: SessionCounters;
  /** Aborted when the session has to end, with the reason. */
  readonly signal: AbortSignal;
}

export interface SessionEnd {
  readonly kind: 'ended';
  readonly session: Session;
  readonly reason: TerminationReason;
  /** The session that killed it. */
  readonly killedBy?: number;
}

/** The statistics of RFC 6022 over all sessions since the start. */
export interface SessionStatistics {
  readonly startTime: Date;
  readonly inSessions: number;
  readonly inBadHellos: number;
  readonly droppedSessions: number;
  readonly inRpcs: number;
  readonly inBadRpcs: number;
  readonly outRpcErrors: number;
}

interface Open {
  readonly session: Session;
  readonly end: AbortController;
  readonly ended: Promise<void>;
  readonly resolveEnded: () => void;
  killedBy?: number;
}

const noCounts = { inRpcs: 0, inBadRpcs: 0, outRpcErrors: 0 } as const;

/** The sessions that are up, under ids from 1 that are not given again until the number of them is exhausted. */
export class Sessions {
  readonly #now: () => Date;
  readonly #open = new Map<number, Open>();
  readonly #listeners: Listeners<SessionEnd>;
  readonly #startTime: Date;
  readonly #past = { inSessions: 0, inBadHellos: 0, droppedSessions: 0, ...noCounts };
  #lastId = 0;

  constructor({ now, log }: { now: () => Date; log: EventLog }) {
    this.#now = now;
    this.#startTime = now();
    this.#listeners = new Listeners(log);
  }

  /** Takes a session in whose client has been let in. */
  open({ userName, address }: Pick<Session, 'userName' | 'address'>): Session {
    const end = new AbortController();
    const session: Session = {
      id: this.#freeId(),
      userName,
      address,
      loginTime: this.#now(),
      counters: { ...noCounts },
      signal: end.signal,
    };
    let resolveEnded = () => {};
    const ended = new Promise<void>((resolve) => {
      resolveEnded = resolve;
    });
    this.#open.set(session.id, { session, end, ended, resolveEnded });
    this.#past.inSessions += 1;
    return session;
  }

  list(): Session[] {
    return [...this.#open.values()].map(({ session }) => session);
  }

  /** Calls back once nothing of a session is under way any more: its locks can go. */
  onEnd(listener: (end: SessionEnd) => void): () => void {
    return this.#listeners.add(listener);
  }

  /**
   * Ends a session with whatever it has under way.
   * @param killedBy the session that asked for it
   * @returns when it is over and its locks are released; `undefined` where there is no such session
   */
  terminate(id: number, reason: TerminationReason, killedBy?: number): Promise<void> | undefined {
    const open = this.#open.get(id);
    if (!open) return undefined;
    if (killedBy !== undefined) open.killedBy ??= killedBy;
    open.end.abort(reason);
    return open.ended;
  }

  /** Tells that a session is over; only for who runs it. */
  over(session: Session, reason: TerminationReason): void {
    const open = this.#open.get(session.id);
    if (open?.session !== session) return;
    this.#open.delete(session.id);
    addCounts(this.#past, session.counters);
    if (reason === 'bad-hello') this.#past.inBadHellos += 1;
    if (reason !== 'closed' && reason !== 'killed') this.#past.droppedSessions += 1;
    // An operation that is still at work may wait for this
    open.end.abort(reason);
    const by = reason === 'killed' ? open.killedBy : undefined;
    this.#listeners.tell({
      kind: 'ended',
      session,
      reason,
      ...(by !== undefined && { killedBy: by }),
    });
    open.resolveEnded();
  }

  statistics(): SessionStatistics {
    const sum = { ...this.#past };
    for (const { session } of this.#open.values()) addCounts(sum, session.counters);
    return { startTime: this.#startTime, ...sum };
  }

  #freeId(): number {
    do this.#lastId = this.#lastId >= maxId ? 1 : this.#lastId + 1;
    while (this.#open.has(this.#lastId));
    return this.#lastId;
  }
}

/** session-id-type of ietf-netconf. */
const maxId = 4_294_967_295;

function addCounts(sum: SessionCounters, more: SessionCounters): void {
  sum.inRpcs += more.inRpcs;
  sum.inBadRpcs += more.inBadRpcs;
  sum.outRpcErrors += more.outRpcErrors;
}
