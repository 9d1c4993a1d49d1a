import { tmpdir } from 'node:os';
import { CertError } from '../../core/cert-error.ts';
import type { Log } from '../../core/log.ts';
import type { EndpointStatus } from '../../manager/administration.ts';
import type {
  CertificateClient,
  CertificateEvent,
  EndpointRef,
  OutstandingRequest,
  PublishedCertificate,
} from '../../manager/certificate-client.ts';
import type { CsrParameters, RekeyParameters } from '../../manager/csr/parameters.ts';
import { planRequest } from '../../manager/csr/plan.ts';
import { type Content, type OpenContent, openContent } from '../../x509/containers.ts';
import { deleteInterface } from '../certs/certs-interfaces.ts';
import {
  extensionInterfaces,
  replaceContentInterface,
  requestInterface,
  successorInterface,
  uploadInterface,
} from '../certs/extension-interfaces.ts';
import { type InterfaceSpec, signatureOf } from '../server/interface.ts';
import type { Interfaces } from '../server/object-tree.ts';
import { objectManagerInterface } from '../server/standard-interfaces.ts';
import { type OutgoingCall, usualTimeout } from '../transport/bus.ts';
import { ManagerWatch, type ManagerWatchLimits } from './manager-watch.ts';
import {
  deleteAtUpstream,
  installAtUpstream,
  replaceAtUpstream,
  type UpstreamEndpoint,
} from './upstream-changes.ts';
import { requestOfUpstream, successorParameters } from './upstream-request.ts';

export interface BusClientOptions extends ManagerWatchLimits {
  readonly busAddress: string;
  /**
   * Where files for phosphor-certificate-manager lie while it reads them, which takes them no other way; the directory for
   * temporary files unless given.
   */
  readonly uploadDirectory?: string;
  /** Opens what that manager cannot open; without it nothing else is done meanwhile. */
  readonly openContent?: OpenContent;
  /** Milliseconds within which a request must be made; RSA takes long on a small device. */
  readonly requestTimeout: number;
  /** Milliseconds within which a manager has opened what it is sent, beside those of any call. */
  readonly openingTimeout?: number;
  readonly log: Log;
}

const openAtOnce: OpenContent = (content, limits) =>
  openContent(content, limits, limits.derivationRounds);

/** A CertificateClient over the bus: it reads the live copies, and calls the managers. */
export class BusCertificateClient implements CertificateClient {
  readonly #requestTimeout: number;
  readonly #uploadTimeout: number;
  readonly #upstream: Pick<UpstreamEndpoint, 'directory' | 'openContent'>;
  readonly #watch: ManagerWatch;
  /** Paths of the endpoints of phosphor-certificate-manager that make a request: two at a time end it. */
  readonly #making = new Set<string>();

  constructor(options: BusClientOptions) {
    const { busAddress, requestTimeout, openingTimeout = 0, log, ...others } = options;
    const { uploadDirectory = tmpdir(), openContent = openAtOnce, ...limits } = others;
    this.#requestTimeout = requestTimeout;
    this.#uploadTimeout = usualTimeout + openingTimeout;
    this.#upstream = { directory: uploadDirectory, openContent };
    this.#watch = new ManagerWatch(busAddress, log, limits);
  }

  /** Begins to connect; resolves after the first attempt, whether or not it reached the bus. */
  start(): Promise<void> {
    return this.#watch.start();
  }

  close(): void {
    this.#watch.close();
  }

  /** Whether there is a connection to the bus now. */
  get isConnected(): boolean {
    return this.#watch.isConnected;
  }

  /** Why a manager, or the bus, that is there did not let us ask; `undefined` while nothing was denied. */
  get denial(): Error | undefined {
    return this.#watch.denial;
  }

  get version(): number {
    return this.#watch.version;
  }

  isAvailable(endpoint: EndpointRef): boolean {
    return this.#watch.has(endpoint);
  }

