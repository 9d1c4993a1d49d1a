import { CertError } from '../../core/cert-error.ts';
import { Listeners } from '../../core/listeners.ts';
import type { Log } from '../../core/log.ts';
import type { EndpointRef, OutstandingRequest } from '../../manager/certificate-client.ts';
import type { CsrParameters } from '../../manager/csr/parameters.ts';
import { planRequest } from '../../manager/csr/plan.ts';
import type {
  EdgeEndpoint,
  EdgeEndpointEvent,
  EdgeEndpoints,
  PendingKey,
  ReplacementInput,
  ReplacementProgress,
  ServiceBinding,
  SigningInput,
} from '../../manager/edge-endpoints.ts';
import { deleteAllInterface } from '../certs/certs-interfaces.ts';
import { endpointsInterface } from '../endpoints/interfaces.ts';
import { endpointPath, endpointsName, endpointsRoot } from '../endpoints/paths.ts';
import { signatureOf } from '../server/interface.ts';
import { type OutgoingCall, smallMessageBytes } from '../transport/bus.ts';
import { ReconnectingBus } from '../transport/reconnecting-bus.ts';
import type { EdgeEndpointsCopy } from './edge-endpoints-copy.ts';
import { EdgeEndpointsWatch } from './edge-endpoints-watch.ts';
import { isDenial, type ManagerWatchLimits } from './manager-watch.ts';

export interface BusEdgeEndpointsOptions
  extends Required<Pick<ManagerWatchLimits, 'uploadBytes' | 'content'>> {
  readonly busAddress: string;
  /** Milliseconds within which a key must be made; RSA takes long on a small device. */
  readonly requestTimeout: number;
  readonly log: Log;
}

type Member = keyof typeof endpointsInterface.methods;

/** `EdgeEndpoints` over the bus. It comes back by itself when the bus or the manager went away. */
export class BusEdgeEndpoints implements EdgeEndpoints {
  readonly #options: BusEdgeEndpointsOptions;
  readonly #connection: ReconnectingBus;
  readonly #listeners: Listeners<EdgeEndpointEvent>;
  readonly #watch: EdgeEndpointsWatch;
  #denial: Error | undefined;

