import type {
  CertificateClient,
  CertificateEvent,
  EndpointRef,
  PublishedCertificate,
} from '../../src/manager/certificate-client.ts';
import type { CsrParameters } from '../../src/manager/csr/parameters.ts';
import { CertError } from '../../src/manager/errors.ts';
import { readCertificate } from '../../src/manager/x509/certificate.ts';
import { parsePem } from '../../src/manager/x509/pem.ts';

/** A manager without disk or bus, which can be told to go away or to refuse. */
export class MemoryClient implements CertificateClient {
  readonly requests: CsrParameters[] = [];
  away = false;
  refusal: CertError | undefined;
  readonly #listeners = new Set<(event: CertificateEvent) => void>();
  readonly #certificates = new Map<string, PublishedCertificate[]>();

  put(endpoint: EndpointRef, id: string, pem: string): PublishedCertificate {
    const [block] = parsePem(pem);
    if (!block) throw new TypeError('no PEM block');
    const published = { id, certificate: readCertificate(block.der) };
    const before = this.#of(endpoint);
    const others = before.filter((one) => one.id !== id);
    this.#certificates.set(key(endpoint), [...others, published]);
    const kind = others.length < before.length ? 'changed' : 'created';
    this.tell({ kind, endpoint, ...published });
    return published;
  }

  isAvailable(): boolean {
    return !this.away;
  }

  endpoints(): readonly EndpointRef[] {
    return [];
  }

  list(endpoint: EndpointRef): readonly PublishedCertificate[] {
    this.#mustBeHere();
    return this.#of(endpoint);
  }

  get(endpoint: EndpointRef, id: string): PublishedCertificate {
    const found = this.list(endpoint).find((one) => one.id === id);
    if (!found) throw new CertError('not-found', `there is no certificate ${id}`);
    return found;
  }

  async install(endpoint: EndpointRef, pem: string): Promise<PublishedCertificate> {
    this.#mustBeHere();
    return this.put(endpoint, String(this.#of(endpoint).length + 1), pem);
  }

  async replace(endpoint: EndpointRef, id: string, pem: string): Promise<PublishedCertificate> {
    this.#mustBeHere();
    return this.put(endpoint, id, pem);
  }

  async delete(endpoint: EndpointRef, id: string): Promise<void> {
    this.#mustBeHere();
    this.#certificates.set(
      key(endpoint),
      this.#of(endpoint).filter((one) => one.id !== id),
    );
    this.tell({ kind: 'removed', endpoint, id });
  }

  async makeRequest(_endpoint: EndpointRef, parameters: CsrParameters): Promise<string> {
    this.#mustBeHere();
    this.requests.push(parameters);
    return '-----BEGIN CERTIFICATE REQUEST-----\n';
  }

  subscribe(listener: (event: CertificateEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Tells the subscribers, as a manager would. */
  tell(event: CertificateEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  #of(endpoint: EndpointRef): PublishedCertificate[] {
    return this.#certificates.get(key(endpoint)) ?? [];
  }

  #mustBeHere(): void {
    if (this.refusal) throw this.refusal;
    if (this.away) throw new CertError('unavailable', 'the certificate manager does not run');
  }
}

function key({ type, name }: EndpointRef): string {
  return `${type}/${name}`;
}
