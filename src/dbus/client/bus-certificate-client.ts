import { CertError } from '../../core/cert-error.ts';
import type { Log } from '../../core/log.ts';
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
import { busName, rootPath } from '../certs/endpoint-names.ts';
import {
  replaceContentInterface,
  requestInterface,
  successorInterface,
  uploadInterface,
} from '../certs/extension-interfaces.ts';
import { signatureOf } from '../server/interface.ts';
import type { OutgoingCall } from '../transport/bus.ts';
import { ManagerWatch } from './manager-watch.ts';

export interface BusClientOptions {
  readonly busAddress: string;
  /** Milliseconds within which a request must be made; RSA takes long on a small device. */
  readonly requestTimeout: number;
  /** The largest file that a manager takes, in bytes; a megabyte unless given. */
  readonly uploadBytes?: number;
  readonly log: Log;
}

/** A CertificateClient over the bus: it reads the live copies, and calls the managers. */
export class BusCertificateClient implements CertificateClient {
  readonly #requestTimeout: number;
  readonly #watch: ManagerWatch;

  constructor({ busAddress, requestTimeout, uploadBytes, log }: BusClientOptions) {
    this.#requestTimeout = requestTimeout;
    this.#watch = new ManagerWatch(busAddress, log, uploadBytes);
  }

  /** Begins to connect; resolves after the first attempt, whether or not it reached the bus. */
  start(): Promise<void> {
    return this.#watch.start();
  }

  close(): void {
    this.#watch.close();
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

  list(endpoint: EndpointRef): readonly PublishedCertificate[] {
    return this.#watch.copyOf(endpoint).list();
  }

  get(endpoint: EndpointRef, id: string): PublishedCertificate {
    const found = this.#watch.copyOf(endpoint).get(id);
    if (!found) throw new CertError('not-found', `there is no certificate ${id}`);
    return found;
  }

  async install(endpoint: EndpointRef, content: Content): Promise<PublishedCertificate> {
    const call = {
      destination: busName(endpoint),
      path: rootPath(endpoint),
      interface: uploadInterface.name,
      member: 'Install',
      ...uploadOf(content),
    };
    return this.#put(endpoint, call, ([path]) => String(path).split('/').at(-1) ?? '');
  }

  async replace(
    endpoint: EndpointRef,
    id: string,
    content: Content,
  ): Promise<PublishedCertificate> {
    const call = {
      destination: busName(endpoint),
      path: `${rootPath(endpoint)}/${id}`,
      interface: replaceContentInterface.name,
      member: 'Replace',
      ...uploadOf(content),
    };
    return this.#put(endpoint, call, () => id);
  }

  async delete(endpoint: EndpointRef, id: string): Promise<void> {
    await this.#call({
      destination: busName(endpoint),
      path: `${rootPath(endpoint)}/${id}`,
      interface: deleteInterface.name,
      member: 'Delete',
    });
  }

  async makeRequest(endpoint: EndpointRef, parameters: CsrParameters): Promise<string> {
    // What the manager would refuse need not travel, and what no message can carry cannot
    planRequest(parameters);
    const inputs = requestInterface.methods.Generate.in;
    const names = Object.keys(inputs) as (keyof typeof inputs)[];
    const [pem] = await this.#call({
      destination: busName(endpoint),
      path: rootPath(endpoint),
      interface: requestInterface.name,
      member: 'Generate',
      signature: signatureOf(inputs),
      body: names.map((name) => parameters[name]),
      timeout: this.#requestTimeout,
    });
    return String(pem);
  }

  async rekey(endpoint: EndpointRef, id: string, parameters: RekeyParameters): Promise<string> {
    return this.#succeed(endpoint, id, 'Rekey', { ...parameters });
  }

  async renew(endpoint: EndpointRef, id: string, challengePassword: string): Promise<string> {
    return this.#succeed(endpoint, id, 'Renew', { ChallengePassword: challengePassword });
  }

  async outstanding(endpoint: EndpointRef): Promise<readonly OutstandingRequest[]> {
    const [rows] = await this.#call({
      destination: busName(endpoint),
      path: rootPath(endpoint),
      interface: requestInterface.name,
      member: 'Outstanding',
    });
    return (rows as [string, bigint, string][]).map(([id, seconds, pem]) => ({
      id,
      pem,
      created: new Date(Number(seconds) * 1000),
    }));
  }

  async #succeed(
    endpoint: EndpointRef,
    id: string,
    member: keyof typeof successorInterface.methods,
    values: Readonly<Record<string, unknown>>,
  ): Promise<string> {
    const inputs = successorInterface.methods[member].in;
    const [pem] = await this.#call({
      destination: busName(endpoint),
      path: `${rootPath(endpoint)}/${id}`,
      interface: successorInterface.name,
      member,
      signature: signatureOf(inputs),
      body: Object.keys(inputs).map((name) => values[name]),
      timeout: this.#requestTimeout,
    });
    return String(pem);
  }

  subscribe(listener: (event: CertificateEvent) => void): () => void {
    return this.#watch.subscribe(listener);
  }

  /** What the change put there, even if another one has taken it away before anybody could look. */
  async #put(
    endpoint: EndpointRef,
    call: OutgoingCall,
    idOf: (reply: readonly unknown[]) => string,
  ): Promise<PublishedCertificate> {
    let published: PublishedCertificate | undefined;
    const reply = await this.#call({
      ...call,
      arrived: (body) => {
        published = this.#watch.has(endpoint)
          ? this.#watch.copyOf(endpoint).get(idOf(body))
          : undefined;
      },
    });
    return published ?? this.get(endpoint, idOf(reply));
  }

  async #call(call: OutgoingCall): Promise<readonly unknown[]> {
    return this.#watch.bus.call(call);
  }
}

/** In the message itself, so that no key lies in a file on its way. */
function uploadOf({ bytes, format, password }: Content) {
  const { in: inputs } = replaceContentInterface.methods.Replace;
  return { signature: signatureOf(inputs), body: [bytes, format, password] };
}
