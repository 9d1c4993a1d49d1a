import { EventEmitter } from 'node:events';
import dbus from 'dbus-next';
import { CertError, reasonOf } from '../../core/cert-error.ts';
import { type ErrorReply, toErrorReply } from '../server/error-names.ts';
import { ByteArrayFastPath } from './byte-array-fast-path.ts';
import { CallFlow, type CallLimits } from './call-flow.ts';
import { guardReader, streamOf, transportOf, unescaped } from './library-defects.ts';
import { fromLibrary, toLibrary } from './library-values.ts';
import { dropOversized, isOversized, type MessageBounds } from './oversized-messages.ts';
import { disconnected, PendingCalls } from './pending-calls.ts';

/** A message in our own terms; variants in its body are `TypedValue`s. */
export interface Call {
  readonly path: string;
  /** Empty when the caller named none. */
  readonly interface: string;
  readonly member: string;
  readonly signature: string;
  readonly body: readonly unknown[];
  readonly sender: string;
  readonly wantsReply: boolean;
  answer(signature: string, body: readonly unknown[]): void;
  fail(error: ErrorReply): void;
}

export interface Signal {
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly body: readonly unknown[];
  readonly sender: string;
}

export interface OutgoingCall {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature?: string;
  readonly body?: readonly unknown[];
  /** Milliseconds to wait for the reply; `usualTimeout` unless given. */
  readonly timeout?: number;
  /**
   * Told of the reply in its place among the signals. Signals that came behind it may have been handled
   * by the time that the promise settles.
   */
  readonly arrived?: (body: readonly unknown[]) => void;
}

/** One connection to a bus. Nothing outside of this directory knows the library that carries the messages. */
export interface Bus {
  readonly uniqueName: string;
  /** The body of the reply. @throws CertError made from the error reply, `no-answer`, `unavailable` */
  call(call: OutgoingCall): Promise<readonly unknown[]>;
  signal(
    path: string,
    interfaceName: string,
    member: string,
    signature: string,
    body: readonly unknown[],
    /** The unique name of the only connection that gets it. */
    destination?: string,
  ): void;
  /**
   * Answers calls that are made to this connection; only one handler can be set.
   * @param handler a call is in hand until what it returns resolves; it never rejects
   */
  handleCalls(handler: (call: Call) => Promise<void> | undefined): void;
  /** @returns how to stop listening */
  onSignal(listener: (signal: Signal) => void): () => void;
  /** The connection ended without `close` being called. Told once. */
  onLost(listener: () => void): void;
  close(): void;
}

/** Enough for every message that is about names, states and requests. */
export const smallMessageBytes = 65_536;

const defaultLimits: CallLimits = { calls: 256, bytes: 4_194_304 };

/**
 * The system bus when the address is empty.
 * @param bounds calls that are larger are refused, and signals dropped
 * @param limits while as much as that is in hand, further calls, and whatever comes behind them, wait in the bus
 * @throws CertError `unavailable`
 */
export async function connectBus(
  address: string,
  bounds: MessageBounds = () => smallMessageBytes,
  limits: CallLimits = defaultLimits,
): Promise<Bus> {
  const library = openLibrary(address);
  await new Promise<void>((resolve, reject) => {
    library.once('connect', resolve);
    const fail = (cause: unknown) => reject(unreachable(address, cause));
    library.once('error', fail);
    transportOf(library).once('end', () => fail(endedByBus()));
    // A socket without an answer must not hold up a start for ever
    setTimeout(() => fail(undefined), handshakeTimeout).unref();
  }).catch((error: unknown) => {
    library.disconnect();
    throw error;
  });
  const stream = streamOf(library);
  const flow = new CallFlow(stream, limits);
  let messageBytes = 0;
  guardReader(stream);
  dropOversized(stream, bounds, {
    mayBegin: () => flow.isOpen,
    begun: (bytes) => {
      messageBytes = bytes;
    },
  });
  return new LibraryBus(library, () => flow.enter(messageBytes));
}

/** @param cause `undefined` where nothing came */
function unreachable(address: string, cause: unknown): CertError {
  const at = address === '' ? '' : ` at ${address}`;
  const why = cause === undefined ? `no answer in ${handshakeTimeout / 1000} s` : reasonOf(cause);
  return new CertError('unavailable', `the D-Bus cannot be reached${at}: ${why}`, { cause });
}

/** As the system says it where the bus ends the connection while something is being sent. */
function endedByBus(): Error {
  return Object.assign(new Error('the bus ended the connection'), { code: 'ECONNRESET' });
}

/** Milliseconds that a reply may take, as with libdbus and sd-bus. */
export const usualTimeout = 25_000;
const handshakeTimeout = 10_000;

class LibraryBus implements Bus {
  readonly uniqueName: string;
  readonly #library: dbus.MessageBus;
  readonly #bytes: ByteArrayFastPath;
  readonly #enter: () => () => void;
  readonly #pending: PendingCalls;
  /** Who wants to be told of replies as they come, by the serial number of the call. */
  readonly #arrivals = new Map<number, (reply: dbus.Message) => void>();
  readonly #events = new EventEmitter();
  #open = true;

