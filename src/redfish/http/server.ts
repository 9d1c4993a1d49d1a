import type { RequestListener } from 'node:http';
import { createServer, type Server, type ServerOptions } from 'node:https';
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
import { refuseExpectation, refuseTunnel, refuseUnparsable } from './early-errors.ts';
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
  /** How long a client may take over each piece of an answer. */
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

/** An HTTPS server that follows its identity. */
export function makeServer(options: HttpsOptions, { handler, allowedAt }: ServedApp): Server {
  const { identity, limits, log, clientCertificates } = options;
  const counted = limitUnanswered(limits.unansweredRequests);
  const served = pathTargetsOnly(handler);
  const { monotonic = () => performance.now() } = options;
  const listener = counted(clientCertificates ? clientCertificates.guard(served) : served);
  const server = createServer(nodeOptions(limits), listener);
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
  clientCertificates?.connections.attach(server);
  dropSlowReaders(server, { milliseconds: limits.sendMilliseconds, monotonic, log });
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
