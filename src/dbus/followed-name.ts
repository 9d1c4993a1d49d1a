import { CertError, reasonOf } from '../manager/errors.ts';
import { backoff } from '../platform/backoff.ts';
import type { Log } from '../platform/log.ts';
import { type Bus, connectBus, type OutgoingCall } from './bus.ts';
import { busDaemon } from './callers.ts';

export interface FollowedNameOptions {
  readonly busAddress: string;
  /** The well-known name to follow. */
  readonly name: string;
  readonly log: Log;
}

/** A connection that comes back by itself and knows whether somebody owns a name. */
export class FollowedName {
  readonly #options: FollowedNameOptions;
  readonly #onFound = new Set<() => void>();
  #bus: Bus | undefined;
  #owner = '';
  #closed = false;
  #retry: NodeJS.Timeout | undefined;

  constructor(options: FollowedNameOptions) {
    this.#options = options;
  }

  /** Begins to connect; resolves after the first attempt, whether or not it reached the bus. */
  async start(): Promise<void> {
    await this.#connect(backoff(250, 10_000));
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#bus?.close();
    this.#bus = undefined;
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
    if (!this.#bus || !this.isOwned) throw new CertError('unavailable', `${name} has no owner`);
    // To the very connection that owns the name: whoever takes it next answers nothing meant for this one
    return this.#bus.call({ ...call, destination: this.#owner });
  }

  async #connect(pauses: Generator<number, never>): Promise<void> {
    if (this.#closed) return;
    let bus: Bus | undefined;
    try {
      const connected = await connectBus(this.#options.busAddress);
      bus = connected;
      if (this.#closed) return connected.close();
      connected.onLost(() => this.#lost(connected));
      this.#bus = connected;
      await this.#follow(connected);
    } catch (error) {
      // When the bus was lost in between, that has begun the next attempt already
      if (bus && this.#bus !== bus) return;
      const pause = pauses.next().value;
      this.#options.log.warn('D-Bus not reached, trying again', {
        reason: reasonOf(error),
        pause,
      });
      bus?.close();
      this.#bus = undefined;
      this.#setOwner('');
      this.#retry = setTimeout(() => void this.#connect(pauses), pause);
    }
  }

  #lost(bus: Bus): void {
    if (this.#bus !== bus) return;
    this.#bus = undefined;
    this.#setOwner('');
    void this.#connect(backoff(250, 10_000));
  }

  /** Watches the name first and asks for its owner after, so that no change slips through. */
  async #follow(bus: Bus): Promise<void> {
    const { name } = this.#options;
    let told = false;
    bus.onSignal(({ sender, member, body }) => {
      if (this.#bus !== bus || sender !== busDaemon.destination) return;
      if (member !== 'NameOwnerChanged' || body[0] !== name) return;
      told = true;
      this.#setOwner(String(body[2]));
    });
    const rule = `type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='${name}'`;
    await bus.call({ ...busDaemon, member: 'AddMatch', signature: 's', body: [rule] });
    const asked = { ...busDaemon, member: 'GetNameOwner', signature: 's', body: [name] };
    const [owner] = await bus.call(asked).catch(() => []);
    // A signal that came with the reply is newer than it, and was heard before it
    if (this.#bus === bus && !told && typeof owner === 'string') this.#setOwner(owner);
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
