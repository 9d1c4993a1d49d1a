import type {
  CertificateEvent,
  EndpointRef,
  PublishedCertificate,
} from '../../manager/certificate-client.ts';
import type { ContentLimits } from '../../x509/limits.ts';
import { certificateInterface } from '../certs/certs-interfaces.ts';
import { chainInterface, expiryInterface } from '../certs/extension-interfaces.ts';
import { errorNameOf } from '../server/error-names.ts';
import type { Interfaces, Properties } from '../server/object-tree.ts';
import { objectManagerInterface, propertiesInterface } from '../server/standard-interfaces.ts';
import type { Bus, Signal } from '../transport/bus.ts';
import { findingsOf, readPublished, textsOf } from './published-certificate.ts';

type Tell = (event: CertificateEvent) => void;
type Expiring = CertificateEvent & { readonly kind: 'expiring' };

/** The objects to copy, and who hears of those that are no certificates. */
export interface CopiedObjects {
  /** Unique name of the connection that has the objects. */
  readonly owner: string;
  /** The object whose ObjectManager lists the others. */
  readonly root: string;
  readonly limits: ContentLimits;
  /** The certificate that an object with this path is; `undefined` for another object. */
  certificateAt(path: string): { readonly endpoint: EndpointRef; readonly id: string } | undefined;
  added?(path: string, interfaces: Interfaces): void;
  /** Of the root first all properties, and no name of an interface; then those of one interface that changed. */
  changed(path: string, name: string, properties: Properties): void;
  removed?(path: string): void;
}

/**
 * A live copy of the certificates of one connection: GetManagedObjects once, then the signals. The bus keeps
 * the order of one sender's messages, so the copy is as new as the last reply that came from there.
 */
export class CertificateObjects {
  readonly #source: CopiedObjects;
  /** Certificates that could be read, by the paths of their objects. */
  readonly #certificates = new Map<string, PublishedCertificate>();
  /** What the objects of certificates, readable or not, have beside the certificates themselves. */
  readonly #others = new Map<string, Interfaces>();
  /** The certificates with which the manager tells the chain; upstream's does not. */
  readonly #withChain = new Set<string>();
  /** Warnings from before a listener was there. */
  #warnings: (Expiring & { readonly path: string })[] = [];
  #tell: Tell | undefined;
  #stopListening: () => void = () => undefined;

  /** Has no listener yet. */
  constructor(source: CopiedObjects) {
    this.#source = source;
  }

