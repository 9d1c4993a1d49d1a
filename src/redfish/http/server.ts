import type { RequestListener } from 'node:http';
import { createServer, type Server, type ServerOptions } from 'node:https';
import type { Log } from '../../core/log.ts';
import type { ClientCertificates } from '../../identity/peer-certificates/client-certificates.ts';
import { boundServer, type ConnectionBounds } from '../../tls/bounded-server.ts';
import { limitUnanswered } from '../../tls/connection-limits.ts';
import type { HandshakeLimits } from '../../tls/handshake-limiter.ts';
import type { TlsProfileName } from '../../tls/profile.ts';
import type { ServerIdentity } from '../../tls/server-identity.ts';
import { refuseExpectation, refuseTunnel, refuseUnparsable } from './early-errors.ts';
import { pathTargetsOnly } from './request-line.ts';

export interface ServerLimits extends ConnectionBounds {
  readonly headerBytes: number;
  /** The most requests of a connection that wait for their answers. */
  readonly unansweredRequests: number;
  readonly requestMilliseconds: number;
  readonly idleMilliseconds: number;
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

/** An HTTPS server that follows its identity. */
export function makeServer(options: HttpsOptions, { handler, allowedAt }: ServedApp): Server {
  const { identity, limits, log, clientCertificates } = options;
  const counted = limitUnanswered(limits.unansweredRequests);
  const served = pathTargetsOnly(handler);
  const listener = counted(clientCertificates ? clientCertificates.guard(served) : served);
  const server = createServer(nodeOptions(limits), listener);
  // Node drops headers beyond a number without a word, such as a second Host; their bytes have a limit
  server.maxHeadersCount = 0;
  boundServer(server, {
    ...{ identity, bounds: limits, log, isHttps: true },
    profile: options.profile ?? 'intermediate',
    ticketMilliseconds: options.ticketMilliseconds ?? 24 * 3_600_000,
    clients: clientCertificates?.peers,
    handshakes: options.handshakes,
    monotonic: options.monotonic ?? (() => performance.now()),
  });
  clientCertificates?.peers.connections.attach(server);
  server.on('clientError', refuseUnparsable(allowedAt));
  server.on('checkExpectation', counted(refuseExpectation));
  server.on('connect', refuseTunnel);
  return server;
}

function nodeOptions(limits: ServerLimits): ServerOptions {
  const headersTimeout = Math.min(limits.requestMilliseconds, 15_000);
  return {
    handshakeTimeout: limits.handshakeMilliseconds,
    maxHeaderSize: limits.headerBytes,
    requestTimeout: limits.requestMilliseconds,
    headersTimeout,
    // Node looks every 30 s unless told otherwise, whatever the two limits are
    connectionsCheckingInterval: Math.max(100, headersTimeout / 5),
    keepAliveTimeout: limits.idleMilliseconds,
    // The application asks for the header itself, so that its absence is answered as Redfish has it
    requireHostHeader: false,
    ALPNProtocols: ['http/1.1'],
  };
}
