import { backoff } from '../../core/backoff.ts';
import { CertError, isSystemError, reasonOf } from '../../core/cert-error.ts';
import { Listeners } from '../../core/listeners.ts';
import type { Log } from '../../core/log.ts';
import type {
  CertificateEvent,
  EndpointRef,
  PublishedCertificate,
} from '../../manager/certificate-client.ts';
import type { EdgeEndpointEvent } from '../../manager/edge-endpoints.ts';
import { runTimePrefix } from '../../manager/run-time/endpoint-id.ts';
import { type ContentLimits, usualLimits } from '../../x509/limits.ts';
import type { UploadLimits } from '../certs/content.ts';
import { busName, busNamespace, parseBusName, rootPath } from '../certs/endpoint-names.ts';
import { endpointPath, endpointsName } from '../endpoints/paths.ts';
import type { Interfaces } from '../server/object-tree.ts';
import { type Bus, smallMessageBytes } from '../transport/bus.ts';
import { busDaemon } from '../transport/bus-driver.ts';
import { ReconnectingBus } from '../transport/reconnecting-bus.ts';
import { certificateChanges } from './certificate-changes.ts';
import { EdgeEndpointsWatch } from './edge-endpoints-watch.ts';
import { EndpointCopy } from './endpoint-copy.ts';

const defaultUploadBytes = 1 << 20;

/** As those of the managers, and the usual ones unless given. */
export interface ManagerWatchLimits {
  /** The largest file of a certificate with its chain. */
  readonly uploadBytes?: number;
  readonly content?: ContentLimits;
  /** Whether the endpoints that come at run time are watched as well; an edge that has `EdgeEndpoints` needs no second copy. */
  readonly withRunTime?: boolean;
}

/** A live copy of the certificates of one endpoint. */
export type CertificateCopy = Pick<EndpointCopy, 'owner' | 'list' | 'get' | 'status'>;

/** One time that a connection owned a name: the same one may lose it and take it again. */
interface Owner {
  /** Empty while the name has no owner. */
  readonly uniqueName: string;
}

/**
 * Keeps a live copy of every endpoint on the bus, and tells what changes. It comes back by itself when
 * the bus or a manager went away.
 */
export class ManagerWatch {
  readonly #connection: ReconnectingBus;
  readonly #log: Log;
  /** How large an upload may be, and how much of it is read. */
  readonly limits: UploadLimits;
  readonly #copies = new Map<string, EndpointCopy>();
  /** Who owns the managers' names now. */
  readonly #owners = new Map<string, Owner>();
  /** Names whose signals the connection of now gets. */
  readonly #matched = new Set<string>();
  readonly #listeners: Listeners<CertificateEvent>;
  readonly #runTime: EdgeEndpointsWatch | undefined;
  /** What an endpoint had when its manager went away, to tell what changed meanwhile. */
  readonly #remembered = new Map<string, readonly PublishedCertificate[]>();
  #denial: Error | undefined;
  #version = 0;

