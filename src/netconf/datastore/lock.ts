import { baseNamespace } from '../rpc/base-namespace.ts';
import { RpcError } from '../rpc/rpc-error.ts';
import type { Element } from '../xml/element.ts';
import { element } from '../xml/element.ts';

export interface LockHolder {
  readonly sessionId: number;
  readonly since: Date;
}

/** The lock of the running configuration (RFC 6241 §7.5). It keeps the edits of other sessions out, and no other program's. */
export class RunningLock {
  readonly #now: () => Date;
  #holder: LockHolder | undefined;

  constructor(now: () => Date) {
    this.#now = now;
  }

  get holder(): LockHolder | undefined {
    return this.#holder;
  }

  /** @throws RpcError `lock-denied`, also where the session has it already */
  take(sessionId: number): void {
    if (this.#holder) throw denied(this.#holder.sessionId);
    this.#holder = { sessionId, since: this.#now() };
  }

  /** @throws RpcError `operation-failed` where the session does not have it */
  giveBack(sessionId: number): void {
    if (this.#holder?.sessionId !== sessionId)
      throw new RpcError(
        'operation-failed',
        this.#holder
          ? `the lock is held by the session ${this.#holder.sessionId}`
          : 'the running configuration is not locked',
        { type: 'protocol' },
      );
    this.#holder = undefined;
  }

  /** Nothing where the session does not have it. */
  release(sessionId: number): void {
    if (this.#holder?.sessionId === sessionId) this.#holder = undefined;
  }

  /** @throws RpcError `in-use` where another session has it */
  mustAdmit(sessionId: number): void {
    if (!this.#holder || this.#holder.sessionId === sessionId) return;
    const message = `the session ${this.#holder.sessionId} has locked the running configuration`;
    throw new RpcError('in-use', message, { type: 'protocol' });
  }
}

function denied(sessionId: number): RpcError {
  const info: Element[] = [element(baseNamespace, 'session-id', String(sessionId))];
  const message = `the running configuration is locked by the session ${sessionId}`;
  return new RpcError('lock-denied', message, { type: 'protocol', info });
}
