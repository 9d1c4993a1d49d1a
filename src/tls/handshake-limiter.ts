import type { Socket } from 'node:net';
import type { Server, TLSSocket } from 'node:tls';
import { addressGroup, clientAddress } from '../core/client-address.ts';
import type { Log } from '../core/log.ts';
import { peerOf } from './connection-limiter.ts';
import { whenFirstBytesCome } from './first-bytes.ts';
import {
  type HandshakeAddress,
  HandshakeAddresses,
  type HandshakeAddressLimits,
} from './handshake-addresses.ts';

export interface HandshakeLimits extends HandshakeAddressLimits {
  /** Bytes of a single handshake without an accepted certificate that suspend its address at once. */
  readonly largeHandshakeBytes: number;
  /** How long a handshake may keep the next one of its address waiting. */
  readonly turnMilliseconds: number;
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
  /** Whether a connection from an address may begin TLS at all; each may, unless given. */
  readonly admits?: ((address: string) => boolean) | undefined;
  /** A clock in milliseconds that never jumps. */
  readonly monotonic: () => number;
  readonly log: Log;
}

export interface ShownCertificates {
  /** Whether no user is logged in by them. */
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

interface Address extends HandshakeAddress {
  /** The handshake whose client is asked for a certificate. */
  turn?: Handshake;
  /** Connections that wait for their turn. */
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
 * handshake, in the thread that serves all clients, before Node tells of any certificate: the 100 kB that it
 * reads at most can take a second. So while clients are asked for certificates, an address has one handshake
 * at a time, and once its handshakes without an accepted certificate have sent too many bytes, its clients
 * are not asked for a while. They still log in with passwords and sessions. A connection that sends nothing,
 * such as a browser's in advance, takes no turn.
 */
export function limitHandshakes(server: Server, options: HandshakeOptions): void {
  // Node's own, which begins TLS and reads at that moment whether the client is asked
  const [begin, ...others] = server.listeners('connection');
  if (!begin || others.length > 0) throw new Error('the server begins TLS in an unknown way');
  server.removeAllListeners('connection');
  const limiter = new HandshakeLimiter(options, (socket, question) => {
    Object.assign(server, question);
    begin.call(server, socket);
  });
  server.on('connection', (socket: Socket) => limiter.admit(socket));
  server.prependListener('secureConnection', (socket: TLSSocket) => limiter.succeed(socket));
}

/** What Node asks the client of the connection that begins next. */
interface CertificateQuestion {
  readonly requestCert: boolean;
  readonly rejectUnauthorized: boolean;
}

class HandshakeLimiter {
  readonly #options: HandshakeOptions;
  readonly #begin: (socket: Socket, question: CertificateQuestion) => void;
  readonly #addresses: HandshakeAddresses<Address>;
  /** Handshakes at work, by the ends of their connections. */
  readonly #handshakes = new Map<string, Handshake>();
  #authorities: readonly string[] | undefined;

  constructor(
    options: HandshakeOptions,
    begin: (socket: Socket, question: CertificateQuestion) => void,
  ) {
    this.#options = options;
    this.#begin = begin;
    this.#addresses = new HandshakeAddresses<Address>(
      options,
      (group) => ({ group, bytes: 0, stalls: 0, since: 0, waiting: new Set<Socket>() }),
      ({ turn }) => turn !== undefined,
    );
  }

  /** A connection whose TLS has not begun. */
  admit(socket: Socket): void {
    const { remoteAddress } = socket;
    if (remoteAddress === undefined || this.#options.admits?.(clientAddress(socket)) === false) {
      socket.destroy();
      return;
    }
    const current = this.#options.authorities();
    // What was refused may be welcome now
    if (current !== this.#authorities) this.#addresses.forgiveAll();
    this.#authorities = current;
    const group = addressGroup(remoteAddress);
    const address = this.#addresses.of(group);
    if (!this.#authorities || this.#addresses.isSuspended(address)) {
      this.#start(socket, address);
      return;
    }
    whenFirstBytesCome(socket, this.#options.silentMilliseconds, () =>
      this.#startInTurn(socket, this.#addresses.of(group)),
    );
  }

  /** A connection whose handshake has succeeded. */
  succeed(socket: TLSSocket): void {
    const peer = peerOf(socket);
    const handshake = this.#handshakes.get(peer);
    if (!handshake) return;
    if (this.#authorities && !handshake.isAsked) this.#options.onSuspended(socket);
    const shown = this.#options.shown(socket);
    if (shown?.isRefused) {
      this.#end(peer, handshake, handshake.socket.bytesRead);
      return;
    }
    // The first request may be among the bytes that were read. What is accepted counts where it is large
    const { bytes = 0 } = shown ?? {};
    if (handshake.isAsked && bytes > this.#options.limits.largeHandshakeBytes)
      this.#addresses.count(handshake.address, { bytes });
    this.#end(peer, handshake, 0);
  }

  #startInTurn(socket: Socket, address: Address): void {
    if (this.#mayStart(address) && !address.turn?.isLate) {
      this.#start(socket, address);
      return;
    }
    address.waiting.add(socket);
    socket.once('close', () => address.waiting.delete(socket));
    this.#endLate(address);
  }

  #mayStart(address: Address): boolean {
    if (!this.#authorities || !address.turn || this.#addresses.isSuspended(address)) return true;
    // Without a certificate connections could go on only in vain where it is required
    return this.#addresses.isStalling(address) && !this.#options.requiresCertificate();
  }

  #start(socket: Socket, address: Address): void {
    const isAsked =
      this.#authorities !== undefined && !address.turn && !this.#addresses.isSuspended(address);
    const handshake: Handshake = { socket, address, isAsked, isLate: false };
    const peer = peerOf(socket);
    this.#handshakes.set(peer, handshake);
    socket.once('close', () => {
      if (this.#handshakes.get(peer) === handshake) this.#end(peer, handshake, socket.bytesRead);
    });
    if (isAsked) this.#takeTurn(address, handshake);
    this.#begin(socket, {
      requestCert: isAsked,
      rejectUnauthorized: isAsked && this.#options.requiresCertificate(),
    });
  }

  #takeTurn(address: Address, handshake: Handshake): void {
    address.turn = handshake;
    const late = () => {
      handshake.isLate = true;
      if (address.turn === handshake) this.#endLate(address);
    };
    // What arrived while this thread was busy is read before a handshake is called late
    handshake.timer = setTimeout(() => setImmediate(late), this.#options.limits.turnMilliseconds);
    handshake.timer.unref();
  }

  /** Ends a handshake that has had its time, when another connection of the address waits. */
  #endLate(address: Address): void {
    const { turn, waiting } = address;
    if (!turn?.isLate || turn.socket.destroyed || waiting.size === 0) return;
    this.#addresses.count(address, { stalls: 1 });
    turn.socket.destroy();
  }

  #end(peer: string, { socket, address, timer, isAsked }: Handshake, bytes: number): void {
    const { largeHandshakeBytes, handshakeBytes } = this.#options.limits;
    this.#handshakes.delete(peer);
    clearTimeout(timer);
    const isLarge = bytes > largeHandshakeBytes;
    if (isAsked) this.#addresses.count(address, { bytes: isLarge ? handshakeBytes + 1 : bytes });
    if (address.turn?.socket !== socket) return;
    delete address.turn;
    for (const waiting of address.waiting) {
      if (!this.#mayStart(address)) return;
      address.waiting.delete(waiting);
      this.#start(waiting, address);
    }
  }
}
