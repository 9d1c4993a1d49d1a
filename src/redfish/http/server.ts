import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Duplex } from 'node:stream';
import type { Log } from '../../core/log.ts';
import type { ClientCertificates } from '../../identity/peer-certificates/client-certificates.ts';
import { limitConnections } from '../../tls/connection-limiter.ts';
import { limitUnanswered } from '../../tls/connection-limits.ts';
import {
  type HandshakeLimits,
  limitHandshakes,
  usualHandshakeLimits,
} from '../../tls/handshake-limiter.ts';
import type { TlsProfileName } from '../../tls/profile.ts';
import type { ServerIdentity } from '../../tls/server-identity.ts';
import { dropSlowReaders } from '../../tls/slow-readers.ts';
import { followTlsIdentity } from '../../tls/tls-identity.ts';
import type { BaseMessageId } from '../messages/base-registry.ts';
import { rawError } from './raw-error.ts';
import { pathTargetsOnly } from './request-line.ts';

export interface ServerLimits {
  readonly headerBytes: number;
  readonly connections: number;
  /** The most connections of one address. */
  readonly connectionsPerAddress: number;
  /** The most requests of a connection that wait for their answers. */
  readonly unansweredRequests: number;
  readonly requestMilliseconds: number;
  readonly idleMilliseconds: number;
  /** How long a client may take over its part of the TLS handshake. */
  readonly handshakeMilliseconds: number;
  /** How long a client may take nothing of an answer. */
  readonly sendMilliseconds: number;
}

export interface HttpsOptions {
  /** The certificate that clients see, and its key. */
  readonly identity: ServerIdentity;
  readonly limits: ServerLimits;
  readonly profile?: TlsProfileName;
  /** After this time the keys of session tickets are new ones; a day unless given. */
  readonly ticketMilliseconds?: number;
  /** Absent where clients cannot log in with certificates. */
  readonly clientCertificates?: ClientCertificates;
  /** What handshakes with client certificates may cost; the usual limits unless given. */
  readonly handshakes?: HandshakeLimits;
  /** A clock in milliseconds that never jumps. */
  readonly monotonic?: () => number;
  readonly log: Log;
}

/** What a server hands requests to. */
export interface ServedApp {
  readonly handler: RequestListener;
  allowedAt(path: string): readonly string[];
}

/** What Node tells of a request that it cannot parse. */
interface ParserError extends NodeJS.ErrnoException {
  readonly rawPacket?: Buffer;
}

/** An HTTPS server that follows its identity. */
export function makeServer(options: HttpsOptions, { handler, allowedAt }: ServedApp): Server {
  const { identity, limits, log, clientCertificates } = options;
  const counted = limitUnanswered(limits.unansweredRequests);
  const served = pathTargetsOnly(handler);
  const { monotonic = () => performance.now() } = options;
  const server = createServer(
    {
      handshakeTimeout: limits.handshakeMilliseconds,
      maxHeaderSize: limits.headerBytes,
      requestTimeout: limits.requestMilliseconds,
      headersTimeout: Math.min(limits.requestMilliseconds, 15_000),
      // Node looks every 30 s unless told otherwise, whatever the two limits are
      connectionsCheckingInterval: Math.max(100, Math.min(limits.requestMilliseconds, 15_000) / 5),
      keepAliveTimeout: limits.idleMilliseconds,
      // The application asks for the header itself, so that its absence is answered as Redfish has it
      requireHostHeader: false,
      ALPNProtocols: ['http/1.1'],
    },
    counted(clientCertificates ? clientCertificates.guard(served) : served),
  );
  // Node drops headers beyond a number without a word, such as a second Host; their bytes have a limit
  server.maxHeadersCount = 0;
  // Before the others, as Node's own listener that it takes the place of
  if (clientCertificates) {
    limitHandshakes(server, {
      limits: options.handshakes ?? usualHandshakeLimits,
      silentMilliseconds: limits.handshakeMilliseconds,
      authorities: () => clients.authorities(),
      requiresCertificate: () => !clientCertificates.responds(),
      shown: (connection) => clientCertificates.shown(connection),
      onSuspended: (connection) => clientCertificates.suspend(connection),
      monotonic,
      log,
    });
  }
  limitConnections(server, {
    maxConnections: limits.connections,
    maxPerAddress: limits.connectionsPerAddress,
    log,
  });
  const clients = followTlsIdentity(server, {
    identity,
    profile: options.profile ?? 'intermediate',
    ticketMilliseconds: options.ticketMilliseconds ?? 24 * 3_600_000,
    ...(clientCertificates && { clients: clientCertificates }),
    monotonic,
    log,
  });
  clientCertificates?.attach(server);
  const refused = new WeakSet<Duplex>();
  dropSlowReaders(server, { milliseconds: limits.sendMilliseconds, monotonic, log });
  server.on('clientError', (error: ParserError, socket) => {
    // Node tells of every further piece too
    if (refused.has(socket)) return;
    refused.add(socket);
    refuseUnparsable(error, socket, allowedAt);
  });
  server.on('checkExpectation', counted(refuseExpectation));
  server.on('connect', refuseTunnel);
  return server;
}

