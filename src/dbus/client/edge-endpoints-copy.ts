import type { EndpointStatus } from '../../manager/administration.ts';
import type { EndpointRef, PublishedCertificate } from '../../manager/certificate-client.ts';
import type {
  EdgeEndpoint,
  EdgeEndpointEvent,
  ServiceBinding,
} from '../../manager/edge-endpoints.ts';
import { endpointTypes } from '../../manager/endpoint-definition.ts';
import type { ContentLimits } from '../../x509/limits.ts';
import { reloadInterface, replacementInterface } from '../certs/extension-interfaces.ts';
import { endpointInterface } from '../endpoints/interfaces.ts';
import { endpointAt, endpointPath, endpointsRoot } from '../endpoints/paths.ts';
import type { TypedValue } from '../server/interface.ts';
import type { Interfaces, Properties } from '../server/object-tree.ts';
import type { Bus } from '../transport/bus.ts';
import { CertificateObjects } from './certificate-objects.ts';
import { readEndpointStatus } from './endpoint-status.ts';

type Tell = (event: EdgeEndpointEvent) => void;

/** A live copy of the endpoints that come and go at run time. */
export class EdgeEndpointsCopy {
  readonly #objects: CertificateObjects;
  /** What the object of each endpoint has, by its path. */
  readonly #endpoints = new Map<string, Interfaces>();
  #bindings: readonly ServiceBinding[] = [];
  #services: readonly string[] = [];
  #tell: Tell = () => undefined;

  private constructor(owner: string, limits: ContentLimits) {
    this.#objects = new CertificateObjects({
      ...{ owner, root: endpointsRoot, limits },
      certificateAt(path) {
        const endpoint = endpointAt(path);
        const id = path.split('/').at(-1) ?? '';
        return endpoint && /^\d+$/.test(id) ? { endpoint, id } : undefined;
      },
      added: (path, interfaces) => this.#add(path, interfaces),
      changed: (path, name, changed) => this.#change(path, name, changed),
      removed: (path) => {
        const endpoint = endpointAt(path);
        if (this.#endpoints.delete(path) && endpoint)
          this.#tell({ kind: 'endpoint removed', endpoint });
      },
    });
  }

  /** @param owner the unique name of the connection that serves the endpoints */
  static async fetch(bus: Bus, owner: string, limits: ContentLimits): Promise<EdgeEndpointsCopy> {
    const copy = new EdgeEndpointsCopy(owner, limits);
    await copy.#objects.fetch(bus);
    return copy;
  }

  /** Tells what happens from now on; of what was before, only the warnings are news. */
  tellTo(tell: Tell): void {
    this.#tell = tell;
    this.#objects.tellTo(tell);
  }

  close(): void {
    this.#objects.close();
  }

  get bindings(): readonly ServiceBinding[] {
    return this.#bindings;
  }

  /** That can be bound. */
  get services(): readonly string[] {
    return this.#services;
  }

  /** Ordered by type and name. */
  list(): readonly EdgeEndpoint[] {
    return this.endpoints()
      .flatMap((one) => this.find(one) ?? [])
      .sort((a, b) => (`${a.type}/${a.name}` < `${b.type}/${b.name}` ? -1 : 1));
  }

  /** The same without what they have, in no order. */
  endpoints(): readonly EndpointRef[] {
    return [...this.#endpoints.keys()].flatMap((path) => endpointAt(path) ?? []);
  }

  has(endpoint: EndpointRef): boolean {
    return this.#endpoints.has(endpointPath(endpoint));
  }

  /** Of an endpoint, ordered by id. */
  certificates(endpoint: EndpointRef): readonly PublishedCertificate[] {
    return this.#objects.below(endpointPath(endpoint));
  }

  certificate(endpoint: EndpointRef, id: string): PublishedCertificate | undefined {
    return this.#objects.get(`${endpointPath(endpoint)}/${id}`);
  }

  /** What the manager tells of the endpoint beside its certificates. */
  status(endpoint: EndpointRef): EndpointStatus | undefined {
    const told = this.#endpoints.get(endpointPath(endpoint));
    // Another interface has properties of the same names
    return readEndpointStatus({
      ...told?.[reloadInterface.name],
      ...told?.[replacementInterface.name],
    });
  }

  /** What the certificates of an endpoint have beside themselves, by the paths of their objects. */
  objects(endpoint: EndpointRef): Readonly<Record<string, Interfaces>> {
    return this.#objects.othersBelow(endpointPath(endpoint));
  }

  find({ type, name }: EndpointRef): EdgeEndpoint | undefined {
    const own = this.#endpoints.get(endpointPath({ type, name }))?.[endpointInterface.name];
    const modified = own?.Modified?.value;
    return (
      own && {
        ...{ type, name },
        services: textsIn(own.Services),
        modified: typeof modified === 'bigint' ? modified : 0n,
        certificates: this.certificates({ type, name }),
      }
    );
  }

  #add(path: string, interfaces: Interfaces): void {
    const endpoint = endpointAt(path);
    if (!endpoint || !interfaces[endpointInterface.name]) return;
    this.#endpoints.set(path, interfaces);
    this.#tell({ kind: 'endpoint added', endpoint });
  }

  #change(path: string, name: string, changed: Properties): void {
    const known = this.#endpoints.get(path);
    if (known) this.#endpoints.set(path, { ...known, [name]: { ...known[name], ...changed } });
    if (known || path !== endpointsRoot) return;
    if (changed.Services) this.#services = textsIn(changed.Services);
    if (Array.isArray(changed.Bindings?.value)) {
      this.#bindings = changed.Bindings.value.flatMap((row: unknown) => bindingOf(row) ?? []);
      this.#tell({ kind: 'bindings' });
    }
  }
}

function textsIn(property: TypedValue | undefined): readonly string[] {
  return Array.isArray(property?.value) ? property.value.map(String) : [];
}

function bindingOf(row: unknown): ServiceBinding | undefined {
  const [service, typeName, name, origin] = Array.isArray(row) ? row.map(String) : [];
  const type = endpointTypes.find((one) => one === typeName);
  if (service === undefined || name === undefined || type === undefined) return undefined;
  const from = origin === 'configuration' ? origin : 'run time';
  return { service, endpoint: { type, name }, origin: from };
}
