import type { AddressInfo } from 'node:net';
import type { Server, TLSSocket } from 'node:tls';
import { SetupError } from '../core/setup-error.ts';
import { codeOf } from '../storage/io-errors.ts';
import { limitConnections } from './connection-limiter.ts';
import {
  type HandshakeLimits,
  limitHandshakes,
  type ShownCertificates,
  usualHandshakeLimits,
} from './handshake-limiter.ts';
import { refusePlainHttp } from './plain-http.ts';
import { dropSlowReaders } from './slow-readers.ts';
import { type ClientAuthorities, followTlsIdentity, type TlsSettings } from './tls-identity.ts';

/** What the connections of a server may cost, whatever is spoken over them. */
export interface ConnectionBounds {
  readonly connections: number;
  /** The most connections of one address. */
  readonly connectionsPerAddress: number;
  /** How long a client may take over its part of the TLS handshake. */
  readonly handshakeMilliseconds: number;
  /** How long a client may take over each piece of an answer. */
  readonly sendMilliseconds: number;
}

/** Clients with certificates, as a server sees them. */
export interface AskedClients extends ClientAuthorities {
  /** Whether the handshake of a client without an accepted certificate fails. */
  requiresCertificate(): boolean;
  /** What a client showed, `undefined` where it showed no certificate. */
  shown(connection: TLSSocket): ShownCertificates | undefined;
  /** Learns of each connection whose client was not asked, because its address is suspended. */
  suspend(connection: TLSSocket): void;
}

export interface BoundedServerOptions extends Omit<TlsSettings, 'clients'> {
  readonly bounds: ConnectionBounds;
  /** Absent where clients are never asked for certificates. */
  readonly clients?: AskedClients | undefined;
  /** What handshakes with client certificates may cost; the usual limits unless given. */
  readonly handshakes?: HandshakeLimits | undefined;
  /** Whether HTTP is spoken over TLS, so that clients without TLS are told that they need it. */
  readonly isHttps?: boolean;
  /** With `clients`: whether a connection from an address may begin TLS at all; each may, unless given. */
  readonly admits?: ((address: string) => boolean) | undefined;
}

/**
 * Makes a server follow its identity and the authorities of its clients, and bounds its connections and their handshakes.
 * The server must be one of Node's, without listeners of its own yet.
 */
export function boundServer(server: Server, options: BoundedServerOptions): void {
  const { bounds, clients, monotonic, log } = options;
  // Before the others, as Node's own listener that it takes the place of
  if (clients) {
    limitHandshakes(server, {
      limits: options.handshakes ?? usualHandshakeLimits,
      silentMilliseconds: bounds.handshakeMilliseconds,
      authorities: () => asked.authorities(),
      requiresCertificate: () => clients.requiresCertificate(),
      shown: (connection) => clients.shown(connection),
      onSuspended: (connection) => clients.suspend(connection),
      admits: options.admits,
      monotonic,
      log,
    });
  }
  if (options.isHttps) refusePlainHttp(server, bounds.handshakeMilliseconds);
  limitConnections(server, {
    maxConnections: bounds.connections,
    maxPerAddress: bounds.connectionsPerAddress,
    log,
  });
  const asked = followTlsIdentity(server, options);
  dropSlowReaders(server, { milliseconds: bounds.sendMilliseconds, monotonic, log });
}

/** Where a server listens, and where an operator says so. */
export interface ListeningPlace {
  readonly address: string;
  readonly port: number;
  /** The member of the configuration, such as `gnoi.port`. */
  readonly member: string;
  /** The option of `npm start`. */
  readonly option: string;
}

/** @returns the port. @throws SetupError where it cannot be used */
export function listen(
  server: Server,
  { address, port, member, option }: ListeningPlace,
): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const code = codeOf(error);
      const why =
        code === 'EADDRINUSE'
          ? `is taken; set another as ${member}, or with npm start use ${option} 0 for a free one`
          : `cannot be used (${code})`;
      reject(new SetupError(`The port ${port} on ${address} ${why}.`));
    });
    server.listen(port, address, () => resolve((server.address() as AddressInfo).port));
  });
}