/**
 * What Node's HTTP parser refuses never reaches the application; the answer is still Redfish's. Failed
 * TLS handshakes come here too: there is nobody to answer, and an `end` would wait for ever.
 */
function refuseUnparsable(
  error: ParserError,
  socket: Duplex,
  allowedAt: ServedApp['allowedAt'],
): void {
  const code = error.code ?? '';
  // A parser that was told to pause met a client that sends on: there is nothing wrong to tell it of
  const isHttp = /^(HPE_|ERR_HTTP_)/.test(code) && !code.startsWith('HPE_PAUSED');
  if (!isHttp || !socket.writable) {
    socket.destroy();
    return;
  }
  const { status, id } = unparsable[error.code ?? ''] ?? {
    status: '400 Bad Request',
    id: 'UnrecognizedRequestBody',
  };
  // DSP0266 wants Allow on every 405, also where Node's parser does not know the method
  const isMethod = id === 'OperationNotAllowed';
  const allow = isMethod ? { Allow: allowedAt(targetOf(error)).join(', ') } : {};
  endWithError(socket, status, id, allow);
}

/** The path of a request line that was not understood. */
function targetOf({ rawPacket }: ParserError): string {
  const [line = ''] = (rawPacket ?? Buffer.alloc(0)).toString('latin1', 0, 8192).split('\r\n', 1);
  return line.split(' ')[1]?.split('?')[0] ?? '';
}

/** CONNECT comes with a bare socket: this is no proxy. */
function refuseTunnel(_req: IncomingMessage, socket: Duplex): void {
  socket.on('error', () => socket.destroy());
  endWithError(socket, '405 Method Not Allowed', 'OperationNotAllowed', { Allow: 'GET, HEAD' });
}

/** Node has the client wait for `100-continue`; any other expectation is one that nobody can meet. */
function refuseExpectation(_req: IncomingMessage, res: ServerResponse): void {
  const { headers, body } = rawError({ id: 'HeaderInvalid', args: ['Expect'] });
  res.writeHead(417, headers).end(body);
}

/** @param status code and reason phrase of our own, never words of a client */
function endWithError(
  socket: Duplex,
  status: string,
  id: BaseMessageId,
  more: Readonly<Record<string, string>> = {},
): void {
  const { headers, body } = rawError({ id, args: [] }, more);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  socket.end(`HTTP/1.1 ${status}\r\n${lines.join('\r\n')}\r\n\r\n${body}`);
  // A client that does not close its side must not keep the connection
  setTimeout(() => socket.destroy(), lingerMilliseconds).unref();
}

const lingerMilliseconds = 1000;

const unparsable: Readonly<Record<string, { status: string; id: BaseMessageId }>> = {
  HPE_INVALID_METHOD: { status: '405 Method Not Allowed', id: 'OperationNotAllowed' },
  HPE_HEADER_OVERFLOW: {
    status: '431 Request Header Fields Too Large',
    id: 'PayloadTooLarge',
  },
  ERR_HTTP_REQUEST_TIMEOUT: { status: '408 Request Timeout', id: 'OperationTimeout' },
};
