import type { EndpointStatus } from '../../manager/administration.ts';
import type {
  CertificateEvent,
  PublishedCertificate,
  PublishedFindings,
} from '../../manager/certificate-client.ts';
import type { ContentLimits } from '../../x509/limits.ts';
import { certificateInterface } from '../certs/certs-interfaces.ts';
import { type EndpointName, rootPath } from '../certs/endpoint-names.ts';
import {
  chainInterface,
  expiryInterface,
  findingsInterface,
} from '../certs/extension-interfaces.ts';
import { errorNameOf } from '../server/error-names.ts';
import type { Interfaces, Properties } from '../server/object-tree.ts';
import { objectManagerInterface, propertiesInterface } from '../server/standard-interfaces.ts';
import type { Bus, Signal } from '../transport/bus.ts';
import { readEndpointStatus } from './endpoint-status.ts';
import { findingsOf, readPublished, textsOf } from './published-certificate.ts';

type Tell = (event: CertificateEvent) => void;
type Expiring = CertificateEvent & { readonly kind: 'expiring' };

/**
 * A live copy of one endpoint's certificates: GetManagedObjects once, then the signals. The bus keeps
 * the order of one sender's messages, so the copy is as new as the last reply that came from there.
 */
export class EndpointCopy {
  readonly endpoint: EndpointName;
  /** Unique name of the connection that owns the endpoint now. */
  readonly owner: string;
  readonly #root: string;
  readonly #limits: ContentLimits;
  readonly #certificates = new Map<string, PublishedCertificate>();
  /** Ids of all objects, readable or not, and whether the manager tells the chain; upstream's does not. */
  readonly #objects = new Map<string, { readonly tellsChain: boolean }>();
  readonly #findings = new Map<string, PublishedFindings>();
  /** Of the object of the endpoint itself, where upstream's manager has none. */
  #properties: Properties = {};
  /** Warnings from before a listener was there. */
  #warnings: Expiring[] = [];
  #tell: Tell | undefined;
  #stopListening: () => void = () => undefined;

  private constructor(endpoint: EndpointName, owner: string, limits: ContentLimits) {
    this.endpoint = endpoint;
    this.owner = owner;
    this.#root = rootPath(endpoint);
    this.#limits = limits;
  }

