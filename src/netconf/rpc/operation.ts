import type { Identity } from '../../identity/identity.ts';
import type { Element } from '../xml/element.ts';

/** The session that an operation is for. */
export interface Caller {
  readonly sessionId: number;
  /** To which the certificate of the client was mapped. */
  readonly userName: string;
  /** IP address. */
  readonly address: string;
  /** Aborted once the session is killed, or its client has gone: a change that is not committed by then is undone. */
  readonly signal: AbortSignal;
  /**
   * Who the caller is by now, judged anew; each operation asks before it does anything.
   * @throws RpcError `access-denied` where the user is not let in any more; IdentityError
   */
  current(): Promise<Identity>;
}

/**
 * @param request the child of `<rpc>`
 * @returns the children of `<rpc-reply>`; empty for `<ok/>`
 * @throws RpcError why it was not done; anything else is told the client as `operation-failed` without details
 */
export type Operation = (request: Element, caller: Caller) => Promise<readonly Element[]>;

/** The operations that a session has, by `{namespace}name`. */
export type Operations = ReadonlyMap<string, Operation>;

/** @returns the key of an operation, or of any name in a namespace */
export function nameOf({ namespace, name }: Pick<Element, 'namespace' | 'name'>): string {
  return `{${namespace}}${name}`;
}