  /** Makes the copy, and follows the signals from then on. @throws what the bus answers; then nothing is followed */
  async fetch(bus: Bus): Promise<void> {
    const { owner, root } = this.#source;
    const early: Signal[] = [];
    let ready = false;
    this.#stopListening = bus.onSignal((signal) => {
      if (signal.sender !== owner) return;
      if (ready) this.#apply(signal);
      else early.push(signal);
    });
    try {
      const [objects] = await bus.call({
        // To the very connection whose signals are heard
        destination: owner,
        path: root,
        interface: objectManagerInterface.name,
        member: 'GetManagedObjects',
      });
      this.#source.changed(root, '', await propertiesOf(bus, owner, root));
      for (const [path, interfaces] of Object.entries(objects as Record<string, Interfaces>))
        this.#add(path, interfaces);
      ready = true;
      // Those from before the replies are part of them and change nothing; those behind them must not be lost
      for (const signal of early) this.#apply(signal);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Tells what happens from now on; of what was before, only the warnings are news. */
  tellTo(tell: Tell): void {
    this.#tell = tell;
    for (const { path, ...warning } of this.#warnings) {
      const now = this.#certificates.get(path)?.certificate.fingerprint;
      if (now === warning.certificate.fingerprint) tell(warning);
    }
    this.#warnings = [];
  }

  close(): void {
    this.#stopListening();
  }

  /** The certificates below an object, ordered by id. */
  below(path: string): readonly PublishedCertificate[] {
    return [...this.#certificates]
      .filter(([at]) => at.startsWith(`${path}/`))
      .map(([, one]) => one)
      .sort((a, b) => Number(a.id) - Number(b.id));
  }

  get(path: string): PublishedCertificate | undefined {
    return this.#certificates.get(path);
  }

  /** What the objects of the certificates below an object have beside them, by path. */
  othersBelow(path: string): Readonly<Record<string, Interfaces>> {
    return Object.fromEntries([...this.#others].filter(([at]) => at.startsWith(`${path}/`)));
  }

  #apply({ interface: name, member, path, body }: Signal): void {
    if (name === objectManagerInterface.name && member === 'InterfacesAdded') {
      this.#add(String(body[0]), Object(body[1]));
    } else if (name === objectManagerInterface.name && member === 'InterfacesRemoved') {
      this.#removed(String(body[0]), Array.isArray(body[1]) ? body[1] : []);
    } else if (name === propertiesInterface.name) {
      this.#changed(path, String(body[0]), Object(body[1]));
    } else if (name === expiryInterface.name && member === 'ThresholdReached') {
      const known = this.#certificates.get(path);
      const endpoint = this.#source.certificateAt(path)?.endpoint;
      if (known && endpoint)
        this.#warn(path, { kind: 'expiring', endpoint, days: Number(body[0]), ...known });
    }
  }

  #add(path: string, interfaces: Interfaces): void {
    if (this.#source.certificateAt(path)) this.#set(path, interfaces);
    else this.#source.added?.(path, interfaces);
  }

  #changed(path: string, name: string, properties: Properties): void {
    const known = this.#others.get(path);
    if (!this.#source.certificateAt(path)) this.#source.changed(path, name, properties);
    // A new object's properties come before the object: InterfacesAdded has them all
    else if (!known) return;
    // A manager that tells the chain tells it last, together with the certificate
    else if (name === chainInterface.name) this.#set(path, { [name]: properties });
    else if (name !== certificateInterface.name) this.#note(path, name, properties, known);
    else if (!this.#withChain.has(path)) this.#set(path, { [name]: properties });
  }

  /** What is said of a certificate may change while the certificate stays; no listener is told of that. */
  #note(path: string, name: string, properties: Properties, known: Interfaces): void {
    const others = { ...known, [name]: { ...known[name], ...properties } };
    this.#others.set(path, others);
    const published = this.#certificates.get(path);
    const findings = findingsOf(others);
    if (published && findings) this.#certificates.set(path, { ...published, findings });
  }

  #removed(path: string, names: readonly unknown[]): void {
    if (!this.#source.certificateAt(path)) this.#source.removed?.(path);
    else if (names.includes(certificateInterface.name)) {
      this.#others.delete(path);
      this.#withChain.delete(path);
      this.#forget(path);
    }
  }

  #set(path: string, interfaces: Interfaces): void {
    const at = this.#source.certificateAt(path);
    const texts = textsOf(interfaces);
    if (!at || texts.length === 0) return;
    const { [certificateInterface.name]: _, [chainInterface.name]: chain, ...rest } = interfaces;
    const others = { ...this.#others.get(path), ...rest };
    this.#others.set(path, others);
    if (chain) this.#withChain.add(path);
    const { endpoint, id } = at;
    const published = readPublished(id, texts, findingsOf(others), this.#source.limits);
    if (published) {
      const kind = this.#certificates.has(path) ? 'changed' : 'created';
      this.#certificates.set(path, published);
      this.#tell?.({ kind, endpoint, ...published });
    }
    // Nothing can be said of a certificate that cannot be read
    else this.#forget(path);
  }

  #forget(path: string): void {
    const at = this.#source.certificateAt(path);
    if (this.#certificates.delete(path) && at) this.#tell?.({ kind: 'removed', ...at });
  }

  #warn(path: string, warning: Expiring): void {
    if (this.#tell) this.#tell(warning);
    else this.#warnings.push({ path, ...warning });
  }
}

const refusedProperties = /^org\.freedesktop\.DBus\.Error\.(?:Unknown|NotSupported|InvalidArgs)/;

/** Of all interfaces of an object. A manager that is not ours need not have any. */
async function propertiesOf(bus: Bus, destination: string, path: string): Promise<Properties> {
  const { name } = propertiesInterface;
  // The empty name of an interface stands for all of them (D-Bus Specification, "org.freedesktop.DBus.Properties")
  const call = { interface: name, member: 'GetAll', signature: 's', body: [''] };
  try {
    const [properties] = await bus.call({ destination, path, ...call });
    return properties as Properties;
  } catch (error) {
    // Libraries refuse the empty name each in its own words
    if (refusedProperties.test(errorNameOf(error) ?? '')) return {};
    throw error;
  }
}