  constructor(
    busAddress: string,
    log: Log,
    {
      uploadBytes = defaultUploadBytes,
      content = usualLimits,
      withRunTime = true,
    }: ManagerWatchLimits = {},
  ) {
    this.#log = log;
    this.limits = { uploadBytes, content };
    this.#listeners = new Listeners(log);
    const failed = (error: unknown) => this.#noteDenial(error);
    const tell = (event: EdgeEndpointEvent) => {
      this.#changed();
      this.#tellOfRunTime(event);
    };
    this.#runTime = withRunTime
      ? new EdgeEndpointsWatch({ content, log, tell, failed })
      : undefined;
    this.#connection = new ReconnectingBus({
      busAddress,
      bounds: ({ sender }) => smallMessageBytes + (this.#isManager(sender) ? 3 * uploadBytes : 0),
      log,
      begin: async (bus) => {
        // Whatever a copy knows anew comes with a signal
        bus.onSignal(() => this.#changed());
        await Promise.all([this.#watchManagers(bus), this.#runTime?.begin(bus)]);
      },
      failed,
      ended: () => {
        this.#changed();
        this.#forgetAll();
        this.#runTime?.end();
      },
    });
  }

  /** Begins to connect; resolves after the first attempt, whether or not it reached the bus. */
  start(): Promise<void> {
    return this.#connection.start();
  }

  close(): void {
    this.#connection.close();
    this.#forgetAll();
    this.#runTime?.close();
  }

  get isConnected(): boolean {
    return this.#connection.bus !== undefined;
  }

  get denial(): Error | undefined {
    return this.#denial;
  }

  /** The connection that there is now. @throws CertError `unavailable` */
  get bus(): Bus {
    const { bus } = this.#connection;
    if (!bus) throw new CertError('unavailable', 'the D-Bus cannot be reached');
    return bus;
  }

  /** Another number after each change of what is known. */
  get version(): number {
    return this.#version;
  }

  has(endpoint: EndpointRef): boolean {
    return this.#copies.has(busName(endpoint)) || this.#ofRunTime(endpoint) !== undefined;
  }

  /** Ordered by type and name. */
  endpoints(): readonly EndpointRef[] {
    const configured = [...this.#copies.values()].map(({ endpoint }) => endpoint);
    const ofRunTime = (this.#runTime?.copy?.endpoints() ?? []).map((one) => this.#named(one));
    return [...configured, ...ofRunTime].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  }

  /** Those of run time, also while the manager is away. */
  runTimeEndpoints(): readonly EndpointRef[] {
    return (this.#runTime?.known() ?? []).map((one) => this.#named(one));
  }

  /** @throws CertError `unavailable` */
  copyOf(endpoint: EndpointRef): CertificateCopy {
    const copy = this.#copies.get(busName(endpoint)) ?? this.#ofRunTime(endpoint);
    if (!copy) throw new CertError('unavailable', 'the certificate manager does not run');
    return copy;
  }

  /** Where calls about an endpoint go. */
  addressOf(endpoint: EndpointRef): { readonly destination: string; readonly path: string } {
    const ofRunTime = this.#runTimeId(endpoint);
    return ofRunTime
      ? { destination: endpointsName, path: endpointPath(ofRunTime) }
      : { destination: busName(endpoint), path: rootPath(endpoint) };
  }

  /** Objects below an endpoint of run time, which has no ObjectManager of its own; `undefined` for another. */
  runTimeObjects(endpoint: EndpointRef): Readonly<Record<string, Interfaces>> | undefined {
    const own = this.#runTimeId(endpoint);
    return own && this.#runTime?.copy?.objects(own);
  }

  /** @returns how to unsubscribe */
  subscribe(listener: (event: CertificateEvent) => void): () => void {
    return this.#listeners.add(listener);
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
    // A change that was told meanwhile is newer than the reply
    if (typeof owner === 'string' && !this.#owners.has(name))
      await this.#ownerChanged(bus, name, owner);
  }

  async #ownerChanged(bus: Bus, name: string, uniqueName: string): Promise<void> {
    const endpoint = parseBusName(name);
    if (!endpoint || this.#connection.bus !== bus) return;
    if (this.#owners.get(name)?.uniqueName === uniqueName) return;
    const owner = { uniqueName };
    this.#forget(name);
    this.#owners.set(name, owner);
    if (uniqueName === '') this.#log.warn('certificate manager went away', { name });
    else await this.#fetch(bus, name, endpoint, owner, backoff(250, 10_000));
  }

  /** Asks until there is an answer, as long as the name and the bus stay the same. */
  async #fetch(
    bus: Bus,
    name: string,
    endpoint: EndpointRef,
    owner: Owner,
    pauses: Generator<number, never>,
  ): Promise<void> {
    const isCurrent = () => this.#connection.bus === bus && this.#owners.get(name) === owner;
    try {
      // Before anything is asked: a copy that no signal reaches would be stale for ever
      await this.#matchSignalsOf(bus, name);
      const copy = await EndpointCopy.fetch(bus, endpoint, owner.uniqueName, this.limits.content);
      if (!isCurrent()) return copy.close();
      this.#publish(name, copy);
    } catch (error) {
      if (!isCurrent()) return;
      this.#noteDenial(error);
      const reason = reasonOf(error);
      const pause = pauses.next().value;
      this.#log.error('certificate manager does not answer', { name, reason, pause });
      setTimeout(() => {
        if (isCurrent()) void this.#fetch(bus, name, endpoint, owner, pauses);
      }, pause).unref();
    }
  }

  #changed(): void {
    this.#version += 1;
  }

  #noteDenial(error: unknown): void {
    if (isDenial(error)) this.#denial = error;
  }

  /** Puts a copy in place first, so that a listener to a change finds it there. */
  #publish(name: string, copy: EndpointCopy): void {
    this.#changed();
    this.#copies.set(name, copy);
    this.#log.info('certificate manager found', { name });
    const tell = (event: CertificateEvent) => this.#listeners.tell(event);
    const before = this.#remembered.get(name);
    // Of one that was not known before, nothing is news
    if (before) certificateChanges(copy.endpoint, before, copy.list()).forEach(tell);
    copy.tellTo(tell);
  }

  /** What an endpoint of run time is called: edges choose their ids without regard to the configuration. */
  #named(endpoint: EndpointRef): EndpointRef {
    const { type, name } = endpoint;
    return this.#copies.has(busName(endpoint))
      ? { type, name: `${runTimePrefix}${name}` }
      : endpoint;
  }

  /** The endpoint of run time that is called so, by its id; `undefined` for one of the configuration. */
  #runTimeId(endpoint: EndpointRef): EndpointRef | undefined {
    if (this.#copies.has(busName(endpoint))) return undefined;
    const { type, name } = endpoint;
    const isMarked = name.startsWith(runTimePrefix);
    const own = isMarked ? { type, name: name.slice(runTimePrefix.length) } : endpoint;
    return this.#runTime?.copy?.has(own) ? own : undefined;
  }

  #ofRunTime(endpoint: EndpointRef): CertificateCopy | undefined {
    const own = this.#runTimeId(endpoint);
    const { copy, owner = '' } = this.#runTime ?? {};
    if (!own || !copy) return undefined;
    return {
      owner,
      list: () => copy.certificates(own),
      get: (id) => copy.certificate(own, id),
      status: copy.status(own),
    };
  }

  #tellOfRunTime(event: EdgeEndpointEvent): void {
    switch (event.kind) {
      case 'created':
      case 'changed':
      case 'removed':
      case 'expiring':
        this.#listeners.tell({ ...event, endpoint: this.#named(event.endpoint) });
        break;
      default:
      // Who reads the copy sees which endpoints are there
    }
  }

