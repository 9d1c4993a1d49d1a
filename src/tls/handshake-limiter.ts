import type { Server } from 'node:https';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { addressGroup } from '../core/client-address.ts';
import type { Log } from '../core/log.ts';
import { peerOf } from './connection-limiter.ts';

export interface HandshakeLimits {
  /** Bytes that an address may send in handshakes without an accepted certificate before it is suspended. */
  readonly handshakeBytes: number;
  /** Bytes of a single such handshake that suspend its address at once. */
  readonly largeHandshakeBytes: number;
  /** How long these bytes count, and how long a suspended address is not asked for certificates. */
  readonly suspendMilliseconds: number;
  /** How long a handshake may keep the next one of its address waiting. */
  readonly turnMilliseconds: number;
  /** Handshakes that kept others of their address waiting for so long, after which others go on unasked. */
  readonly stalledHandshakes: number;
  /** Addresses whose bytes are remembered. */
  readonly addresses: number;
}

export interface HandshakeOptions {
  readonly limits: HandshakeLimits;
  /** How long a connection may be open before its first byte. */
  readonly silentMilliseconds: number;
  /** The CAs that clients are asked for certificates of now; `undefined` when clients are asked for none. */
  readonly authorities: () => readonly string[] | undefined;
  /** Whether the handshake of a client without a certificate fails. */
  readonly requiresCertificate: () => boolean;
  /** What a client showed, `undefined` where it showed no certificate. */
  readonly shown: (connection: TLSSocket) => ShownCertificates | undefined;
  /** Learns of each connection whose client was not asked, because its address is suspended. */
  readonly onSuspended: (connection: TLSSocket) => void;
  /** A clock in milliseconds that never jumps. */
  readonly monotonic: () => number;
  readonly log: Log;
}

export interface ShownCertificates {
  /** Whether they log nobody in. */
  readonly isRefused: boolean;
  readonly bytes: number;
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
  /** What counts against it, and since when. */
  bytes: number;
  stalls: number;
  since: number;
  turn?: Handshake;
  readonly waiting: Set<Socket>;
}

export const usualHandshakeLimits: HandshakeLimits = {
  handshakeBytes: 262_144,
  largeHandshakeBytes: 20_000,
  suspendMilliseconds: 300_000,
  turnMilliseconds: 3000,
  stalledHandshakes: 2,
  addresses: 1000,
};

/**
 * Bounds the time that certificates of strangers cost. OpenSSL verifies the chain of a client inside the
 * handshake, in the thread that serves everybody, before Node tells of any certificate: the 100 kB that it
 * reads at most can take a second. So while clients are asked for certificates, an address has one handshake
 * at a time, and once its handshakes without an accepted certificate have sent too many bytes, its clients
 * are not asked for a while. They still log in with passwords and sessions. A connection that sends nothing,
 * such as a browser's in advance, takes no turn.
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

  const forgive = (address: Address) => Object.assign(address, { bytes: 0, stalls: 0 });
  const forgiveInTime = (address: Address) => {
    if (monotonic() - address.since >= limits.suspendMilliseconds) forgive(address);
  };
  const isSuspended = (address: Address): boolean => {
    forgiveInTime(address);
    return address.bytes > limits.handshakeBytes;
  };
  /** Whether connections find no end of handshakes before them. Without a certificate they could go on only in vain
   * where it is required. */
  const isStalling = (address: Address): boolean => {
    forgiveInTime(address);
    return address.stalls > limits.stalledHandshakes && !options.requiresCertificate();
  };
  const count = (address: Address, more: { bytes?: number; stalls?: number }) => {
    if (isSuspended(address)) return;
    if (address.bytes === 0 && address.stalls === 0) address.since = monotonic();
    address.bytes += more.bytes ?? 0;
    address.stalls += more.stalls ?? 0;
    if (!isSuspended(address)) return;
    address.since = monotonic();
    log.warn('an address is not asked for client certificates for a while', {
      address: address.group,
      reason: 'its handshakes without an accepted certificate sent too many bytes',
      seconds: limits.suspendMilliseconds / 1000,
    });
  };
  const start = (socket: Socket, address: Address) => {
    const isAsked = authorities !== undefined && !address.turn && !isSuspended(address);
    const handshake: Handshake = { socket, address, isAsked, isLate: false };
    const peer = peerOf(socket);
    handshakes.set(peer, handshake);
    socket.once('close', () => {
      if (handshakes.get(peer) === handshake) end(peer, handshake, socket.bytesRead);
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
    if (handshake.address.turn === handshake) endLate(handshake.address);
  };
  const endLate = (address: Address) => {
    const { turn, waiting } = address;
    if (!turn?.isLate || turn.socket.destroyed || waiting.size === 0) return;
    count(address, { stalls: 1 });
    turn.socket.destroy();
  };
  const end = (peer: string, handshake: Handshake, bytes: number) => {
    const { address, timer, isAsked } = handshake;
    handshakes.delete(peer);
    clearTimeout(timer);
    const isLarge = bytes > limits.largeHandshakeBytes;
    if (isAsked) count(address, { bytes: isLarge ? limits.handshakeBytes + 1 : bytes });
    if (address.turn !== handshake) return;
    delete address.turn;
    for (const socket of address.waiting) {
      if (!mayStart(address)) return;
      address.waiting.delete(socket);
      start(socket, address);
    }
  };
  const mayStart = (address: Address): boolean =>
    !authorities || !address.turn || isSuspended(address) || isStalling(address);
  const startInTurn = (socket: Socket, address: Address) => {
    if (mayStart(address) && !address.turn?.isLate) {
      start(socket, address);
      return;
    }
    address.waiting.add(socket);
    socket.once('close', () => address.waiting.delete(socket));
    endLate(address);
  };
  const addressOf = (group: string): Address => {
    const address = addresses.get(group) ?? {
      ...{ group, bytes: 0, stalls: 0, since: 0 },
      waiting: new Set<Socket>(),
    };
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
    if (current !== authorities) addresses.forEach(forgive);
    authorities = current;
    const group = addressGroup(remoteAddress);
    const address = addressOf(group);
    if (!authorities || isSuspended(address)) {
      start(socket, address);
      return;
    }
    whenFirstBytesCome(socket, options.silentMilliseconds, () =>
      startInTurn(socket, addressOf(group)),
    );
  });
  server.prependListener('secureConnection', (socket: TLSSocket) => {
    const peer = peerOf(socket);
    const handshake = handshakes.get(peer);
    if (!handshake) return;
    if (authorities && !handshake.isAsked) options.onSuspended(socket);
    const shown = options.shown(socket);
    if (shown?.isRefused) {
      end(peer, handshake, handshake.socket.bytesRead);
      return;
    }
    // The first request may be among the bytes that were read. What is accepted counts where it is large
    const { bytes = 0 } = shown ?? {};
    if (handshake.isAsked && bytes > limits.largeHandshakeBytes)
      count(handshake.address, { bytes });
    end(peer, handshake, 0);
  });
}

/** TLS begins with what is read already. A client that sends nothing, or closes, is sent away. */
function whenFirstBytesCome(socket: Socket, milliseconds: number, use: () => void): void {
  const timer = setTimeout(() => socket.destroy(), milliseconds);
  socket.on('error', () => socket.destroy());
  socket.once('close', () => clearTimeout(timer));
  socket.once('readable', () => {
    clearTimeout(timer);
    if (socket.destroyed) return;
    if (socket.readableLength > 0) use();
    else socket.destroy();
  });
}