  endpoints(): readonly EndpointRef[] {
    return this.#watch.endpoints();
  }

  runTimeEndpoints(): readonly EndpointRef[] {
    return this.#watch.runTimeEndpoints();
  }

  list(endpoint: EndpointRef): readonly PublishedCertificate[] {
    return this.#watch.copyOf(endpoint).list();
  }

  get(endpoint: EndpointRef, id: string): PublishedCertificate {
    const found = this.#watch.copyOf(endpoint).get(id);
    if (!found) throw new CertError('not-found', `there is no certificate ${id}`);
    return found;
  }

  /** @returns `undefined` where the manager has no interfaces of ours. @throws CertError `unavailable` */
  status(endpoint: EndpointRef): EndpointStatus | undefined {
    return this.#watch.copyOf(endpoint).status;
  }

  /** The object of the endpoint. */
  pathOf(endpoint: EndpointRef): string {
    return this.#watch.addressOf(endpoint).path;
  }

  /** What the ObjectManager of the endpoint answers. */
  async objects(endpoint: EndpointRef): Promise<Readonly<Record<string, Interfaces>>> {
    const ofRunTime = this.#watch.runTimeObjects(endpoint);
    if (ofRunTime) return ofRunTime;
    const method = { endpoint, spec: objectManagerInterface, member: 'GetManagedObjects' };
    return (await this.call(method)) as Readonly<Record<string, Interfaces>>;
  }

  async install(endpoint: EndpointRef, content: Content): Promise<PublishedCertificate> {
    const upstream = this.upstreamAt(endpoint);
    if (upstream) return installAtUpstream(upstream, content);
    const idOf = (path: unknown) => String(path).split('/').at(-1) ?? '';
    return this.#put({ endpoint, spec: uploadInterface, member: 'Install' }, content, idOf);
  }

  async replace(
    endpoint: EndpointRef,
    id: string,
    content: Content,
  ): Promise<PublishedCertificate> {
    const upstream = this.upstreamAt(endpoint);
    if (upstream) return replaceAtUpstream(upstream, id, content);
    const method = { endpoint, id, spec: replaceContentInterface, member: 'Replace' };
    return this.#put(method, content, () => id);
  }

  async delete(endpoint: EndpointRef, id: string): Promise<void> {
    const upstream = this.upstreamAt(endpoint);
    if (upstream) return deleteAtUpstream(upstream, id);
    await this.call({ endpoint, id, spec: deleteInterface, member: 'Delete' });
  }

