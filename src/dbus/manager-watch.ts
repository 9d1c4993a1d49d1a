import type {
  CertificateEvent,
  EndpointRef,
  PublishedCertificate,
} from '../manager/certificate-client.ts';
import { CertError, reasonOf } from '../manager/errors.ts';
import { backoff } from '../platform/backoff.ts';
import type { Log } from '../platform/log.ts';
import { type Bus, connectBus } from './bus.ts';
import { busDaemon } from './callers.ts';
import { EndpointCopy } from './endpoint-copy.ts';
import { busName, busNamespace, parseBusName } from './endpoint-names.ts';

/**
 * Keeps a live copy of every endpoint on the bus, and tells what changes. It comes back by itself when
 * the bus or a manager went away.
 */
export class ManagerWatch {
  readonly #busAddress: string;
  readonly #log: Log;
  readonly #copies = new Map<string, EndpointCopy>();
  /** Unique names that own the managers' names now; empty while nobody does. */
  readonly #owners = new Map<string, string>();
  readonly #listeners = new Set<(event: CertificateEvent) => void>();
  /** What an endpoint had when its manager went away, to tell what changed meanwhile. */
  readonly #remembered = new Map<string, readonly PublishedCertificate[]>();
  #bus: Bus | undefined;
  #closed = false;

  constructor(busAddress: string, log: Log) {
    this.#busAddress = busAddress;
    this.#log = log;
  }

  /** Begins to connect; resolves after the first attempt, whether or not it reached the bus. */
  async start(): Promise<void> {
    await this.#connect(backoff(250, 10_000));
  }

  close(): void {
    this.#closed = true;
    this.#bus?.close();
  }

  /** The connection that there is now. @throws CertError `unavailable` */
  get bus(): Bus {
    if (!this.#bus) throw new CertError('unavailable', 'the D-Bus cannot be reached');
    return this.#bus;
  }

  has(endpoint: EndpointRef): boolean {
    return this.#copies.has(busName(endpoint));
  }

  /** Ordered by type and name. */
  endpoints(): readonly EndpointRef[] {
    const names = [...this.#copies.keys()].sort();
    return names.map(parseBusName).filter((endpoint) => endpoint !== undefined);
  }

  /** @throws CertError `unavailable` */
  copyOf(endpoint: EndpointRef): EndpointCopy {
    const copy = this.#copies.get(busName(endpoint));
    if (!copy) throw new CertError('unavailable', 'the certificate manager does not run');
    return copy;
  }

  /** @returns how to unsubscribe */
  subscribe(listener: (event: CertificateEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell(event: CertificateEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#log.error('event not handled', {
          event: event.kind,
          reason: reasonOf(error),
        });
      }
    }
  }

