import type { EndpointStatus } from '../../manager/administration.ts';
import type { EndpointRef, PublishedCertificate } from '../../manager/certificate-client.ts';
import type {
  EdgeEndpoint,
  EdgeEndpointEvent,
  ServiceBinding,
} from '../../manager/edge-endpoints.ts';
import type { ContentLimits } from '../../x509/limits.ts';
import {
  chainInterface,
  expiryInterface,
  findingsInterface,
  reloadInterface,
  replacementInterface,
} from '../certs/extension-interfaces.ts';
import { endpointInterface, endpointsInterface } from '../endpoints/interfaces.ts';
import { endpointAt, endpointPath, endpointsRoot } from '../endpoints/paths.ts';
import type { Interfaces, Properties } from '../server/object-tree.ts';
import { objectManagerInterface, propertiesInterface } from '../server/standard-interfaces.ts';
import type { Bus, Signal } from '../transport/bus.ts';
import { readEndpointStatus } from './endpoint-status.ts';
import { findingsOf, readPublished, textsOf } from './published-certificate.ts';

type Tell = (event: EdgeEndpointEvent) => void;

/**
 * A live copy of the endpoints that come and go at run time: GetManagedObjects once, then the signals. The bus keeps the
 * order of one sender's messages, so the copy is as new as the last reply that came from there.
 */
export class EdgeEndpointsCopy {
  readonly #limits: ContentLimits;
  readonly #objects = new Map<string, Interfaces>();
  /** Certificates that were read, by the paths of their objects. */
  readonly #read = new Map<string, PublishedCertificate>();
  #bindings: readonly ServiceBinding[] = [];
  #tell: Tell = () => undefined;
  #stopListening: () => void = () => undefined;

  private constructor(limits: ContentLimits) {
    this.#limits = limits;
  }

