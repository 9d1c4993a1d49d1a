import type { Duplex } from 'node:stream';
import { reasonOf } from '../../core/cert-error.ts';
import type { Log } from '../../core/log.ts';
import { chunkedFraming } from '../framing/chunked.ts';
import { endOfMessageFraming } from '../framing/end-of-message.ts';
import { chunkedFrame, endOfMessageFrame } from '../framing/frame.ts';
import { FramingError } from '../framing/framing.ts';
import { answer } from '../rpc/answer.ts';
import { baseCapabilities } from '../rpc/base-namespace.ts';
import type { Caller, Operations } from '../rpc/operation.ts';
import type { Element } from '../xml/element.ts';
import type { MessageLimits } from '../xml/limits.ts';
import { readXml } from '../xml/read.ts';
import { writeXml } from '../xml/write.ts';
import { type Connection, connectionOn, type Incoming } from './connection.ts';
import { baseCapabilitiesOf, HelloError, writeHello } from './hello.ts';
import { sessionOperations } from './session-operations.ts';
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
  const { stream, sessions, session, limits, log } = options;
  const fields = { session: session.id, user: session.userName, address: session.address };
  const framing = endOfMessageFraming({
    maxBytes: limits.message.bytes,
    lenient: options.lenientInteractive,
  });
  stream.once('close', () => sessions.terminate(session.id, 'dropped'));
  const connection = connectionOn(stream, session.signal, framing);
  log.info('session of NETCONF started', fields);
  const end = await endOf(options, connection);
  const reason = terminationOf(session) ?? end.reason;
  sessions.over(session, reason);
  log.info('session of NETCONF ended', {
    ...fields,
    reason,
    ...(end.detail && { detail: end.detail }),
  });
  await connection.close(limits.closeMilliseconds);
  return reason;
}

interface End {
  readonly reason: TerminationReason;
  /** For the log. */
  readonly detail?: string;
}

/** Why others have ended the session. */
function terminationOf({ signal }: Session): TerminationReason | undefined {
  return signal.aborted ? signal.reason : undefined;
}

async function endOf(options: SessionOptions, connection: Connection): Promise<End> {
  try {
    return await converse(options, connection);
  } catch (error) {
    if (error instanceof HelloError) return { reason: 'bad-hello', detail: error.message };
    // RFC 6242 §4.2: where the next message begins is not known
    if (error instanceof FramingError) return { reason: 'other', detail: error.message };
    options.log.error('session of NETCONF failed', {
      session: options.session.id,
      reason: reasonOf(error),
    });
    return { reason: 'other' };
  }
}

/** From the hellos to the last message. */
async function converse(options: SessionOptions, connection: Connection): Promise<End> {
  const { sessions, session, limits, capabilities, lenientInteractive: isLenient } = options;
  const { id: sessionId, userName, address, signal } = session;
  const hello = writeHello({ sessionId, userName, capabilities });
  // Before anything of the client is read: its hello may have come, but ours does not depend on it
  await connection.send(endOfMessageFrame(hello));
  const first = await connection.next(limits.helloMilliseconds);
  if (first.kind !== 'message') return endFor(first);
  const { is11, isRequest } = readFirst(first.message, options);
  if (is11) connection.frameBy(chunkedFraming({ maxBytes: limits.message.bytes }));
  const frame = is11 ? chunkedFrame : endOfMessageFrame;

  let isClosing = false;
  const own = sessionOperations(sessions, () => {
    isClosing = true;
  });
  const answerOptions = {
    operations: new Map([...options.operations, ...own]),
    caller: { sessionId, userName, address, signal, current: options.current },
    limits: limits.message,
    is11,
    lenient: isLenient && !is11,
    log: options.log,
  };
  let next: Incoming = isRequest ? first : await connection.next(limits.idleMilliseconds);
  // One after another, as RFC 6241 §4.5 asks; a client that does not wait for its replies waits here
  while (next.kind === 'message') {
    const { reply, isRpc, error } = await answer(next.message, answerOptions);
    session.counters[isRpc ? 'inRpcs' : 'inBadRpcs'] += 1;
    if (error) session.counters.outRpcErrors += 1;
    await connection.send(frame(writeXml(reply)));
    if (isClosing) return { reason: 'closed' };
    next = await connection.next(limits.idleMilliseconds);
  }
  return endFor(next);
}

function endFor({ kind }: Incoming): End {
  return { reason: kind === 'timeout' ? 'timeout' : 'dropped' };
}

interface First {
  readonly is11: boolean;
  /** Whether it is a request already, instead of a hello. */
  readonly isRequest: boolean;
}

function readFirst(message: Buffer, options: SessionOptions): First {
  if (options.lenientInteractive && /^<rpc[ />]/.test(message.toString('latin1', 0, 5)))
    return { is11: false, isRequest: true };
  const [, base11] = baseCapabilities;
  const theirs = baseCapabilitiesOf(readHello(message, options));
  const is11 = theirs.includes(base11) && options.capabilities.includes(base11);
  return { is11, isRequest: false };
}

function readHello(message: Buffer, { limits }: SessionOptions): Element {
  try {
    return readXml(message, limits.message);
  } catch (error) {
    throw new HelloError(`the first message is no XML: ${reasonOf(error)}`, { cause: error });
  }
}
