import { CertError } from '../../core/cert-error.ts';
import type { Log } from '../../core/log.ts';
import type { Bus, OutgoingCall } from './bus.ts';
import { busDaemon } from './bus-driver.ts';
import { ReconnectingBus } from './reconnecting-bus.ts';

export interface FollowedNameOptions {
  readonly busAddress: string;
  /** The well-known name to follow. */
  readonly name: string;
  readonly log: Log;
}

/** A connection that comes back by itself and knows whether somebody owns a name. */
export class NameOwnerWatch {
  readonly #options: FollowedNameOptions;
  readonly #onFound = new Set<() => void>();
  readonly #connection: ReconnectingBus;
  #owner = '';

  constructor(options: FollowedNameOptions) {
    this.#options = options;
    this.#connection = new ReconnectingBus({
      ...options,
      begin: (bus) => this.#follow(bus),
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

  /** Told each time somebody took the name; at once when somebody has it. */
  onFound(listener: () => void): void {
    this.#onFound.add(listener);
    if (this.isOwned) listener();
  }

  /** A call to the owner of now. @throws CertError, `unavailable` when there is none */
  async call(call: Omit<OutgoingCall, 'destination'>): Promise<readonly unknown[]> {
    const { name } = this.#options;
    const { bus } = this.#connection;
    if (!bus || !this.isOwned) throw new CertError('unavailable', `${name} has no owner`);
    // To the very connection that owns the name: whoever takes it next answers nothing meant for this one
    return bus.call({ ...call, destination: this.#owner });
  }

  /** Watches the name first and asks for its owner after, so that no change slips through. */
  async #follow(bus: Bus): Promise<void> {
    const { name } = this.#options;
    let told = false;
    bus.onSignal(({ sender, member, body }) => {
      if (this.#connection.bus !== bus || sender !== busDaemon.destination) return;
      if (member !== 'NameOwnerChanged' || body[0] !== name) return;
      told = true;
      this.#setOwner(String(body[2]));
    });
    const rule = `type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='${name}'`;
    await bus.call({ ...busDaemon, member: 'AddMatch', signature: 's', body: [rule] });
    const asked = { ...busDaemon, member: 'GetNameOwner', signature: 's', body: [name] };
    const [owner] = await bus.call(asked).catch(() => []);
    // A signal that came with the reply is newer than it, and was heard before it
    if (this.#connection.bus === bus && !told && typeof owner === 'string') this.#setOwner(owner);
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