  async makeRequest(endpoint: EndpointRef, parameters: CsrParameters): Promise<string> {
    // What the manager would refuse need not travel, and what no message can carry cannot
    planRequest(parameters, endpoint.type);
    const upstream = this.upstreamAt(endpoint);
    if (upstream) return this.#requestAt(upstream, parameters);
    const method = { endpoint, spec: requestInterface, member: 'Generate' };
    return String(await this.call(method, parameters, { timeout: this.#requestTimeout }));
  }

  async rekey(endpoint: EndpointRef, id: string, parameters: RekeyParameters): Promise<string> {
    const upstream = this.upstreamAt(endpoint);
    if (upstream) {
      const { certificate } = this.get(endpoint, id);
      return this.#requestAt(upstream, successorParameters(certificate, parameters));
    }
    const method = { endpoint, id, spec: successorInterface, member: 'Rekey' };
    return String(await this.call(method, parameters, { timeout: this.#requestTimeout }));
  }

  async renew(endpoint: EndpointRef, id: string, ChallengePassword: string): Promise<string> {
    if (this.upstreamAt(endpoint)) {
      const message =
        'phosphor-certificate-manager makes no request for the key that is in service; make one for another key (Rekey)';
      throw new CertError('unsupported', message);
    }
    const method = { endpoint, id, spec: successorInterface, member: 'Renew' };
    return String(
      await this.call(method, { ChallengePassword }, { timeout: this.#requestTimeout }),
    );
  }

  async outstanding(
    endpoint: EndpointRef,
    timeout?: number,
  ): Promise<readonly OutstandingRequest[]> {
    const method = { endpoint, spec: requestInterface, member: 'Outstanding' };
    const rows = await this.call(method, {}, timeout === undefined ? {} : { timeout });
    return (rows as [string, bigint, string][]).map(([id, seconds, pem]) => ({
      id,
      pem,
      created: new Date(Number(seconds) * 1000),
    }));
  }

  subscribe(listener: (event: CertificateEvent) => void): () => void {
    return this.#watch.subscribe(listener);
  }

  /**
   * Where the manager that is there now has none of our interfaces; `undefined` where it has. Nothing of it holds for a
   * manager that comes after it. @throws CertError `unavailable`
   */
  upstreamAt(endpoint: EndpointRef): UpstreamEndpoint | undefined {
    const copy = this.#watch.copyOf(endpoint);
    if (copy.status) return undefined;
    const { bus, limits } = this.#watch;
    return { ...this.#upstream, endpoint, bus, root: this.pathOf(endpoint), copy, limits };
  }

  async #requestAt(
    { endpoint, bus, root, copy }: UpstreamEndpoint,
    parameters: CsrParameters,
  ): Promise<string> {
    if (endpoint.type === 'authority')
      throw new CertError('wrong-endpoint-type', 'an authority has no key here');
    if (this.#making.has(root))
      throw new CertError('busy', 'the certificate manager makes one request at a time');
    this.#making.add(root);
    try {
      const place = { bus, owner: copy.owner, root, timeout: this.#requestTimeout };
      return await requestOfUpstream(place, parameters);
    } finally {
      this.#making.delete(root);
    }
  }

  /** What the change put there, even if another one has taken it away before it could be read. */
  async #put(
    method: RemoteMethod,
    { bytes, format, password }: Content,
    idOf: (result: unknown) => string,
  ): Promise<PublishedCertificate> {
    const { endpoint } = method;
    let published: PublishedCertificate | undefined;
    // In the message itself, so that no key lies in a file on its way
    const inputs = { Content: bytes, Format: format, Password: password };
    const result = await this.call(method, inputs, {
      arrived: ([path]) => {
        published = this.#watch.has(endpoint)
          ? this.#watch.copyOf(endpoint).get(idOf(path))
          : undefined;
      },
    });
    return published ?? this.get(endpoint, idOf(result));
  }

  /** @returns the one result of the method, if it has one. @throws CertError, `unsupported` where the manager has none of ours */
  async call(
    { endpoint, id, spec: { name, methods }, member }: RemoteMethod,
    values: Readonly<Record<string, unknown>> = {},
    options: Pick<OutgoingCall, 'timeout' | 'arrived'> = {},
  ): Promise<unknown> {
    const isOurs = extensionInterfaces.some((one) => one.name === name);
    if (isOurs && this.upstreamAt(endpoint)) throw unsupported();
    const inputs = methods[member]?.in ?? {};
    const { destination, path } = this.#watch.addressOf(endpoint);
    const [result] = await this.#watch.bus.call({
      destination,
      path: id === undefined ? path : `${path}/${id}`,
      interface: name,
      member,
      signature: signatureOf(inputs),
      body: Object.keys(inputs).map((input) => values[input]),
      ...('Password' in inputs && { timeout: this.#uploadTimeout }),
      ...options,
    });
    return result;
  }
}

/** Of what phosphor-certificate-manager has nothing for. */
export function unsupported(): CertError {
  return new CertError(
    'unsupported',
    'the certificate manager of this device is phosphor-certificate-manager, which does not offer that',
  );
}

/** A method of an endpoint, or of one of its certificates. */
export interface RemoteMethod {
  readonly endpoint: EndpointRef;
  readonly id?: string;
  readonly spec: InterfaceSpec;
  readonly member: string;
}
