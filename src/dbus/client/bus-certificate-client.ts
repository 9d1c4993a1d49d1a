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
import type { Content } from '../../x509/containers.ts';
import { deleteInterface } from '../certs/certs-interfaces.ts';
import {
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

export interface BusClientOptions extends ManagerWatchLimits {
  readonly busAddress: string;
  /** Milliseconds within which a request must be made; RSA takes long on a small device. */
  readonly requestTimeout: number;
  /** Milliseconds within which a manager opens what it is sent; it has as long as for any other call beside them. */
  readonly openingTimeout?: number;
  readonly log: Log;
}

/** A CertificateClient over the bus: it reads the live copies, and calls the managers. */
export class BusCertificateClient implements CertificateClient {
  readonly #requestTimeout: number;
  readonly #uploadTimeout: number;
  readonly #watch: ManagerWatch;

  constructor(options: BusClientOptions) {
    const { busAddress, requestTimeout, openingTimeout = 0, log, ...limits } = options;
    this.#requestTimeout = requestTimeout;
    this.#uploadTimeout = usualTimeout + openingTimeout;
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
    const idOf = (path: unknown) => String(path).split('/').at(-1) ?? '';
    return this.#put({ endpoint, spec: uploadInterface, member: 'Install' }, content, idOf);
  }

  async replace(
    endpoint: EndpointRef,
    id: string,
    content: Content,
  ): Promise<PublishedCertificate> {
    const method = { endpoint, id, spec: replaceContentInterface, member: 'Replace' };
    return this.#put(method, content, () => id);
  }

  async delete(endpoint: EndpointRef, id: string): Promise<void> {
    await this.call({ endpoint, id, spec: deleteInterface, member: 'Delete' });
  }

  async makeRequest(endpoint: EndpointRef, parameters: CsrParameters): Promise<string> {
    // What the manager would refuse need not travel, and what no message can carry cannot
    planRequest(parameters);
    const method = { endpoint, spec: requestInterface, member: 'Generate' };
    return String(await this.call(method, parameters, { timeout: this.#requestTimeout }));
  }

  async rekey(endpoint: EndpointRef, id: string, parameters: RekeyParameters): Promise<string> {
    const method = { endpoint, id, spec: successorInterface, member: 'Rekey' };
    return String(await this.call(method, parameters, { timeout: this.#requestTimeout }));
  }

  async renew(endpoint: EndpointRef, id: string, ChallengePassword: string): Promise<string> {
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

  /** @returns the one result of the method, if it has one */
  async call(
    { endpoint, id, spec: { name, methods }, member }: RemoteMethod,
    values: Readonly<Record<string, unknown>> = {},
    options: Pick<OutgoingCall, 'timeout' | 'arrived'> = {},
  ): Promise<unknown> {
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

/** A method of an endpoint, or of one of its certificates. */
export interface RemoteMethod {
  readonly endpoint: EndpointRef;
  readonly id?: string;
  readonly spec: InterfaceSpec;
  readonly member: string;
}
