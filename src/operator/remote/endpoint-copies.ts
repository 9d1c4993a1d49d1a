import { CertError, reasonOf } from '../../core/cert-error.ts';
import type { EndpointRef, PublishedCertificate } from '../../manager/certificate-client.ts';
import { nameOf } from '../targets.ts';
import { publishedOf } from './certificate-resource.ts';
import { extensionOf } from './certificate-service.ts';
import type { Place } from './discovery.ts';
import { linksAt, textAt } from './json.ts';
import type { Service } from './service.ts';

/** A certificate of the service as it was read last. */
export interface RemoteCertificate {
  readonly uri: string;
  readonly resource: unknown;
  readonly published: PublishedCertificate;
}

/** A collection of the service with its certificates, as it was read last. */
export interface EndpointCopy extends Place {
  /** The CertificateCollection. */
  readonly resource: unknown;
  /** Ordered by id. */
  readonly certificates: readonly RemoteCertificate[];
}

/** Copies of all collections, read once at the beginning and again after each change. */
export class EndpointCopies {
  readonly #service: Service;
  readonly #warn: (text: string) => void;
  readonly #copies = new Map<string, EndpointCopy>();

  /** @param warn told of each certificate that cannot be read */
  constructor(service: Service, warn: (text: string) => void) {
    this.#service = service;
    this.#warn = warn;
  }

  async load(places: readonly Place[]): Promise<void> {
    await Promise.all(places.map((place) => this.read(place)));
  }

  /** Reads a collection anew. One that this user may not see is none. */
  async read(place: Place): Promise<EndpointCopy | undefined> {
    const { uri, endpoint, isServed } = place;
    const resource = await this.#service.look(uri);
    if (resource === undefined) {
      this.#copies.delete(nameOf(endpoint));
      return undefined;
    }
    const members = linksAt(resource, 'Members');
    const isSingle = endpoint.type !== 'authority' && members.length === 1;
    const all = await Promise.all(members.map((one) => this.#member(endpoint, one, isSingle)));
    return this.#keep({ endpoint, uri, isServed, resource, certificates: all.flat() });
  }

  /** Reads one certificate of a collection anew, which may be new, or gone. */
  async readMember({ endpoint }: Place, uri: string): Promise<EndpointCopy> {
    const copy = this.of(endpoint);
    const others = copy.certificates.filter((one) => one.uri !== uri);
    const isSingle = endpoint.type !== 'authority' && others.length === 0;
    const found = await this.#member(endpoint, uri, isSingle);
    return this.#keep({ ...copy, certificates: [...others, ...found] });
  }

  #keep(copy: EndpointCopy): EndpointCopy {
    const sorted = { ...copy, certificates: [...copy.certificates].sort(byId) };
    this.#copies.set(nameOf(copy.endpoint), sorted);
    return sorted;
  }

  /** @returns nothing for one that is gone meanwhile, or cannot be read */
  async #member(
    endpoint: EndpointRef,
    uri: string,
    isSingle: boolean,
  ): Promise<readonly RemoteCertificate[]> {
    const resource = await this.#service.look(uri);
    if (resource === undefined) return [];
    const id = isSingle ? '1' : (textAt(resource, 'Id') ?? uri.split('/').at(-1) ?? '');
    try {
      return [{ uri, resource, published: publishedOf(endpoint.type, id, resource) }];
    } catch (error) {
      if (!(error instanceof CertError)) throw error;
      const where = `${nameOf(endpoint, id)} (${uri})`;
      this.#warn(`Left out: ${where} cannot be read: ${reasonOf(error)}.`);
      return [];
    }
  }

  endpoints(): readonly EndpointRef[] {
    return [...this.#copies.values()].map(({ endpoint }) => endpoint).sort(byName);
  }

  /** Those of which a service of ours says so. */
  runTimeEndpoints(): readonly EndpointRef[] {
    return this.all()
      .filter(({ resource }) => textAt(extensionOf(resource), 'Origin') === 'RunTime')
      .map(({ endpoint }) => endpoint);
  }

  has(endpoint: EndpointRef): boolean {
    return this.#copies.has(nameOf(endpoint));
  }

  all(): readonly EndpointCopy[] {
    return this.endpoints().map((endpoint) => this.of(endpoint));
  }

  /** @throws CertError `unavailable` */
  of(endpoint: EndpointRef): EndpointCopy {
    const copy = this.#copies.get(nameOf(endpoint));
    if (copy) return copy;
    throw new CertError('unavailable', `the service has no endpoint ${nameOf(endpoint)}`);
  }

  /** @throws CertError `not-found` */
  certificate(endpoint: EndpointRef, id: string): RemoteCertificate {
    const found = this.of(endpoint).certificates.find(({ published }) => published.id === id);
    if (found) return found;
    throw new CertError('not-found', `there is no certificate ${id}`);
  }
}

function byId(one: RemoteCertificate, other: RemoteCertificate): number {
  const [a, b] = [one.published.id, other.published.id];
  return Number(a) - Number(b) || a.localeCompare(b);
}

function byName(one: EndpointRef, other: EndpointRef): number {
  return nameOf(one) < nameOf(other) ? -1 : 1;
}
