import type { AddressInfo } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { clientAddress } from '../../core/client-address.ts';
import type { Log } from '../../core/log.ts';
import { SetupError } from '../../core/setup-error.ts';
import { codeOf } from '../../storage/io-errors.ts';
import { limitConnections } from '../../tls/connection-limiter.ts';
import { limitHandshakes, usualHandshakeLimits } from '../../tls/handshake-limiter.ts';
import type { TlsProfileName } from '../../tls/profile.ts';
import type { ServerIdentity } from '../../tls/server-identity.ts';
import { dropSlowReaders } from '../../tls/slow-readers.ts';
import { followTlsIdentity } from '../../tls/tls-identity.ts';
import { type ClientAuthentication, isWelcome } from './client-authentication.ts';

export interface ListenerLimits {
  readonly connections: number;
  readonly connectionsPerAddress: number;
  readonly handshakeMilliseconds: number;
  readonly sendMilliseconds: number;
}

export interface ListenerOptions {
  readonly identity: ServerIdentity;
  readonly profile: TlsProfileName;
  readonly ticketMilliseconds: number;
  /** PEM of the CAs that verify clients. */
  readonly authorities: () => readonly string[];
  /** Read for each connection. */
  readonly mode: () => ClientAuthentication;
  readonly limits: ListenerLimits;
  /** Takes a connection whose handshake is done, and the mode in which it was done. */
  readonly accept: (socket: TLSSocket, mode: ClientAuthentication) => void;
  /** A clock in milliseconds that never jumps. */
  readonly monotonic: () => number;
  readonly log: Log;
}

/** A TLS server for gRPC, which follows its identity and its authorities, and hands on the clients that are welcome. */
export function makeListener(options: ListenerOptions): Server {
  const { mode, limits, monotonic, log } = options;
  const server = createServer({
    handshakeTimeout: limits.handshakeMilliseconds,
    // grpc-go and the clients of gRPC's C core refuse a server that selects no protocol
    ALPNProtocols: ['h2'],
  });
  limitHandshakes(server, {
    limits: usualHandshakeLimits,
    silentMilliseconds: limits.handshakeMilliseconds,
    authorities: () => asked.authorities(),
    requiresCertificate: () => mode() === 'require-and-verify',
    shown: (socket) => {
      const bytes = socket.getPeerX509Certificate()?.raw.length;
      const isRefused = !isWelcome(mode(), shownBy(socket));
      return bytes === undefined ? undefined : { isRefused, bytes };
    },
    // Such clients are sent away below, where the mode wants a certificate
    onSuspended: () => undefined,
    monotonic,
    log,
  });
  limitConnections(server, {
    maxConnections: limits.connections,
    maxPerAddress: limits.connectionsPerAddress,
    log,
  });
  const asked = followTlsIdentity(server, {
    ...options,
    clients: { authorities: () => (mode() === 'none' ? undefined : options.authorities()) },
  });
  dropSlowReaders(server, { milliseconds: limits.sendMilliseconds, monotonic, log });
  server.on('tlsClientError', ({ message: reason }, socket) => {
    log.info('TLS handshake failed', { address: clientAddress(socket), reason });
  });
  server.on('secureConnection', (socket) => {
    if (socket.destroyed) return;
    const inForce = mode();
    if (isWelcome(inForce, shownBy(socket))) {
      options.accept(socket, inForce);
      return;
    }
    const address = clientAddress(socket);
    log.info('client without an accepted certificate sent away', { address, mode: inForce });
    socket.destroy();
  });
  return server;
}

function shownBy(socket: TLSSocket) {
  return {
    hasCertificate: socket.getPeerX509Certificate() !== undefined,
    isVerified: socket.authorized,
  };
}

/** @returns the port. @throws SetupError */
export function listen(server: Server, address: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const code = codeOf(error);
      const why =
        code === 'EADDRINUSE'
          ? 'is taken; give another as gnoi.port, or to npm start as --gnoi-port'
          : `cannot be used (${code})`;
      reject(new SetupError(`The port ${port} on ${address} ${why}.`));
    });
    server.listen(port, address, () => resolve((server.address() as AddressInfo).port));
  });
}