  constructor(options: BusEdgeEndpointsOptions) {
    const { busAddress, log, uploadBytes, content } = options;
    this.#options = options;
    this.#listeners = new Listeners(log);
    const failed = (error: unknown) => {
      if (isDenial(error)) this.#denial = error;
    };
    const tell = (event: EdgeEndpointEvent) => this.#listeners.tell(event);
    const watch = new EdgeEndpointsWatch({ content, log, tell, failed });
    this.#watch = watch;
    this.#connection = new ReconnectingBus({
      busAddress,
      // A signal has the text of a file, and that of its first certificate again
      bounds: ({ sender }) => smallMessageBytes + (sender === watch.owner ? 3 * uploadBytes : 0),
      log,
      begin: (bus) => watch.begin(bus),
      failed,
      ended: () => watch.end(),
    });
  }

  /** Begins to connect; resolves after the first attempt, whether or not it reached the manager. */
  start(): Promise<void> {
    return this.#connection.start();
  }

  close(): void {
    this.#connection.close();
    this.#watch.close();
  }

  /** Why this user may not ask the manager, if it is so. */
  get denial(): Error | undefined {
    return this.#denial;
  }

  get isAvailable(): boolean {
    return this.#watch.copy !== undefined;
  }

  list(): readonly EdgeEndpoint[] {
    return this.#current.list();
  }

  find(endpoint: EndpointRef): EdgeEndpoint | undefined {
    return this.#current.find(endpoint);
  }

  bindings(): readonly ServiceBinding[] {
    return this.#current.bindings;
  }

  services(): readonly string[] {
    return this.#current.services;
  }

  async add(endpoint: EndpointRef): Promise<void> {
    await this.#call('Add', idOf(endpoint));
  }

  async remove(endpoint: EndpointRef): Promise<void> {
    await this.#call('Remove', [endpointPath(endpoint)]);
  }

  async clear(endpoint: EndpointRef): Promise<void> {
    const method = { interface: deleteAllInterface.name, member: 'DeleteAll' };
    await this.#send({ path: endpointPath(endpoint), ...method });
  }

  async generate(endpoint: EndpointRef, parameters: CsrParameters): Promise<PendingKey> {
    // What the manager would refuse need not travel, and what no message can carry cannot
    planRequest(parameters, endpoint.type);
    const names = Object.keys(endpointsInterface.methods.Generate.in).slice(2);
    const values = names.map((name) => Reflect.get(parameters, name));
    const timeout = this.#options.requestTimeout;
    const made = await this.#call('Generate', [...idOf(endpoint), ...values], { timeout });
    const [id, pem] = made as [string, string];
    return { id, pem };
  }

  async outstanding(endpoint: EndpointRef): Promise<readonly OutstandingRequest[]> {
    const rows = (await this.#call('Outstanding', idOf(endpoint))) as [string, bigint, string][];
    return rows.map(([id, seconds, pem]) => ({ id, pem, created: dateOf(seconds) }));
  }

  async discard(endpoint: EndpointRef, request: string): Promise<void> {
    await this.#call('Discard', [...idOf(endpoint), request]);
  }

  async sign(
    endpoint: EndpointRef,
    { request = '', algorithm, data }: SigningInput,
  ): Promise<Buffer> {
    const inputs = [...idOf(endpoint), request, algorithm, data];
    return (await this.#call('Sign', inputs)) as Buffer;
  }

  async stage(parts: readonly ReplacementInput[], seconds = 0): Promise<string> {
    const rows = parts.map(({ endpoint, create, content, request = '' }) => {
      return [...idOf(endpoint), create, ...contentRow(content), request];
    });
    return String(await this.#call('Stage', [rows, seconds]));
  }

  async detach(replacement: string): Promise<void> {
    await this.#call('Detach', [replacement]);
  }

  async activate(replacement: string, seconds = 0): Promise<void> {
    await this.#call('Activate', [replacement, seconds]);
  }

  async commit(replacement: string): Promise<void> {
    await this.#call('Commit', [replacement]);
  }

  async rollback(replacement: string): Promise<void> {
    await this.#call('Rollback', [replacement]);
  }

  async extend(replacement: string, seconds: number): Promise<void> {
    await this.#call('Extend', [replacement, seconds]);
  }

  async progress(replacement: string): Promise<ReplacementProgress> {
    const answer = await this.#call('Deadline', [replacement]);
    const [state, deadline] = answer as [ReplacementProgress['state'], bigint];
    return { state, deadline: dateOf(deadline) };
  }

  async bind(service: string, endpoint: EndpointRef): Promise<void> {
    await this.#call('Bind', [service, ...idOf(endpoint)]);
  }

  async unbind(service: string): Promise<void> {
    await this.#call('Unbind', [service]);
  }

  subscribe(listener: (event: EdgeEndpointEvent) => void): () => void {
    return this.#listeners.add(listener);
  }

  get #current(): EdgeEndpointsCopy {
    const { copy } = this.#watch;
    if (copy) return copy;
    throw new CertError('unavailable', 'the certificate manager does not run');
  }

  async #call(
    member: Member,
    body: readonly unknown[],
    options: Pick<OutgoingCall, 'timeout'> = {},
  ): Promise<unknown> {
    const { name, methods } = endpointsInterface;
    const signature = signatureOf(methods[member].in);
    const call = { path: endpointsRoot, interface: name, member, signature, body: [...body] };
    return this.#send({ ...call, ...options });
  }

  async #send(call: Omit<OutgoingCall, 'destination'>): Promise<unknown> {
    const { bus } = this.#connection;
    if (!bus) throw new CertError('unavailable', 'the D-Bus cannot be reached');
    const [result] = await bus.call({ destination: endpointsName, ...call });
    return result;
  }
}

function contentRow(content: ReplacementInput['content']): [Buffer, string, string] {
  if (typeof content === 'string') return [Buffer.alloc(0), content, ''];
  return [content.bytes, content.format, content.password];
}

function idOf({ type, name }: EndpointRef): [string, string] {
  return [type, name];
}

function dateOf(seconds: bigint): Date {
  return new Date(Number(seconds) * 1000);
}
