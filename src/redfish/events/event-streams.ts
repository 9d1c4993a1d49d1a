import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { clientAddress } from '../../core/client-address.ts';
import type { Log } from '../../core/log.ts';
import type { Identity } from '../../identity/identity.ts';
import type { EventClock } from './event-clock.ts';
import { type PublishedEvent, renderEvent } from './event-record.ts';
import type { EventSettings } from './event-settings.ts';
import type { ListenerLogins } from './listeners.ts';
import { tooManySubscribers } from './push-subscriptions.ts';
import type { EventPredicate } from './stream-filter.ts';

export interface StreamOptions {
  readonly settings: EventSettings;
  readonly clock: EventClock;
  readonly log: Log;
  readonly logins: ListenerLogins;
}

/** An open stream, as the subscriptions show it. */
export interface EventStream {
  readonly id: string;
  readonly identity: Identity;
  /** Address and port of the client. */
  readonly peer: string;
  context: string;
}

interface OpenStream extends EventStream {
  readonly response: ServerResponse;
  readonly connection: Socket;
  readonly wants: EventPredicate;
  /** Bytes of the past that it was sent at once, until it has read them. */
  grace: number;
}

/** The streams of server-sent events that are open. */
export class EventStreams {
  readonly #options: StreamOptions;
  readonly #open = new Map<string, OpenStream>();
  readonly #timers: readonly (() => void)[];

  constructor(options: StreamOptions) {
    this.#options = options;
    const { keepAliveSeconds, loginCheckSeconds } = options.settings;
    this.#timers = [
      options.clock.every(keepAliveSeconds * 1000, () => {
        for (const stream of this.#open.values()) this.#write(stream, ': alive\n\n');
      }),
      options.clock.every(loginCheckSeconds * 1000, () => {
        for (const stream of this.#open.values()) void this.#endWithoutLogin(stream);
      }),
    ];
  }

  list(): readonly EventStream[] {
    return [...this.#open.values()];
  }

  get(id: string): EventStream | undefined {
    return this.#open.get(id);
  }

  /**
   * Begins a stream on a response whose turn it is; `past` is what the client missed.
   * @throws RedfishError 503 before anything is sent
   */
  open(
    response: ServerResponse,
    identity: Identity,
    wants: EventPredicate,
    past: readonly PublishedEvent[],
  ): void {
    // The connection was cut before the stream began, or the request is HEAD: there is nothing to send
    const { method, socket } = response.req;
    const type = 'text/event-stream; charset=utf-8';
    if (method === 'HEAD' || response.destroyed || socket.destroyed) {
      response.setHeader('Content-Type', type).end();
      return;
    }
    this.#refuseTooMany(identity.account.userName);
    response.setHeader('Content-Type', type);
    const id = randomBytes(8).toString('hex');
    const address = clientAddress(socket);
    const host = address.includes(':') ? `[${address}]` : address;
    const peer = `${host}:${socket.remotePort ?? 0}`;
    const shown = { id, identity, peer, context: id };
    const stream: OpenStream = { ...shown, response, connection: socket, wants, grace: 0 };
    this.#open.set(id, stream);
    const forget = () => this.#open.delete(id);
    response.on('error', forget);
    // Not every response hears of the end of its connection
    socket.once('close', forget);
    response.on('close', () => {
      socket.off('close', forget);
      forget();
    });
    response.on('drain', () => {
      stream.grace = 0;
    });
    // A client that vanished without a word is found by the system
    socket.setKeepAlive(true, this.#options.settings.keepAliveSeconds * 1000);
    response.flushHeaders();
    // Past events were in memory before; only later events count as unread
    const missed = past.filter(wants).map((event) => block(event, stream.context));
    const text = [': open\n\n', ...missed].join('');
    stream.grace = Buffer.byteLength(text);
    this.#write(stream, text);
  }

  tell(event: PublishedEvent): void {
    for (const stream of this.#open.values()) this.#send(stream, event);
  }

  close(id: string): void {
    const stream = this.#open.get(id);
    this.#open.delete(id);
    // To a client that does not read, the end never comes: its connection is dropped as that of any slow reader
    stream?.response.end();
  }

  /** Closes those of a user but for the streams of one session. */
  closeOf(userName: string, exceptSession?: string): void {
    for (const { id, identity } of this.#ofUser(userName)) {
      if (exceptSession === undefined || identity.session?.id !== exceptSession) this.close(id);
    }
  }

  closeAll(): void {
    for (const id of [...this.#open.keys()]) this.close(id);
  }

  /** Closes all for good. */
  stop(): void {
    for (const cancel of this.#timers) cancel();
    this.closeAll();
  }

  #ofUser(userName: string): readonly OpenStream[] {
    return [...this.#open.values()].filter(({ identity }) => {
      return identity.account.userName === userName;
    });
  }

  #refuseTooMany(userName: string): void {
    const { streams, streamsPerUser } = this.#options.settings;
    if (this.#open.size >= streams || this.#ofUser(userName).length >= streamsPerUser) {
      throw tooManySubscribers();
    }
  }

  #send(stream: OpenStream, event: PublishedEvent): void {
    if (!stream.wants(event)) return;
    if (this.#options.logins.holds(stream.identity)) {
      this.#write(stream, block(event, stream.context));
    } else {
      this.#endWithLogin(stream);
    }
  }

  /** Sessions are checked before every event, users at intervals. A user who cannot be checked now is checked at the next. */
  async #endWithoutLogin(stream: OpenStream): Promise<void> {
    const { logins } = this.#options;
    const { identity, connection } = stream;
    const may =
      logins.holds(identity) && (await logins.mayListen(identity, connection).catch(() => true));
    if (!may) this.#endWithLogin(stream);
  }

  #endWithLogin({ id }: OpenStream): void {
    if (!this.#open.has(id)) return;
    this.#options.log.info('event stream ended with its login', { stream: id });
    this.close(id);
  }

  #write({ id, response, grace }: OpenStream, text: string): void {
    if (!this.#open.has(id)) return;
    response.write(text);
    if (response.writableLength <= this.#options.settings.unreadBytes + grace) return;
    this.#options.log.warn('event stream dropped: its client does not read', { stream: id });
    this.#open.delete(id);
    response.destroy();
  }
}

/** JSON has no line breaks of its own here, so one data line holds it. */
function block(event: PublishedEvent, context: string): string {
  return `id: ${event.id}\ndata: ${JSON.stringify(renderEvent(event, context))}\n\n`;
}