  /** @param owner the unique name of the connection that serves the endpoints */
  static async fetch(bus: Bus, owner: string, limits: ContentLimits): Promise<EdgeEndpointsCopy> {
    const copy = new EdgeEndpointsCopy(limits);
    const early: Signal[] = [];
    let ready = false;
    copy.#stopListening = bus.onSignal((signal) => {
      if (signal.sender !== owner) return;
      if (ready) copy.#apply(signal);
      else early.push(signal);
    });
    // To the very connection whose signals are heard
    const call = { destination: owner, path: endpointsRoot };
    try {
      const { name } = endpointsInterface;
      const getAll = { interface: propertiesInterface.name, member: 'GetAll', signature: 's' };
      const [properties] = await bus.call({ ...call, ...getAll, body: [name] });
      const getObjects = { interface: objectManagerInterface.name, member: 'GetManagedObjects' };
      const [objects] = await bus.call({ ...call, ...getObjects });
      copy.#setBindings(properties as Properties);
      for (const [path, interfaces] of Object.entries(objects as Record<string, Interfaces>))
        copy.#set(path, interfaces);
      ready = true;
      // Those from before the replies are part of them and change nothing; those behind them must not be lost
      for (const signal of early) copy.#apply(signal);
      return copy;
    } catch (error) {
      copy.close();
      throw error;
    }
  }

  /** Tells what happens from now on. */
  tellTo(tell: Tell): void {
    this.#tell = tell;
  }

  close(): void {
    this.#stopListening();
  }

  get bindings(): readonly ServiceBinding[] {
    return this.#bindings;
  }

  /** Ordered by type and name. */
  list(): readonly EdgeEndpoint[] {
    const found = [...this.#objects].flatMap(([path, interfaces]) => {
      const own = interfaces[endpointInterface.name];
      const key = endpointAt(path);
      return own && key ? [this.#describe(key, own)] : [];
    });
    return found.sort((a, b) => (`${a.type}/${a.name}` < `${b.type}/${b.name}` ? -1 : 1));
  }

  /** The same without what they have, in no order. */
  endpoints(): readonly EndpointRef[] {
    return [...this.#objects].flatMap(([path, interfaces]) => {
      const key = interfaces[endpointInterface.name] && endpointAt(path);
      return key ? [key] : [];
    });
  }

  has(endpoint: EndpointRef): boolean {
    return this.#objects.get(endpointPath(endpoint))?.[endpointInterface.name] !== undefined;
  }

  /** Of an endpoint, ordered by id. */
  certificates(endpoint: EndpointRef): readonly PublishedCertificate[] {
    const below = `${endpointPath(endpoint)}/`;
    const found = [...this.#read].filter(([path]) => path.startsWith(below)).map(([, one]) => one);
    return found.sort((a, b) => Number(a.id) - Number(b.id));
  }

  certificate(endpoint: EndpointRef, id: string): PublishedCertificate | undefined {
    return this.#read.get(`${endpointPath(endpoint)}/${id}`);
  }

  /** What the manager tells of the endpoint beside its certificates. */
  status(endpoint: EndpointRef): EndpointStatus | undefined {
    const told = this.#objects.get(endpointPath(endpoint));
    // Another interface has properties of the same names
    return readEndpointStatus({
      ...told?.[reloadInterface.name],
      ...told?.[replacementInterface.name],
    });
  }

  /** What is below the object of an endpoint, by path. */
  objects(endpoint: EndpointRef): Readonly<Record<string, Interfaces>> {
    const below = `${endpointPath(endpoint)}/`;
    return Object.fromEntries([...this.#objects].filter(([path]) => path.startsWith(below)));
  }

  find(endpoint: EndpointRef): EdgeEndpoint | undefined {
    const own = this.#objects.get(endpointPath(endpoint))?.[endpointInterface.name];
    return own && this.#describe(endpoint, own);
  }

  #describe({ type, name }: EndpointRef, own: Properties): EdgeEndpoint {
    const services = own.Services?.value;
    const modified = own.Modified?.value;
    return {
      type,
      name,
      services: Array.isArray(services) ? services.map(String) : [],
      modified: typeof modified === 'bigint' ? modified : 0n,
      certificates: this.certificates({ type, name }),
    };
  }

  #apply({ interface: name, member, path, body }: Signal): void {
    if (name === objectManagerInterface.name && member === 'InterfacesAdded') {
      this.#set(String(body[0]), Object(body[1]));
    } else if (name === objectManagerInterface.name && member === 'InterfacesRemoved') {
      this.#remove(String(body[0]));
    } else if (name === propertiesInterface.name) {
      this.#change(path, String(body[0]), Object(body[1]));
    } else if (name === expiryInterface.name && member === 'ThresholdReached') {
      const known = this.#read.get(path);
      const endpoint = endpointAt(path);
      if (known && endpoint)
        this.#tell({ kind: 'expiring', endpoint, days: Number(body[0]), ...known });
    }
  }

  #set(path: string, interfaces: Interfaces): void {
    this.#objects.set(path, interfaces);
    const endpoint = endpointAt(path);
    if (!endpoint) return;
    if (interfaces[endpointInterface.name]) this.#tell({ kind: 'endpoint added', endpoint });
    else this.#readAt(path, endpoint);
  }

  #change(path: string, name: string, changed: Properties): void {
    if (path === endpointsRoot && name === endpointsInterface.name) {
      this.#setBindings(changed);
      this.#tell({ kind: 'bindings' });
    }
    // A new object's properties come before the object: InterfacesAdded has them all
    const known = this.#objects.get(path);
    const endpoint = endpointAt(path);
    if (!known || !endpoint) return;
    this.#objects.set(path, { ...known, [name]: { ...known[name], ...changed } });
    // The chain is told last, and has the certificate itself
    if (name === chainInterface.name) this.#readAt(path, endpoint);
    else if (name === findingsInterface.name) this.#note(path);
  }

  /** What is said of a certificate may change while the certificate stays; no listener is told of that. */
  #note(path: string): void {
    const published = this.#read.get(path);
    const findings = findingsOf(this.#objects.get(path));
    if (published && findings) this.#read.set(path, { ...published, findings });
  }

  #readAt(path: string, endpoint: EndpointRef): void {
    const id = path.split('/').at(-1) ?? '';
    const interfaces = this.#objects.get(path);
    if (!/^\d+$/.test(id)) return;
    const published = readPublished(id, textsOf(interfaces), findingsOf(interfaces), this.#limits);
    const kind = this.#read.has(path) ? 'changed' : 'created';
    if (published) {
      this.#read.set(path, published);
      this.#tell({ kind, endpoint, ...published });
    } else this.#forget(path, endpoint);
  }

  #remove(path: string): void {
    const endpoint = endpointAt(path);
    const known = this.#objects.get(path);
    if (!endpoint || !known) return;
    this.#objects.delete(path);
    if (known[endpointInterface.name]) this.#tell({ kind: 'endpoint removed', endpoint });
    else this.#forget(path, endpoint);
  }

  #forget(path: string, endpoint: EndpointRef): void {
    const id = path.split('/').at(-1) ?? '';
    if (this.#read.delete(path)) this.#tell({ kind: 'removed', endpoint, id });
  }

  #setBindings({ Bindings }: Properties): void {
    if (!Array.isArray(Bindings?.value)) return;
    this.#bindings = Bindings.value.flatMap((row: unknown) => bindingOf(row) ?? []);
  }
}

function bindingOf(row: unknown): ServiceBinding | undefined {
  const [service, type, name, origin] = Array.isArray(row) ? row.map(String) : [];
  const isKnown = type === 'server' || type === 'client';
  if (service === undefined || name === undefined || !isKnown) return undefined;
  const from = origin === 'configuration' ? origin : 'run time';
  return { service, endpoint: { type, name }, origin: from };
}
