import type { Log } from '../core/log.ts';

export interface HandshakeAddressLimits {
  /** Bytes that an address may send in handshakes without an accepted certificate before it is suspended. */
  readonly handshakeBytes: number;
  /** How long these bytes count, and how long a suspended address is not asked for certificates. */
  readonly suspendMilliseconds: number;
  /** Handshakes that kept others of their address waiting for too long, after which others go on unasked. */
  readonly stalledHandshakes: number;
  /** Addresses whose bytes are remembered. */
  readonly addresses: number;
}

/** What counts against an address, and since when. */
export interface HandshakeAddress {
  readonly group: string;
  bytes: number;
  stalls: number;
  since: number;
}

interface HandshakeAddressOptions {
  readonly limits: HandshakeAddressLimits;
  /** A clock in milliseconds that never jumps. */
  readonly monotonic: () => number;
  readonly log: Pick<Log, 'warn'>;
}

/** Remembers which addresses cost too much in handshakes. */
export class HandshakeAddresses<A extends HandshakeAddress> {
  readonly #limits: HandshakeAddressLimits;
  readonly #monotonic: () => number;
  readonly #log: Pick<Log, 'warn'>;
  readonly #make: (group: string) => A;
  readonly #isBusy: (address: A) => boolean;
  readonly #addresses = new Map<string, A>();

  /**
   * @param make a record for an address that nothing counts against
   * @param isBusy whether the record must be kept, however many others came since
   */
  constructor(
    { limits, monotonic, log }: HandshakeAddressOptions,
    make: (group: string) => A,
    isBusy: (address: A) => boolean,
  ) {
    this.#limits = limits;
    this.#monotonic = monotonic;
    this.#log = log;
    this.#make = make;
    this.#isBusy = isBusy;
  }

  of(group: string): A {
    const address = this.#addresses.get(group) ?? this.#make(group);
    // Of two addresses the one that came last is remembered
    this.#addresses.delete(group);
    this.#addresses.set(group, address);
    for (const other of this.#addresses.values()) {
      if (this.#addresses.size <= this.#limits.addresses) break;
      if (other !== address && !this.#isBusy(other)) this.#addresses.delete(other.group);
    }
    return address;
  }

  isSuspended(address: A): boolean {
    this.#forgiveInTime(address);
    return address.bytes > this.#limits.handshakeBytes;
  }

  /** Whether connections of the address find no end of handshakes before them. */
  isStalling(address: A): boolean {
    this.#forgiveInTime(address);
    return address.stalls > this.#limits.stalledHandshakes;
  }

  count(address: A, { bytes = 0, stalls = 0 }: { bytes?: number; stalls?: number }): void {
    if (this.isSuspended(address)) return;
    if (address.bytes === 0 && address.stalls === 0) address.since = this.#monotonic();
    address.bytes += bytes;
    address.stalls += stalls;
    if (!this.isSuspended(address)) return;
    address.since = this.#monotonic();
    this.#log.warn('an address is not asked for client certificates for a while', {
      address: address.group,
      reason: 'its handshakes without an accepted certificate sent too many bytes',
      seconds: this.#limits.suspendMilliseconds / 1000,
    });
  }

  forgiveAll(): void {
    for (const address of this.#addresses.values()) forgive(address);
  }

  #forgiveInTime(address: A): void {
    if (this.#monotonic() - address.since >= this.#limits.suspendMilliseconds) forgive(address);
  }
}

function forgive(address: HandshakeAddress): void {
  Object.assign(address, { bytes: 0, stalls: 0 });
}
