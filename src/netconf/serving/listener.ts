import { createServer, type Server, type TLSSocket } from 'node:tls';
import { clientAddress } from '../../core/client-address.ts';
import type { Log } from '../../core/log.ts';
import { noCertificateCode } from '../../identity/peer-certificates/client-connections.ts';
import type { PeerCertificates } from '../../identity/peer-certificates/peer-certificates.ts';
import { codeOf } from '../../storage/io-errors.ts';
import { boundServer, type ConnectionBounds } from '../../tls/bounded-server.ts';
import type { TlsProfileName } from '../../tls/profile.ts';
import type { ServerIdentity } from '../../tls/server-identity.ts';

export interface ListenerOptions {
  readonly identity: ServerIdentity;
  readonly profile: TlsProfileName;
  readonly peers: PeerCertificates;
  readonly bounds: ConnectionBounds;
  /** Whether a connection from an address may begin TLS. */
  readonly admits: (address: string) => boolean;
  /** Learns of each client that shows no certificate. */
  readonly onMissing: (address: string) => void;
  /** Takes a connection whose client has shown a certificate that is trusted. */
  readonly accept: (socket: TLSSocket) => void;
  /** A clock in milliseconds that never jumps. */
  readonly monotonic: () => number;
  readonly log: Log;
}

/**
 * ncclient waits for the socket to be readable, reads 4096 bytes and never looks for more of the record: what is behind them it
 * would find with the next record only (https://github.com/ncclient/ncclient/issues/651).
 */
const recordBytes = 4096;

/** No session of TLS is resumed, as a resumed one shows no chain: the keys of tickets need not change. */
const ticketMilliseconds = 24 * 3_600_000;

/** A TLS server for NETCONF (RFC 7589), whose clients must show certificates. */
export function makeListener(options: ListenerOptions): Server {
  const { peers, bounds, accept, log } = options;
  const server = createServer({ handshakeTimeout: bounds.handshakeMilliseconds });
  boundServer(server, { ...options, clients: peers, ticketMilliseconds });
  peers.connections.attach(server);
  server.on('tlsClientError', (error, socket) => {
    const address = peers.addressOf(socket);
    if (codeOf(error) === noCertificateCode) options.onMissing(address);
    log.info('TLS handshake failed', { address, reason: error.message });
  });
  server.on('secureConnection', (socket) => {
    if (socket.destroyed) return;
    socket.on('error', ({ message: reason }) => {
      log.debug('connection broken', { address: clientAddress(socket), reason });
    });
    socket.setMaxSendFragment(recordBytes);
    // Node tells of the connection before it has written the tickets of TLS 1.3. ncclient would find the socket readable
    // because of tickets that come later, and wait in vain for data behind them
    setImmediate(() => {
      if (!socket.destroyed) accept(socket);
    });
  });
  return server;
}
