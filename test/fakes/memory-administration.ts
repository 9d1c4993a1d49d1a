import { CertError } from '../../src/core/cert-error.ts';
import type {
  EndpointStatus,
  ServiceReload,
  StagedContent,
  WatchedAdministration,
} from '../../src/manager/administration.ts';
import type { EndpointRef, PublishedCertificate } from '../../src/manager/certificate-client.ts';
import { type Content, openContent } from '../../src/x509/containers.ts';
import type { MemoryClient } from './memory-client.ts';

interface Replacement extends StagedContent {
  readonly endpoint: EndpointRef;
  readonly id: string;
  readonly state: 'Staged' | 'Active';
  readonly deadline: Date;
}

/** Administration of a manager in memory, which can be told to be one of upstream's. */
export class MemoryAdministration implements WatchedAdministration {
  isOffered = true;
  told: readonly ServiceReload[] = [];
  /** What was asked for. */
  readonly calls: string[] = [];
  staged: Replacement | undefined;
  readonly #client: MemoryClient;

  constructor(client: MemoryClient) {
    this.#client = client;
  }

  status(endpoint: EndpointRef): EndpointStatus | undefined {
    this.#client.list(endpoint);
    if (!this.isOffered) return undefined;
    const { staged } = this;
    const places = staged ? [staged.endpoint, staged.truststore?.endpoint] : [];
    const isHere = places.some((one) => one?.type === endpoint.type && one.name === endpoint.name);
    const replacement =
      staged && isHere
        ? { id: staged.id, state: staged.state, deadline: staged.deadline }
        : { state: 'None' as const, deadline: undefined };
    return { services: this.told, replacement };
  }

  async expiry() {
    return new Map();
  }

  async add(endpoint: EndpointRef, content: Content): Promise<readonly PublishedCertificate[]> {
    this.#note(`add ${endpoint.name}`);
    const added: PublishedCertificate[] = [];
    for (const { der } of openContent(content)) {
      const bytes = Buffer.from(der);
      added.push(await this.#client.install(endpoint, { bytes, format: 'DER', password: '' }));
    }
    return added;
  }

  async replaceAll(
    endpoint: EndpointRef,
    content: Content,
  ): Promise<readonly PublishedCertificate[]> {
    this.#note(`replaceAll ${endpoint.name}`);
    for (const { id } of this.#client.list(endpoint)) await this.#client.delete(endpoint, id);
    return [await this.#client.install(endpoint, content)];
  }

  async discard({ name }: EndpointRef, id: string): Promise<void> {
    this.#note(`discard ${name} ${id}`);
  }

  async services() {
    return this.told;
  }

  async reload({ name }: EndpointRef): Promise<void> {
    this.#note(`reload ${name}`);
  }

  async stage(endpoint: EndpointRef, staged: StagedContent): Promise<string> {
    this.#note(`stage ${endpoint.name} ${staged.seconds}`);
    const id = 'f00d';
    const deadline = new Date('2030-01-02T03:04:05Z');
    this.staged = { ...staged, endpoint, id, state: 'Staged', deadline };
    return id;
  }

  async activate({ name }: EndpointRef, seconds: number, id = ''): Promise<void> {
    this.#note(`activate ${name} ${seconds} ${id}`);
    if (this.staged) this.staged = { ...this.staged, state: 'Active' };
  }

  async commit({ name }: EndpointRef, id = ''): Promise<void> {
    this.#note(`commit ${name} ${id}`);
    this.staged = undefined;
  }

  async rollback({ name }: EndpointRef, id = ''): Promise<void> {
    this.#note(`rollback ${name} ${id}`);
    this.staged = undefined;
  }

  async replacement(endpoint: EndpointRef) {
    const status = this.status(endpoint);
    if (!status) throw new CertError('internal', 'not offered');
    return status.replacement;
  }

  #note(call: string): void {
    if (this.#client.refusal) throw this.#client.refusal;
    this.calls.push(call);
  }
}