  /** A manager's signal has the text of a file, and that of its first certificate again. */
  #isManager(sender: string): boolean {
    if (sender === this.#runTime?.owner) return true;
    return [...this.#owners.values()].some(({ uniqueName }) => uniqueName === sender);
  }

  #forgetAll(): void {
    for (const name of this.#owners.keys()) this.#forget(name);
    this.#owners.clear();
    this.#matched.clear();
  }

  #forget(name: string): void {
    const copy = this.#copies.get(name);
    if (!copy) return;
    this.#remembered.set(name, copy.list());
    copy.close();
    this.#copies.delete(name);
  }

  async #matchSignalsOf(bus: Bus, name: string): Promise<void> {
    if (this.#matched.has(name)) return;
    await this.#match(bus, `type='signal',sender='${name}'`);
    if (this.#connection.bus === bus) this.#matched.add(name);
  }

  async #match(bus: Bus, rule: string): Promise<void> {
    await bus.call({ ...busDaemon, member: 'AddMatch', signature: 's', body: [rule] });
  }
}

function keyOf({ type, name }: EndpointRef): string {
  return `${type}/${name}`;
}

/** A bus that has a socket and ends the connection does not let this user connect. */
export function isDenial(error: unknown): error is Error {
  if (error instanceof CertError && error.code === 'access-denied') return true;
  const codes = ['EACCES', 'EPIPE', 'ECONNRESET'];
  if (codes.some((code) => isSystemError(error, code))) return true;
  return error instanceof Error && isDenial(error.cause);
}
