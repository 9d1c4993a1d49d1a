import type { PublishedCertificate } from '../manager/certificate-client.ts';
import { readCertificate } from '../manager/x509/certificate.ts';
import { parsePem } from '../manager/x509/pem.ts';
import type { Bus, Signal } from './bus.ts';
import { certificateInterface } from './certs-interfaces.ts';
import { busName, type EndpointName, rootPath } from './endpoint-names.ts';
import type { Interfaces, Properties } from './object-tree.ts';
import { objectManagerInterface, propertiesInterface } from './standard-interfaces.ts';

/**
 * A live copy of one endpoint's certificates: GetManagedObjects once, then the signals. The bus keeps
 * the order of one sender's messages, so the copy is as new as the last reply that came from there.
 */
export class EndpointCopy {
  readonly endpoint: EndpointName;
  /** Unique name of the connection that owns the endpoint now. */
  readonly owner: string;
  readonly #root: string;
  readonly #certificates = new Map<string, PublishedCertificate>();
  #stopListening: () => void = () => undefined;

  private constructor(endpoint: EndpointName, owner: string) {
    this.endpoint = endpoint;
    this.owner = owner;
    this.#root = rootPath(endpoint);
  }

  /** @param owner the unique name that owns the endpoint's well-known name */
  static async fetch(bus: Bus, endpoint: EndpointName, owner: string): Promise<EndpointCopy> {
    const copy = new EndpointCopy(endpoint, owner);
    const early: Signal[] = [];
    let ready = false;
    // Signals from before the reply are part of it already; those after it must not be lost
    copy.#stopListening = bus.onSignal((signal) => {
      if (signal.sender !== owner) return;
      if (ready) copy.#apply(signal);
      else early.push(signal);
    });
    const call = {
      destination: busName(endpoint),
      path: copy.#root,
      interface: objectManagerInterface.name,
      member: 'GetManagedObjects',
    };
    const [objects] = await bus.call(call).catch((error: unknown) => {
      copy.close();
      throw error;
    });
    for (const [path, interfaces] of Object.entries(objects as Record<string, Interfaces>)) {
      copy.#set(path, interfaces[certificateInterface.name]);
    }
    ready = true;
    for (const signal of early) copy.#apply(signal);
    return copy;
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

  #apply({ interface: name, member, path, body }: Signal): void {
    if (name === objectManagerInterface.name && member === 'InterfacesAdded') {
      const interfaces = body[1] as Interfaces;
      this.#set(String(body[0]), interfaces[certificateInterface.name]);
    } else if (name === objectManagerInterface.name && member === 'InterfacesRemoved') {
      const id = this.#idOf(String(body[0]));
      const removed = Array.isArray(body[1]) ? body[1] : [];
      if (id !== undefined && removed.includes(certificateInterface.name)) {
        this.#certificates.delete(id);
      }
    } else if (name === propertiesInterface.name && body[0] === certificateInterface.name) {
      const id = this.#idOf(path);
      // A new object's properties come before the object: InterfacesAdded has them all
      if (id !== undefined && this.#certificates.has(id)) this.#set(path, body[1] as Properties);
    }
  }

  /** Everything we say of a certificate is read from the certificate itself. */
  #set(path: string, properties: Properties | undefined): void {
    const id = this.#idOf(path);
    const text = properties?.CertificateString?.value;
    if (id === undefined || typeof text !== 'string') return;
    try {
      const [block] = parsePem(text);
      if (block) this.#certificates.set(id, { id, certificate: readCertificate(block.der) });
    } catch {
      // Nothing can be said of a certificate that nobody can read
      this.#certificates.delete(id);
    }
  }

  #idOf(path: string): string | undefined {
    const id = path.startsWith(`${this.#root}/`) ? path.slice(this.#root.length + 1) : '';
    return /^\d+$/.test(id) ? id : undefined;
  }
}