  async #connect(pauses: Generator<number, never>): Promise<void> {
    if (this.#closed) return;
    let bus: Bus | undefined;
    try {
      const connected = await connectBus(this.#busAddress);
      bus = connected;
      if (this.#closed) return connected.close();
      connected.onLost(() => this.#lost(connected));
      this.#bus = connected;
      await this.#watchManagers(connected);
    } catch (error) {
      // When the bus was lost in between, that has begun the next attempt already
      if (bus && this.#bus !== bus) return;
      const reason = reasonOf(error);
      const pause = pauses.next().value;
      this.#log.warn('D-Bus not reached, trying again', { reason, pause });
      bus?.close();
      this.#bus = undefined;
      setTimeout(() => void this.#connect(pauses), pause);
    }
  }

  #lost(bus: Bus): void {
    if (this.#bus !== bus) return;
    this.#log.error('connection to the D-Bus lost');
    this.#bus = undefined;
    for (const name of this.#owners.keys()) this.#forget(name);
    this.#owners.clear();
    void this.#connect(backoff(250, 10_000));
  }

  /** Watches the names first and lists them after, so that none can slip through in between. */
  async #watchManagers(bus: Bus): Promise<void> {
    bus.onSignal(({ sender, member, body }) => {
      if (sender !== busDaemon.destination || member !== 'NameOwnerChanged') return;
      const [name, , owner] = body.map(String);
      if (name !== undefined && parseBusName(name)) void this.#ownerChanged(bus, name, owner ?? '');
    });
    await this.#match(
      bus,
      `type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0namespace='${busNamespace}'`,
    );
    const [names] = await bus.call({ ...busDaemon, member: 'ListNames' });
    const managers = (Array.isArray(names) ? names.map(String) : []).filter(parseBusName);
    await Promise.all(managers.map((name) => this.#found(bus, name)));
  }

  async #found(bus: Bus, name: string): Promise<void> {
    const call = { ...busDaemon, member: 'GetNameOwner', signature: 's', body: [name] };
    const [owner] = await bus.call(call).catch(() => []);
    if (typeof owner === 'string') await this.#ownerChanged(bus, name, owner);
  }

  async #ownerChanged(bus: Bus, name: string, owner: string): Promise<void> {
    const endpoint = parseBusName(name);
    if (!endpoint || this.#owners.get(name) === owner) return;
    const isNew = !this.#owners.has(name);
    this.#forget(name);
    this.#owners.set(name, owner);
    if (owner === '') {
      this.#log.warn('certificate manager went away', { name });
      return;
    }
    if (isNew) await this.#match(bus, `type='signal',sender='${name}'`).catch(() => undefined);
    await this.#fetch(bus, name, endpoint, owner, backoff(250, 10_000));
  }

  /** Asks until there is an answer, as long as the name and the bus stay the same. */
  async #fetch(
    bus: Bus,
    name: string,
    endpoint: EndpointRef,
    owner: string,
    pauses: Generator<number, never>,
  ): Promise<void> {
    const isCurrent = () => this.#bus === bus && this.#owners.get(name) === owner;
    try {
      const tell = (event: CertificateEvent) => this.#tell(event);
      const copy = await EndpointCopy.fetch(bus, endpoint, owner, tell);
      if (!isCurrent()) return copy.close();
      this.#copies.set(name, copy);
      for (const event of changesBetween(endpoint, this.#remembered.get(name), copy.list()))
        tell(event);
      this.#log.info('certificate manager found', { name });
    } catch (error) {
      if (!isCurrent()) return;
      const reason = reasonOf(error);
      const pause = pauses.next().value;
      this.#log.error('certificate manager does not answer', { name, reason, pause });
      setTimeout(() => {
        if (isCurrent()) void this.#fetch(bus, name, endpoint, owner, pauses);
      }, pause).unref();
    }
  }

  #forget(name: string): void {
    const copy = this.#copies.get(name);
    if (!copy) return;
    this.#remembered.set(name, copy.list());
    copy.close();
    this.#copies.delete(name);
  }

  async #match(bus: Bus, rule: string): Promise<void> {
    await bus.call({ ...busDaemon, member: 'AddMatch', signature: 's', body: [rule] });
  }
}

/** What happened to an endpoint while nobody listened; nothing when it was not known before. */
function changesBetween(
  endpoint: EndpointRef,
  before: readonly PublishedCertificate[] | undefined,
  after: readonly PublishedCertificate[],
): readonly CertificateEvent[] {
  if (!before) return [];
  const known = new Map(before.map(({ id, certificate }) => [id, certificate]));
  const gone = before.filter(({ id }) => !after.some((one) => one.id === id));
  return [
    ...gone.map(({ id }): CertificateEvent => ({ kind: 'removed', endpoint, id })),
    ...after.flatMap((one): CertificateEvent[] => {
      const old = known.get(one.id);
      if (old?.fingerprint === one.certificate.fingerprint) return [];
      return [{ kind: old ? 'changed' : 'created', endpoint, ...one }];
    }),
  ];
}
