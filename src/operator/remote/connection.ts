import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Agent, type RequestOptions, request } from 'node:https';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { type TLSSocket, connect as tlsConnect } from 'node:tls';
import { Semaphore } from '../../core/semaphore.ts';
import { CommandError } from '../framework/exit-status.ts';
import type { Peer, PeerTrust } from './peer-trust.ts';

export interface ConnectionOptions {
  readonly url: URL;
  readonly trust: PeerTrust;
  /** PEM of those that may vouch for the service. */
  readonly authorities: string | undefined;
  /** PEM of the certificate by which this client logs in. */
  readonly credential: { readonly cert: string; readonly key: string } | undefined;
}

export interface Exchange {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: object;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Of JSON; `undefined` for any other body. */
  readonly body: unknown;
}

const handshakeMilliseconds = 30_000;
const answerBytes = 16 * 1024 * 1024;
/** A bundle of a thousand CAs costs a thousand requests, and a BMC has little room for connections. */
const maxRequests = 4;

/** Requests to one service, on connections whose other end was accepted before anything was sent. */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #agent: VerifyingAgent;
  readonly #ended = new AbortController();
  readonly #turns = new Semaphore(maxRequests);

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#agent = new VerifyingAgent(options);
  }

  /** The certificate that a new connection is shown. @throws CommandError `unavailable`, `untrusted` */
  async probe(): Promise<Peer> {
    const socket = await this.#reach(openTls(this.#options, undefined));
    const peer = peerOf(socket);
    socket.destroy();
    return peer;
  }

  /** @throws CommandError `unavailable`, `untrusted` */
  async send(exchange: Exchange, milliseconds: number): Promise<Answer> {
    // What a request waits for its turn does not count
    const release = await this.#turns.acquire();
    try {
      const limit = AbortSignal.timeout(milliseconds);
      const response = await this.#reach(this.#begin(exchange, [limit]));
      const { statusCode: status = 0, headers } = response;
      return { status, headers, body: await this.#reach(readJson(response)) };
    } finally {
      release();
    }
  }

  /** A response without end. @throws CommandError `unavailable`, `untrusted` */
  stream(exchange: Exchange, signal: AbortSignal): Promise<IncomingMessage> {
    return this.#reach(this.#begin(exchange, [signal]));
  }

  close(): void {
    this.#ended.abort();
    this.#agent.destroy();
  }

  #begin(
    { method, path, headers, body }: Exchange,
    signals: readonly AbortSignal[],
  ): Promise<IncomingMessage> {
    const { url } = this.#options;
    if (!URL.canParse(path, url.href)) throw notReference(path);
    // Whatever host a reference of the service names, requests go to the one that was accepted
    const { pathname, search } = new URL(path, url);
    const text = body === undefined ? undefined : JSON.stringify(body);
    const options = {
      method,
      host: url.hostname,
      port: Number(url.port || 443),
      path: `${pathname}${search}`,
      agent: this.#agent,
      signal: AbortSignal.any([this.#ended.signal, ...signals]),
      headers: {
        Accept: 'application/json',
        'OData-Version': '4.0',
        ...(text !== undefined && {
          'Content-Type': 'application/json',
          'Content-Length': String(Buffer.byteLength(text)),
        }),
        ...headers,
      },
    };
    return new Promise((resolve, reject) => {
      const sent = request(options, resolve);
      sent.on('error', reject);
      sent.end(text);
    });
  }

  async #reach<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (cause) {
      if (cause instanceof CommandError) throw cause;
      const isLate = cause instanceof Error && cause.name === 'AbortError';
      const reason = isLate ? 'it did not answer in time' : reasonOf(cause);
      const message = `The Redfish service at ${this.#options.url.origin} cannot be reached: ${reason}.`;
      throw new CommandError('unavailable', message, { cause });
    }
  }
}

/** Hands a connection over only when its other end was accepted: until then a request is not even begun. */
class VerifyingAgent extends Agent {
  readonly #options: ConnectionOptions;

  constructor(options: ConnectionOptions) {
    super({ keepAlive: true });
    this.#options = options;
  }

  override createConnection(
    _options: RequestOptions,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    const { trust, credential } = this.#options;
    const open = async () => {
      const socket = await openTls(this.#options, credential);
      try {
        await trust.accept(peerOf(socket));
      } catch (error) {
        socket.destroy();
        throw error;
      }
      return socket;
    };
    const fail = callback as ((error: unknown) => void) | undefined;
    open().then(
      (socket) => callback?.(null, socket),
      (error) => fail?.(error),
    );
  }
}

function openTls(
  { url, authorities }: ConnectionOptions,
  credential: ConnectionOptions['credential'],
): Promise<TLSSocket> {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return new Promise((resolve, reject) => {
    const socket = tlsConnect({
      host,
      port: Number(url.port || 443),
      ...(isIP(host) === 0 && { servername: host }),
      ALPNProtocols: ['http/1.1'],
      // `PeerTrust` decides
      rejectUnauthorized: false,
      ...(authorities !== undefined && { ca: authorities }),
      ...credential,
      timeout: handshakeMilliseconds,
    });
    socket.once('timeout', () => socket.destroy(new Error('there was no handshake in time')));
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('it closed the connection')));
    socket.once('secureConnect', () => {
      socket.setTimeout(0);
      socket.off('error', reject);
      // An error between two requests is told to the next
      socket.on('error', () => undefined);
      resolve(socket);
    });
  });
}

/** @throws Error for a service without a certificate */
function peerOf(socket: TLSSocket): Peer {
  const certificate = socket.getPeerX509Certificate();
  if (!certificate) throw new Error('it shows no certificate');
  return { certificate, fault: socket.authorized ? '' : String(socket.authorizationError) };
}

async function readJson(response: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response) {
    const bytes = Buffer.from(chunk);
    length += bytes.length;
    if (length > answerBytes) throw new Error('its answer is too large');
    chunks.push(bytes);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    return undefined;
  }
}

function notReference(path: string): CommandError {
  const named = JSON.stringify(path.slice(0, 100));
  return new CommandError('failed', `The Redfish service names ${named}, which is no URI.`);
}

/** Node gives several addresses of a name one error for all of them. */
function reasonOf(cause: unknown): string {
  const [first] = cause instanceof AggregateError ? cause.errors : [];
  const error: unknown = first ?? cause;
  return error instanceof Error ? error.message : String(error);
}
