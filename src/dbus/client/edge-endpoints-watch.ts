import { backoff } from '../../core/backoff.ts';
import { reasonOf } from '../../core/cert-error.ts';
import type { Log } from '../../core/log.ts';
import type { EndpointRef } from '../../manager/certificate-client.ts';
import type { EdgeEndpoint, EdgeEndpointEvent } from '../../manager/edge-endpoints.ts';
import type { ContentLimits } from '../../x509/limits.ts';
import { endpointsName } from '../endpoints/paths.ts';
import type { Bus } from '../transport/bus.ts';
import { busDaemon, followOwner } from '../transport/bus-driver.ts';
import { endpointChanges } from './certificate-changes.ts';
import { EdgeEndpointsCopy } from './edge-endpoints-copy.ts';

export interface EdgeEndpointsWatchOptions {
  readonly content: ContentLimits;
  readonly log: Log;
  readonly tell: (event: EdgeEndpointEvent) => void;
  /** Told of each attempt that did not succeed. */
  readonly failed: (error: unknown) => void;
}

/** Keeps a live copy of the endpoints of run time on connections to the bus that come and go. */
export class EdgeEndpointsWatch {
  readonly #options: EdgeEndpointsWatchOptions;
  #bus: Bus | undefined;
  /** The connection that owns the name now; empty while none does. */
  #owner = '';
  #copy: EdgeEndpointsCopy | undefined;
  /** The first attempt at the copy of the owner. */
  #fetching: Promise<void> | undefined;
  /** What was there when the manager went away, to tell what changed meanwhile. */
  #remembered: readonly EdgeEndpoint[] = [];

  constructor(options: EdgeEndpointsWatchOptions) {
    this.#options = options;
  }

  /** `undefined` while the manager is away. */
  get copy(): EdgeEndpointsCopy | undefined {
    return this.#copy;
  }

  get owner(): string {
    return this.#owner;
  }

  /** Those that are there, and those that were there when the manager was heard of last. */
  known(): readonly EndpointRef[] {
    const remembered = this.#remembered.map(({ type, name }): EndpointRef => ({ type, name }));
    return this.#copy ? [...this.#copy.endpoints(), ...remembered] : remembered;
  }

  /** Follows the owner on a new connection; resolves after the first attempt at a copy. */
  async begin(bus: Bus): Promise<void> {
    this.#bus = bus;
    const body = [`type='signal',sender='${endpointsName}'`];
    // Before anything is asked: a copy that no signal reaches would be stale for ever
    await bus.call({ ...busDaemon, member: 'AddMatch', signature: 's', body });
    await followOwner(bus, endpointsName, (owner) => this.#setOwner(bus, owner));
    await this.#fetching;
  }

  /** The connection is lost. */
  end(): void {
    this.#setOwner(undefined, '');
  }

  /** Ends without a word to the listeners. */
  close(): void {
    this.#bus = undefined;
    this.#copy?.close();
    this.#copy = undefined;
  }

  #setOwner(bus: Bus | undefined, owner: string): void {
    if (this.#copy) {
      this.#remembered = this.#copy.list();
      this.#copy.close();
      this.#copy = undefined;
      this.#options.tell({ kind: 'unavailable' });
    }
    this.#bus = bus;
    this.#owner = owner;
    if (owner !== '' && bus) this.#fetching = this.#fetch(bus, owner, backoff(250, 10_000));
  }

  /** Asks until there is an answer, as long as the owner and the bus stay the same. */
  async #fetch(bus: Bus, owner: string, pauses: Generator<number, never>): Promise<void> {
    const isCurrent = () => this.#bus === bus && this.#owner === owner && !this.#copy;
    const { log, content, failed } = this.#options;
    try {
      const copy = await EdgeEndpointsCopy.fetch(bus, owner, content);
      if (isCurrent()) this.#publish(copy);
      else copy.close();
    } catch (error) {
      if (!isCurrent()) return;
      failed(error);
      const pause = pauses.next().value;
      const reason = reasonOf(error);
      log.error('certificate manager does not answer', { name: endpointsName, reason, pause });
      setTimeout(() => {
        if (isCurrent()) void this.#fetch(bus, owner, pauses);
      }, pause).unref();
    }
  }

  /** Puts the copy in place first, so that a listener to a change finds it there. */
  #publish(copy: EdgeEndpointsCopy): void {
    const { tell, log } = this.#options;
    this.#copy = copy;
    log.info('certificate manager found', { name: endpointsName });
    endpointChanges(this.#remembered, copy.list()).forEach(tell);
    this.#remembered = [];
    copy.tellTo(tell);
    tell({ kind: 'available' });
  }
}