  /** @param enter tells that the message which was read last is a call in hand; @returns see `CallFlow` */
  constructor(library: dbus.MessageBus, enter: () => () => void) {
    this.#library = library;
    this.#enter = enter;
    this.#pending = new PendingCalls(library);
    this.#bytes = new ByteArrayFastPath(streamOf(library));
    this.uniqueName = String(Reflect.get(library, 'name'));
    this.#events.setMaxListeners(0);
    // The library itself says nothing when the daemon goes away and leaves calls pending for ever
    const transport = transportOf(library);
    transport.on('end', () => this.#lose());
    // With a second argument it is about one message that the library does not understand
    transport.on('error', (_cause: unknown, about: unknown) => {
      if (about === undefined) this.#lose();
    });
    // The same again, and it would be thrown without a listener
    library.on('error', () => undefined);
    library.on('message', (message: dbus.Message) => {
      if (isOversized(Number(message.flags))) return;
      if (message.type === dbus.MessageType.SIGNAL) this.#events.emit('signal', asSignal(message));
      if (message.type === dbus.MessageType.METHOD_RETURN)
        this.#arrivals.get(Number(message.replySerial))?.(message);
    });
  }

  async call(call: OutgoingCall): Promise<readonly unknown[]> {
    if (!this.#open) throw disconnected();
    const { signature = '', body = [] } = call;
    const { message, settled } = this.#bytes.during(signature, (placeholder) => {
      const made = new dbus.Message({
        destination: call.destination,
        path: call.path,
        interface: call.interface,
        member: call.member,
        signature,
        body: body.map((one) => toLibrary(one, placeholder)),
      });
      return { message: made, settled: this.#pending.send(made, call.timeout ?? usualTimeout) };
    });
    const { arrived } = call;
    if (!arrived) return (await settled).body.map(fromLibrary);
    const serial = Number(message.serial);
    this.#arrivals.set(serial, ({ body }) => arrived(body.map(fromLibrary)));
    try {
      return (await settled).body.map(fromLibrary);
    } finally {
      this.#arrivals.delete(serial);
    }
  }

  signal(...signalled: Parameters<Bus['signal']>): void {
    const [path, interfaceName, member, signature, body, destination] = signalled;
    const values = body.map((one) => toLibrary(one));
    const signal = dbus.Message.newSignal(path, interfaceName, member, signature, values);
    if (destination !== undefined) signal.destination = destination;
    this.#send(signal);
  }

  handleCalls(handler: (call: Call) => Promise<void> | undefined): void {
    this.#library.addMethodHandler((message: dbus.Message) => {
      const call = this.#asCall(message);
      const leave = this.#enter();
      if (isOversized(Number(message.flags))) {
        call.fail(toErrorReply(tooLarge));
        leave();
      } else void Promise.resolve(handler(call)).finally(leave);
      return true;
    });
  }

  onSignal(listener: (signal: Signal) => void): () => void {
    this.#events.on('signal', listener);
    return () => this.#events.off('signal', listener);
  }

  onLost(listener: () => void): void {
    this.#events.once('lost', listener);
  }

  close(): void {
    this.#open = false;
    this.#pending.end();
    this.#library.disconnect();
  }

  #asCall(message: dbus.Message): Call {
    const wantsReply = (Number(message.flags) & dbus.MessageFlag.NO_REPLY_EXPECTED) === 0;
    return {
      path: message.path ?? '',
      interface: message.interface ?? '',
      member: message.member ?? '',
      signature: message.signature ?? '',
      body: message.body.map(fromLibrary),
      sender: message.sender ?? '',
      wantsReply,
      answer: (signature, body) => {
        if (!wantsReply) return;
        const values = body.map((one) => toLibrary(one));
        this.#send(dbus.Message.newMethodReturn(message, signature, values));
      },
      fail: ({ name, text }) => {
        if (!wantsReply) return;
        this.#send(newError(message, name, text));
      },
    };
  }

  #send(message: dbus.Message): void {
    if (this.#open) this.#library.send(message);
  }

  #lose(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#pending.end();
    this.#events.emit('lost');
  }
}

function openLibrary(address: string): dbus.MessageBus {
  try {
    return address === '' ? dbus.systemBus() : dbus.sessionBus({ busAddress: unescaped(address) });
  } catch (cause) {
    throw new CertError('unavailable', 'the D-Bus address is not usable', { cause });
  }
}

/** The published type of `newError` lacks its third parameter. */
const newError: (message: dbus.Message, name: string, text: string) => dbus.Message = dbus.Message
  .newError as never;

function asSignal(message: dbus.Message): Signal {
  return {
    path: message.path ?? '',
    interface: message.interface ?? '',
    member: message.member ?? '',
    body: message.body.map(fromLibrary),
    sender: message.sender ?? '',
  };
}

const tooLarge = new CertError('file-too-large', 'the message is larger than the service takes');
