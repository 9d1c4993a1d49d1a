import { createServer, type Server, type TLSSocket } from 'node:tls';
import { clientAddress } from '../../core/client-address.ts';
import type { Log } from '../../core/log.ts';
import { boundServer, type ConnectionBounds } from '../../tls/bounded-server.ts';
import type { TlsProfileName } from '../../tls/profile.ts';
import type { ServerIdentity } from '../../tls/server-identity.ts';
import { type ClientAuthentication, isWelcome } from './client-authentication.ts';

export interface ListenerOptions {
  readonly identity: ServerIdentity;
  readonly profile: TlsProfileName;
  readonly ticketMilliseconds: number;
  /** PEM of the CAs that verify clients. */
  readonly authorities: () => readonly string[];
  /** Read for each connection. */
  readonly mode: () => ClientAuthentication;
  readonly limits: ConnectionBounds;
  /** Takes a connection whose handshake is done, and the mode in which it was done. */
  readonly accept: (socket: TLSSocket, mode: ClientAuthentication) => void;
  /** A clock in milliseconds that never jumps. */
  readonly monotonic: () => number;
  readonly log: Log;
}

/** A TLS server for gRPC, which follows its identity and its authorities, and hands on the clients that are welcome. */
export function makeListener(options: ListenerOptions): Server {
  const { mode, limits, log } = options;
  const server = createServer({
    handshakeTimeout: limits.handshakeMilliseconds,
    // grpc-go and the clients of gRPC's C core refuse a server that selects no protocol
    ALPNProtocols: ['h2'],
  });
  boundServer(server, {
    ...options,
    bounds: limits,
    clients: {
      authorities: () => (mode() === 'none' ? undefined : options.authorities()),
      requiresCertificate: () => mode() === 'require-and-verify',
      shown(socket) {
        const bytes = socket.getPeerX509Certificate()?.raw.length;
        const isRefused = !isWelcome(mode(), shownBy(socket));
        return bytes === undefined ? undefined : { isRefused, bytes };
      },
      // Such clients are sent away below, where the mode wants a certificate
      suspend: () => undefined,
    },
  });
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
