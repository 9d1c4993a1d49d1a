import { createPublicKey, randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { CertError } from '../../src/core/cert-error.ts';
import type { EndpointRef } from '../../src/manager/certificate-client.ts';
import type { CsrParameters } from '../../src/manager/csr/parameters.ts';
import { planRequest } from '../../src/manager/csr/plan.ts';
import type {
  EdgeEndpoint,
  EdgeEndpointEvent,
  EdgeEndpoints,
  ReplacementInput,
  ReplacementProgress,
  ServiceBinding,
} from '../../src/manager/edge-endpoints.ts';
import { type Certificate, readCertificate } from '../../src/x509/certificate.ts';
import { makeRequest } from '../../src/x509/certification-request.ts';
import { openContent } from '../../src/x509/containers.ts';
import {
  exportPrivateKey,
  generateKey,
  isKeyBlock,
  publicKeyHash,
  publicKeyInfo,
  readPrivateKey,
} from '../../src/x509/keys.ts';
import { isCertificateBlock } from '../../src/x509/pem.ts';

interface Stored extends Omit<EdgeEndpoint, 'services'> {
  /** What a service reads; empty for an authority. */
  readonly file: string;
}

interface Pending {
  readonly id: string;
  readonly pem: string;
  readonly key: string;
  readonly created: Date;
}

interface Replacement {
  readonly parts: readonly ReplacementInput[];
  readonly before: ReadonlyMap<string, Stored | undefined>;
  state: 'Staged' | 'Active';
  deadline: Date;
  timer: NodeJS.Timeout;
}

/** The endpoints of a manager without bus or disk, but for the file of one service. */
export class MemoryEndpoints implements EdgeEndpoints {
  isAvailable = true;
  /** What the next changes are refused with. */
  refusal: CertError | undefined;
  /** What `commit` is refused with. */
  commitRefusal: CertError | undefined;
  readonly #serviceFile: string;
  readonly #stored = new Map<string, Stored>();
  readonly #pending = new Map<string, Pending[]>();
  readonly #replacements = new Map<string, Replacement>();
  readonly #bound = new Map<string, EndpointRef>();
  readonly #listeners = new Set<(event: EdgeEndpointEvent) => void>();

  /** @param serviceFile of the service `gnoi` */
  constructor(serviceFile: string) {
    this.#serviceFile = serviceFile;
  }

  /** Keys that wait for certificates, over all endpoints. */
  get waiting(): number {
    return [...this.#pending.values()].flat().length;
  }

  /** Replacements that are neither committed nor undone. */
  get open(): readonly string[] {
    return [...this.#replacements.keys()];
  }

  /** As when the manager is killed: it undoes what was staged before it is there again. */
  leave(): void {
    this.isAvailable = false;
    this.#tell({ kind: 'unavailable' });
    for (const name of this.open) this.#undo(name);
  }

  comeBack(): void {
    this.isAvailable = true;
    this.#tell({ kind: 'available' });
  }

  list(): readonly EdgeEndpoint[] {
    this.#mustBeAvailable();
    const keys = [...this.#stored.keys()].sort();
    return keys.flatMap((key) => this.#show(this.#stored.get(key)));
  }

  find(endpoint: EndpointRef): EdgeEndpoint | undefined {
    this.#mustBeAvailable();
    return this.#show(this.#stored.get(keyOf(endpoint)))[0];
  }

  services(): readonly string[] {
    return [...this.#bound.keys()];
  }

  bindings(): readonly ServiceBinding[] {
    return [...this.#bound].map(([service, endpoint]) => ({
      ...{ service, endpoint },
      origin: 'run time' as const,
    }));
  }

  async add(endpoint: EndpointRef): Promise<void> {
    this.#mustBeAvailable();
    this.#stored.set(keyOf(endpoint), { ...endpoint, modified: 0n, certificates: [], file: '' });
  }

  async remove(endpoint: EndpointRef): Promise<void> {
    this.#mustBeAvailable();
    if (!this.#stored.delete(keyOf(endpoint)))
      throw new CertError('not-found', 'there is no such endpoint');
    this.#pending.delete(keyOf(endpoint));
    this.#write();
    this.#tell({ kind: 'endpoint removed', endpoint });
  }

  async clear(endpoint: EndpointRef): Promise<void> {
    await this.add(endpoint);
    this.#write();
    this.#tell({ kind: 'removed', endpoint, id: '1' });
  }

  async generate(endpoint: EndpointRef, parameters: CsrParameters) {
    this.#mustBeAvailable();
    const { algorithm, content } = planRequest(parameters, endpoint.type);
    const key = generateKey(algorithm);
    const pem = makeRequest(content, key);
    const pending = {
      id: hashOf(createPublicKey(key)),
      pem,
      key: exportPrivateKey(key),
      created: new Date(),
    };
    const others = this.#pending.get(keyOf(endpoint)) ?? [];
    this.#pending.set(keyOf(endpoint), [...others, pending]);
    return { id: pending.id, pem };
  }

  async outstanding(endpoint: EndpointRef) {
    this.#mustBeAvailable();
    return this.#pending.get(keyOf(endpoint)) ?? [];
  }

  async discard(endpoint: EndpointRef, request: string): Promise<void> {
    this.#mustBeAvailable();
    const left = this.#pending.get(keyOf(endpoint))?.filter(({ id }) => id !== request) ?? [];
    this.#pending.set(keyOf(endpoint), left);
  }

  sign(): Promise<Buffer> {
    throw new CertError('internal', 'nothing is signed here');
  }

  async stage(parts: readonly ReplacementInput[], seconds = 300): Promise<string> {
    this.#mustBeAvailable();
    for (const { endpoint, create } of parts) {
      const isBusy = [...this.#replacements.values()].some(({ before }) =>
        before.has(keyOf(endpoint)),
      );
      if (isBusy) throw new CertError('replacement-in-progress', 'another one is in progress');
      if (create === this.#stored.has(keyOf(endpoint)))
        throw new CertError(create ? 'already-installed' : 'not-found', 'the endpoint');
    }
    // A certificate without a key is refused here, as by the manager
    for (const part of parts) this.#read(part);
    const name = randomBytes(4).toString('hex');
    const before = new Map(
      parts.map(({ endpoint }) => [keyOf(endpoint), this.#stored.get(keyOf(endpoint))]),
    );
    const deadline = new Date(Date.now() + seconds * 1000);
    const timer = this.#timer(name, seconds);
    this.#replacements.set(name, { parts, before, state: 'Staged', deadline, timer });
    return name;
  }

  async detach(): Promise<void> {}

  async activate(name: string, seconds = 300): Promise<void> {
    const replacement = this.#replacement(name);
    for (const part of replacement.parts) {
      const { endpoint } = part;
      if (part.content === 'removal') {
        this.#stored.delete(keyOf(endpoint));
        this.#pending.delete(keyOf(endpoint));
        this.#tell({ kind: 'endpoint removed', endpoint });
        continue;
      }
      const stored = this.#read(part);
      this.#stored.set(keyOf(endpoint), stored);
      const hashes = stored.certificates.map(({ certificate }) => hashOf(certificate.publicKey));
      const left = this.#pending.get(keyOf(endpoint)) ?? [];
      this.#pending.set(
        keyOf(endpoint),
        left.filter(({ id }) => !hashes.includes(id)),
      );
      for (const one of stored.certificates) this.#tell({ kind: 'created', endpoint, ...one });
    }
    replacement.state = 'Active';
    await this.extend(name, seconds);
    this.#write();
  }

  async commit(name: string): Promise<void> {
    const { timer } = this.#replacement(name);
    if (this.commitRefusal) throw this.commitRefusal;
    clearTimeout(timer);
    this.#replacements.delete(name);
    this.#tell({ kind: 'bindings' });
  }

  async rollback(name: string): Promise<void> {
    this.#replacement(name);
    this.#undo(name);
  }

  async extend(name: string, seconds: number): Promise<void> {
    const replacement = this.#replacement(name);
    clearTimeout(replacement.timer);
    replacement.timer = this.#timer(name, seconds);
    replacement.deadline = new Date(Date.now() + seconds * 1000);
  }

  async progress(name: string): Promise<ReplacementProgress> {
    const { state, deadline } = this.#replacement(name);
    return { state, deadline };
  }

  async bind(service: string, endpoint: EndpointRef): Promise<void> {
    this.#bound.set(service, endpoint);
    this.#write();
    this.#tell({ kind: 'bindings' });
  }

  async unbind(service: string): Promise<void> {
    this.#bound.delete(service);
    this.#write();
    this.#tell({ kind: 'bindings' });
  }

  subscribe(listener: (event: EdgeEndpointEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #mustBeAvailable(): void {
    if (!this.isAvailable) throw new CertError('unavailable', 'the manager is away');
    if (this.refusal) throw this.refusal;
  }

  #replacement(name: string): Replacement {
    this.#mustBeAvailable();
    const found = this.#replacements.get(name);
    if (found) return found;
    throw new CertError('not-found', 'the replacement has ended');
  }

  #timer(name: string, seconds: number): NodeJS.Timeout {
    return setTimeout(() => this.#undo(name), seconds * 1000).unref();
  }

  #undo(name: string): void {
    const replacement = this.#replacements.get(name);
    if (!replacement) return;
    clearTimeout(replacement.timer);
    this.#replacements.delete(name);
    if (replacement.state === 'Staged') return;
    for (const [key, stored] of replacement.before) {
      if (stored) this.#stored.set(key, stored);
      else this.#stored.delete(key);
    }
    this.#write();
    for (const { endpoint } of replacement.parts)
      this.#tell({ kind: 'endpoint removed', endpoint });
  }

  #read({ endpoint, content }: ReplacementInput): Stored {
    const blocks = typeof content === 'string' ? [] : openContent(content);
    const certificates = blocks.filter(isCertificateBlock).map(({ der }) => readCertificate(der));
    const modified = BigInt(Date.now()) * 1_000_000n;
    if (endpoint.type === 'authority') {
      const members = certificates.map((certificate, at) => ({
        ...{ id: String(at + 1), certificate, chain: [] },
      }));
      return { ...endpoint, modified, certificates: members, file: '' };
    }
    if (typeof content === 'string') return { ...endpoint, modified, certificates: [], file: '' };
    const sent = blocks.find(isKeyBlock);
    const waiting = this.#pending.get(keyOf(endpoint)) ?? [];
    // In any order, as the manager takes them: CMS has a set
    const isWaitedFor = ({ publicKey }: Certificate) =>
      waiting.some(({ id }) => id === hashOf(publicKey));
    const certificate = (sent ? undefined : certificates.find(isWaitedFor)) ?? certificates[0];
    if (!certificate) throw new CertError('no-certificate', 'there is no certificate');
    const chain = certificates.filter((one) => one !== certificate);
    const hash = hashOf(certificate.publicKey);
    const key = sent
      ? exportPrivateKey(readPrivateKey(sent))
      : waiting.find(({ id }) => id === hash)?.key;
    if (key === undefined) throw new CertError('key-mismatch', 'no key belongs to it');
    if (sent && !certificate.x509.checkPrivateKey(readPrivateKey(sent)))
      throw new CertError('key-mismatch', 'the key is another one');
    const file = [key, ...[certificate, ...chain].map(({ pem }) => pem)].join('');
    return { ...endpoint, modified, certificates: [{ id: '1', certificate, chain }], file };
  }

  #show(stored: Stored | undefined): EdgeEndpoint[] {
    if (!stored) return [];
    const { file: _file, ...endpoint } = stored;
    const services = [...this.#bound].filter(([, one]) => keyOf(one) === keyOf(endpoint));
    return [{ ...endpoint, services: services.map(([service]) => service) }];
  }

  #write(): void {
    const bound = this.#bound.get('gnoi');
    const file = (bound && this.#stored.get(keyOf(bound))?.file) ?? '';
    if (file === '') rmSync(this.#serviceFile, { force: true });
    else writeFileSync(this.#serviceFile, file, { mode: 0o600 });
  }

  #tell(event: EdgeEndpointEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

function keyOf({ type, name }: EndpointRef): string {
  return `${type}/${name}`;
}

function hashOf(key: Parameters<typeof publicKeyInfo>[0]): string {
  return publicKeyHash(publicKeyInfo(key));
}
