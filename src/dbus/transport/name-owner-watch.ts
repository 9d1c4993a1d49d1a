import { CertError } from '../../core/cert-error.ts';
import type { Log } from '../../core/log.ts';
import type { Bus, OutgoingCall, Signal } from './bus.ts';
import { busDaemon, followOwner } from './bus-driver.ts';
import { ReconnectingBus } from './reconnecting-bus.ts';

export interface FollowedNameOptions {
  readonly busAddress: string;
  /** The well-known name to follow. */
  readonly name: string;
  readonly log: Log;
  /** Has the bus start the owner where none is, if it knows how. */
  readonly activate?: boolean;
}

/** A connection that comes back by itself and knows whether a name has an owner. */
export class NameOwnerWatch {
  readonly #options: FollowedNameOptions;
  readonly #onFound = new Set<() => void>();
  readonly #onSignal = new Set<(signal: Signal) => void>();
  readonly #connection: ReconnectingBus;
  #owner = '';

  constructor(options: FollowedNameOptions) {
    this.#options = options;
    this.#connection = new ReconnectingBus({
      ...options,
      begin: (bus) => this.#begin(bus),
      ended: () => this.#setOwner(''),
    });
  }

  /** Begins to connect; resolves after the first attempt, whether or not it reached the bus. */
  start(): Promise<void> {
    return this.#connection.start();
  }

  close(): void {
    this.#connection.close();
    this.#owner = '';
  }

  get isOwned(): boolean {
    return this.#owner !== '';
  }

  /** Told each time that the name gets an owner, and at once when it has one. */
  onFound(listener: () => void): void {
    this.#onFound.add(listener);
    if (this.isOwned) listener();
  }

  /** Told of each signal of the owner that reaches this connection. */
  onSignal(listener: (signal: Signal) => void): void {
    this.#onSignal.add(listener);
  }

  /** A call to the owner of now. @throws CertError, `unavailable` when there is none */
  async call(call: Omit<OutgoingCall, 'destination'>): Promise<readonly unknown[]> {
    const { name } = this.#options;
    const { bus } = this.#connection;
    if (!bus || !this.isOwned) throw new CertError('unavailable', `${name} has no owner`);
    // To the very connection that owns the name: its next owner must not answer what is meant for this one
    return bus.call({ ...call, destination: this.#owner });
  }

  async #begin(bus: Bus): Promise<void> {
    const { name, activate } = this.#options;
    bus.onSignal((signal) => {
      if (this.#connection.bus !== bus || signal.sender !== this.#owner) return;
      for (const listener of this.#onSignal) listener(signal);
    });
    await followOwner(bus, name, (owner) => {
      if (this.#connection.bus === bus) this.#setOwner(owner);
    });
    if (activate !== true || this.isOwned) return;
    // Without a file of activation for the name the bus refuses, and the owner comes by itself
    const start = { member: 'StartServiceByName', signature: 'su', body: [name, 0] };
    bus.call({ ...busDaemon, ...start }).catch(() => undefined);
  }

  #setOwner(owner: string): void {
    if (owner === this.#owner) return;
    const { log, name } = this.#options;
    this.#owner = owner;
    if (owner === '') {
      log.warn('service went away', { name });
      return;
    }
    log.info('service found', { name, owner });
    for (const listener of this.#onFound) listener();
  }
}