  /**
   * Makes a copy that follows the signals and has no listeners yet.
   * @param owner the unique name that owns the endpoint's well-known name
   */
  static async fetch(
    bus: Bus,
    endpoint: EndpointName,
    owner: string,
    limits: ContentLimits,
  ): Promise<EndpointCopy> {
    const copy = new EndpointCopy(endpoint, owner, limits);
    const early: Signal[] = [];
    let ready = false;
    copy.#stopListening = bus.onSignal((signal) => {
      if (signal.sender !== owner) return;
      if (ready) copy.#apply(signal);
      else early.push(signal);
    });
    try {
      const [objects] = await bus.call({
        // To the very connection whose signals are heard
        destination: owner,
        path: copy.#root,
        interface: objectManagerInterface.name,
        member: 'GetManagedObjects',
      });
      for (const [path, interfaces] of Object.entries(objects as Record<string, Interfaces>))
        copy.#set(path, interfaces);
      copy.#properties = await propertiesOf(bus, owner, copy.#root);
      ready = true;
      // Those from before the reply are part of it and change nothing; those behind it must not be lost
      for (const signal of early) copy.#apply(signal);
      return copy;
    } catch (error) {
      copy.close();
      throw error;
    }
  }

  /** Tells what happens from now on; of what was before, only the warnings are news. */
  tellTo(tell: Tell): void {
    this.#tell = tell;
    for (const warning of this.#warnings) {
      const now = this.#certificates.get(warning.id)?.certificate.fingerprint;
      if (now === warning.certificate.fingerprint) tell(warning);
    }
    this.#warnings = [];
  }

  close(): void {
    this.#stopListening();
  }

  list(): readonly PublishedCertificate[] {
    return [...this.#certificates.values()].sort((a, b) => Number(a.id) - Number(b.id));
  }

  get(id: string): PublishedCertificate | undefined {
    return this.#certificates.get(id);
  }

  get status(): EndpointStatus | undefined {
    return readEndpointStatus(this.#properties);
  }

  #apply({ interface: name, member, path, body }: Signal): void {
    if (name === objectManagerInterface.name && member === 'InterfacesAdded') {
      this.#set(String(body[0]), body[1] as Interfaces | undefined);
    } else if (name === objectManagerInterface.name && member === 'InterfacesRemoved') {
      const id = this.#idOf(String(body[0]));
      const removed = Array.isArray(body[1]) ? body[1] : [];
      if (id !== undefined && removed.includes(certificateInterface.name)) {
        this.#objects.delete(id);
        this.#findings.delete(id);
        this.#remove(id);
      }
    } else if (name === propertiesInterface.name && path === this.#root) {
      this.#properties = { ...this.#properties, ...(body[1] as Properties) };
    } else if (name === propertiesInterface.name) {
      const id = this.#idOf(path);
      // A new object's properties come before the object: InterfacesAdded has them all
      const object = id === undefined ? undefined : this.#objects.get(id);
      if (!object) return;
      const changed = { [String(body[0])]: body[1] as Properties };
      if (changed[findingsInterface.name]) this.#note(path, changed);
      // A manager that tells the chain tells it together with the certificate
      else if (changed[chainInterface.name] || !object.tellsChain) this.#set(path, changed);
    } else if (name === expiryInterface.name && member === 'ThresholdReached') {
      const known = this.#certificates.get(this.#idOf(path) ?? '');
      const { endpoint } = this;
      if (known) this.#warn({ kind: 'expiring', endpoint, days: Number(body[0]), ...known });
    }
  }

  /** What is said of a certificate may change while the certificate stays; no listener is told of that. */
  #note(path: string, interfaces: Interfaces | undefined): void {
    const id = this.#idOf(path);
    const findings = findingsOf(interfaces, this.#findings.get(id ?? ''));
    if (!findings || id === undefined) return;
    this.#findings.set(id, findings);
    const known = this.#certificates.get(id);
    if (known) this.#certificates.set(id, { ...known, findings });
  }

  #set(path: string, interfaces: Interfaces | undefined): void {
    this.#note(path, interfaces);
    const published = this.#read(path, interfaces);
    if (!published) return;
    const kind = this.#certificates.has(published.id) ? 'changed' : 'created';
    this.#certificates.set(published.id, published);
    this.#tell?.({ kind, endpoint: this.endpoint, ...published });
  }

  #remove(id: string): void {
    if (this.#certificates.delete(id)) {
      this.#tell?.({ kind: 'removed', endpoint: this.endpoint, id });
    }
  }

  #warn(warning: Expiring): void {
    if (this.#tell) this.#tell(warning);
    else this.#warnings.push(warning);
  }

  #read(path: string, interfaces: Interfaces | undefined): PublishedCertificate | undefined {
    const id = this.#idOf(path);
    const texts = textsOf(interfaces);
    if (id === undefined || texts.length === 0) return undefined;
    const tellsChain =
      interfaces?.[chainInterface.name] !== undefined || this.#objects.get(id)?.tellsChain === true;
    this.#objects.set(id, { tellsChain });
    const published = readPublished(id, texts, this.#findings.get(id), this.#limits);
    // Nothing can be said of a certificate that cannot be read
    if (!published) this.#remove(id);
    return published;
  }

  #idOf(path: string): string | undefined {
    const id = path.startsWith(`${this.#root}/`) ? path.slice(this.#root.length + 1) : '';
    return /^\d+$/.test(id) ? id : undefined;
  }
}

/** Of all interfaces of an object. A manager that is not ours need not have any. */
async function propertiesOf(bus: Bus, destination: string, path: string): Promise<Properties> {
  const { name } = propertiesInterface;
  // The empty name of an interface stands for all of them (D-Bus Specification, "org.freedesktop.DBus.Properties")
  const call = { interface: name, member: 'GetAll', signature: 's', body: [''] };
  try {
    const [properties] = await bus.call({ destination, path, ...call });
    return properties as Properties;
  } catch (error) {
    if (errorNameOf(error)?.startsWith('org.freedesktop.DBus.Error.Unknown')) return {};
    throw error;
  }
}
