import { CertError } from '../../core/cert-error.ts';
import type { Log } from '../../core/log.ts';
import type { OutgoingCall } from './bus.ts';
import { followOwner } from './bus-driver.ts';
import { ReconnectingBus } from './reconnecting-bus.ts';

export interface FollowedNameOptions {
  readonly busAddress: string;
  /** The well-known name to follow. */
  readonly name: string;
  readonly log: Log;
}

/** A connection that comes back by itself and knows whether a name has an owner. */
export class NameOwnerWatch {
  readonly #options: FollowedNameOptions;
  readonly #onFound = new Set<() => void>();
  readonly #connection: ReconnectingBus;
  #owner = '';

  constructor(options: FollowedNameOptions) {
    this.#options = options;
    this.#connection = new ReconnectingBus({
      ...options,
      begin: (bus) =>
        followOwner(bus, options.name, (owner) => {
          if (this.#connection.bus === bus) this.#setOwner(owner);
        }),
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

  /** A call to the owner of now. @throws CertError, `unavailable` when there is none */
  async call(call: Omit<OutgoingCall, 'destination'>): Promise<readonly unknown[]> {
    const { name } = this.#options;
    const { bus } = this.#connection;
    if (!bus || !this.isOwned) throw new CertError('unavailable', `${name} has no owner`);
    // To the very connection that owns the name: its next owner must not answer what is meant for this one
    return bus.call({ ...call, destination: this.#owner });
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
