import type { EndpointStatus } from '../../manager/administration.ts';
import type { CertificateEvent, PublishedCertificate } from '../../manager/certificate-client.ts';
import type { ContentLimits } from '../../x509/limits.ts';
import { type EndpointName, rootPath } from '../certs/endpoint-names.ts';
import type { Properties } from '../server/object-tree.ts';
import type { Bus } from '../transport/bus.ts';
import { CertificateObjects } from './certificate-objects.ts';
import { readEndpointStatus } from './endpoint-status.ts';

/** A live copy of one endpoint that has a name of its own on the bus. */
export class EndpointCopy {
  readonly endpoint: EndpointName;
  /** Unique name of the connection that owns the endpoint now. */
  readonly owner: string;
  readonly #root: string;
  readonly #objects: CertificateObjects;
  /** Of the object of the endpoint itself, where upstream's manager has none. */
  #properties: Properties = {};

  private constructor(endpoint: EndpointName, owner: string, limits: ContentLimits) {
    this.endpoint = endpoint;
    this.owner = owner;
    const root = rootPath(endpoint);
    this.#root = root;
    this.#objects = new CertificateObjects({
      ...{ owner, root, limits },
      certificateAt(path) {
        const id = path.startsWith(`${root}/`) ? path.slice(root.length + 1) : '';
        return /^\d+$/.test(id) ? { endpoint, id } : undefined;
      },
      changed: (path, _, changed) => {
        if (path === root) this.#properties = { ...this.#properties, ...changed };
      },
    });
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
    await copy.#objects.fetch(bus);
    return copy;
  }

  /** Tells what happens from now on; of what was before, only the warnings are news. */
  tellTo(tell: (event: CertificateEvent) => void): void {
    this.#objects.tellTo(tell);
  }

  close(): void {
    this.#objects.close();
  }

  /** Ordered by id. */
  list(): readonly PublishedCertificate[] {
    return this.#objects.below(this.#root);
  }

  get(id: string): PublishedCertificate | undefined {
    return this.#objects.get(`${this.#root}/${id}`);
  }

  get status(): EndpointStatus | undefined {
    return readEndpointStatus(this.#properties);
  }
}
