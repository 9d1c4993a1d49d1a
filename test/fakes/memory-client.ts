import { CertError } from '../../src/core/cert-error.ts';
import type {
  CertificateClient,
  CertificateEvent,
  EndpointRef,
  OutstandingRequest,
  PublishedCertificate,
} from '../../src/manager/certificate-client.ts';
import type { CsrParameters, RekeyParameters } from '../../src/manager/csr/parameters.ts';
import { readCertificate } from '../../src/x509/certificate.ts';
import type { Content } from '../../src/x509/containers.ts';
import { parsePem } from '../../src/x509/pem.ts';
import { toPem } from './opened-content.ts';

/** A manager without disk or bus, which can be told to go away or to refuse. */
export class MemoryClient implements CertificateClient {
  readonly requests: CsrParameters[] = [];
  readonly successors: Partial<RekeyParameters>[] = [];
  waiting: OutstandingRequest[] = [];
  /** Those that came at run time. */
  ofRunTime: EndpointRef[] = [];
  version = 0;
  /** What a manager answers to calls; lists are live copies, which nobody refuses. */
  refusal: CertError | undefined;
  readonly #listeners = new Set<(event: CertificateEvent) => void>();
  readonly #certificates = new Map<string, PublishedCertificate[]>();
  /** Those that something was put into. */
  readonly #endpoints = new Map<string, EndpointRef>();
  readonly #absent = new Set<string>();

  #away = false;

  get away(): boolean {
    return this.#away;
  }

  /** The whole manager; `leave` takes one endpoint away. */
  set away(is: boolean) {
    this.version += 1;
    this.#away = is;
  }

  /** Takes one endpoint away, as when its own manager ends; nobody is told. */
  leave(endpoint: EndpointRef): void {
    this.version += 1;
    this.#absent.add(key(endpoint));
  }

  comeBack(endpoint: EndpointRef): void {
    this.version += 1;
    this.#absent.delete(key(endpoint));
  }

  put(endpoint: EndpointRef, id: string, pem: string): PublishedCertificate {
    const block = parsePem(pem).find(({ label }) => label === 'CERTIFICATE');
    if (!block) throw new CertError('no-certificate', 'there is no certificate');
    const published = { id, certificate: readCertificate(block.der), chain: [] };
    const before = this.#of(endpoint);
    const others = before.filter((one) => one.id !== id);
    this.#endpoints.set(key(endpoint), endpoint);
    this.#certificates.set(key(endpoint), [...others, published]);
    const kind = others.length < before.length ? 'changed' : 'created';
    this.tell({ kind, endpoint, ...published });
    return published;
  }

  isAvailable(endpoint: EndpointRef): boolean {
    return !this.#away && !this.#absent.has(key(endpoint));
  }

  endpoints(): readonly EndpointRef[] {
    return [...this.#endpoints.values()].filter((endpoint) => this.isAvailable(endpoint));
  }

  runTimeEndpoints(): readonly EndpointRef[] {
    return this.ofRunTime;
  }

  list(endpoint: EndpointRef): readonly PublishedCertificate[] {
    this.#mustBeAvailable(endpoint);
    return this.#of(endpoint);
  }

  get(endpoint: EndpointRef, id: string): PublishedCertificate {
    const found = this.list(endpoint).find((one) => one.id === id);
    if (!found) throw new CertError('not-found', `there is no certificate ${id}`);
    return found;
  }

  async install(endpoint: EndpointRef, content: Content): Promise<PublishedCertificate> {
    this.#mustBeHere(endpoint);
    return this.put(endpoint, String(this.#of(endpoint).length + 1), toPem(content));
  }

  async replace(
    endpoint: EndpointRef,
    id: string,
    content: Content,
  ): Promise<PublishedCertificate> {
    this.#mustBeHere(endpoint);
    return this.put(endpoint, id, toPem(content));
  }

  async delete(endpoint: EndpointRef, id: string): Promise<void> {
    this.#mustBeHere(endpoint);
    this.#certificates.set(
      key(endpoint),
      this.#of(endpoint).filter((one) => one.id !== id),
    );
    this.tell({ kind: 'removed', endpoint, id });
  }

  async makeRequest(endpoint: EndpointRef, parameters: CsrParameters): Promise<string> {
    this.#mustBeHere(endpoint);
    this.requests.push(parameters);
    return '-----BEGIN CERTIFICATE REQUEST-----\n';
  }

  async rekey(endpoint: EndpointRef, id: string, parameters: RekeyParameters): Promise<string> {
    this.get(endpoint, id);
    this.successors.push(parameters);
    return '-----BEGIN CERTIFICATE REQUEST-----\n';
  }

  async renew(endpoint: EndpointRef, id: string, ChallengePassword: string): Promise<string> {
    this.get(endpoint, id);
    this.successors.push({ ChallengePassword });
    return '-----BEGIN CERTIFICATE REQUEST-----\n';
  }

  async outstanding(endpoint: EndpointRef): Promise<readonly OutstandingRequest[]> {
    this.#mustBeHere(endpoint);
    return this.waiting;
  }

  subscribe(listener: (event: CertificateEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Tells the subscribers, as a manager would. */
  tell(event: CertificateEvent): void {
    this.version += 1;
    for (const listener of this.#listeners) listener(event);
  }

  #of(endpoint: EndpointRef): PublishedCertificate[] {
    return this.#certificates.get(key(endpoint)) ?? [];
  }

  #mustBeHere(endpoint: EndpointRef): void {
    if (this.refusal) throw this.refusal;
    this.#mustBeAvailable(endpoint);
  }

  #mustBeAvailable(endpoint: EndpointRef): void {
    if (!this.isAvailable(endpoint))
      throw new CertError('unavailable', 'the certificate manager does not run');
  }
}

function key({ type, name }: EndpointRef): string {
  return `${type}/${name}`;
}
