import type { Server } from 'node:https';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Log } from '../../platform/log.ts';
import { addressGroup } from '../access/client-address.ts';
import { peerOf } from './connection-room.ts';

export interface HandshakeLimits {
  /** Bytes that an address may send in handshakes without an accepted certificate before it is suspended. */
  readonly handshakeBytes: number;
  /** Bytes of a single such handshake that suspend its address at once. */
  readonly largeHandshakeBytes: number;
  /** How long these bytes count, and how long a suspended address is not asked for certificates. */
  readonly suspendMilliseconds: number;
  /** How long a handshake may keep the next one of its address waiting. */
  readonly turnMilliseconds: number;
  /** Addresses whose bytes are remembered. */
  readonly addresses: number;
}

export interface HandshakeOptions {
  readonly limits: HandshakeLimits;
  /** The CAs that clients are asked for certificates of now; `undefined` when clients are asked for none. */
  readonly authorities: () => readonly string[] | undefined;
  /** Whether the handshake of a client without a certificate fails. */
  readonly requiresCertificate: () => boolean;
  /** Whether a client showed a certificate that logs nobody in. */
  readonly isRefused: (connection: TLSSocket) => boolean;
  /** Learns of each connection whose client was not asked, because its address is suspended. */
  readonly onSuspended: (connection: TLSSocket) => void;
  /** A clock in milliseconds that never jumps. */
  readonly monotonic: () => number;
  readonly log: Log;
}

/** A connection until its handshake ends. */
interface Handshake {
  readonly socket: Socket;
  readonly address: Address;
  readonly isAsked: boolean;
  timer?: NodeJS.Timeout;
  isLate: boolean;
}

interface Address {
  readonly group: string;
  bytes: number;
  since: number;
  turn?: Handshake;
  readonly waiting: Set<Socket>;
}

export const usualHandshakeLimits: HandshakeLimits = {
  handshakeBytes: 262_144,
  largeHandshakeBytes: 20_000,
  suspendMilliseconds: 300_000,
  turnMilliseconds: 3000,
  addresses: 1000,
};

/**
 * Bounds the time that certificates of strangers cost. OpenSSL verifies the chain of a client inside the
 * handshake, in the thread that serves everybody, before Node tells of any certificate: the 100 kB that it
 * reads at most can take a second. So while clients are asked for certificates, an address has one handshake
 * at a time, and once its handshakes without an accepted certificate have sent too many bytes, its clients
 * are not asked for a while. They still log in with passwords and sessions.
 */
export function limitHandshakes(server: Server, options: HandshakeOptions): void {
  const { limits, monotonic, log } = options;
  // Node's own, which begins TLS and reads at that moment whether the client is asked
  const [begin, ...others] = server.listeners('connection');
  if (!begin || others.length > 0) throw new Error('the server begins TLS in an unknown way');
  server.removeAllListeners('connection');
  const addresses = new Map<string, Address>();
  const handshakes = new Map<string, Handshake>();
  let authorities: readonly string[] | undefined;

  const isSuspended = (address: Address): boolean => {
    if (monotonic() - address.since >= limits.suspendMilliseconds) address.bytes = 0;
    return address.bytes > limits.handshakeBytes;
  };
  const charge = (address: Address, bytes: number) => {
    if (isSuspended(address)) return;
    if (address.bytes === 0) address.since = monotonic();
    address.bytes += bytes;
    if (!isSuspended(address)) return;
    address.since = monotonic();
    log.warn('an address is not asked for client certificates for a while', {
      address: address.group,
      reason: 'its handshakes without an accepted certificate sent too many bytes',
      seconds: limits.suspendMilliseconds / 1000,
    });
  };
  const start = (socket: Socket, address: Address) => {
    const isAsked = authorities !== undefined && !isSuspended(address);
    const handshake: Handshake = { socket, address, isAsked, isLate: false };
    const peer = peerOf(socket);
    handshakes.set(peer, handshake);
    socket.once('close', () => {
      if (handshakes.get(peer) !== handshake) return;
      if (handshake.isLate) charge(address, limits.handshakeBytes / 2);
      end(peer, handshake, socket.bytesRead);
    });
    if (isAsked) {
      address.turn = handshake;
      // What arrived while this thread was busy is read before anybody is called late
      handshake.timer = setTimeout(() => setImmediate(late, handshake), limits.turnMilliseconds);
      handshake.timer.unref();
    }
    const rejectUnauthorized = isAsked && options.requiresCertificate();
    Object.assign(server, { requestCert: isAsked, rejectUnauthorized });
    begin.call(server, socket);
  };
  const late = (handshake: Handshake) => {
    handshake.isLate = true;
    const { turn, waiting } = handshake.address;
    if (turn === handshake && waiting.size > 0) handshake.socket.destroy();
  };
  const end = (peer: string, handshake: Handshake, bytes: number) => {
    const { address, timer, isAsked } = handshake;
    handshakes.delete(peer);
    clearTimeout(timer);
    const isLarge = bytes > limits.largeHandshakeBytes;
    if (isAsked) charge(address, isLarge ? limits.handshakeBytes + 1 : bytes);
    if (address.turn !== handshake) return;
    delete address.turn;
    for (const socket of address.waiting) {
      if (address.turn) return;
      address.waiting.delete(socket);
      start(socket, address);
    }
  };
  const addressOf = (group: string): Address => {
    const address = addresses.get(group) ?? { group, bytes: 0, since: 0, waiting: new Set() };
    // Of two addresses the one that came last is remembered
    addresses.delete(group);
    addresses.set(group, address);
    for (const other of addresses.values()) {
      if (addresses.size <= limits.addresses) break;
      if (other !== address && !other.turn) addresses.delete(other.group);
    }
    return address;
  };

  server.on('connection', (socket: Socket) => {
    const { remoteAddress } = socket;
    if (remoteAddress === undefined) {
      socket.destroy();
      return;
    }
    const current = options.authorities();
    // What was refused may be welcome now
    if (current !== authorities) for (const one of addresses.values()) one.bytes = 0;
    authorities = current;
    const address = addressOf(addressGroup(remoteAddress));
    if (!address.turn || !authorities || isSuspended(address)) {
      start(socket, address);
      return;
    }
    address.waiting.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => address.waiting.delete(socket));
    if (address.turn.isLate) address.turn.socket.destroy();
  });
  server.prependListener('secureConnection', (socket: TLSSocket) => {
    const peer = peerOf(socket);
    const handshake = handshakes.get(peer);
    if (!handshake) return;
    if (authorities && !handshake.isAsked) options.onSuspended(socket);
    // The first request may be among the bytes that were read, so those of others say nothing
    end(peer, handshake, options.isRefused(socket) ? handshake.socket.bytesRead : 0);
  });
}
