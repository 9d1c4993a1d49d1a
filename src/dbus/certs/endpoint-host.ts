import type { EndpointSet } from '../../manager/endpoint-set.ts';
import type { Bus } from '../transport/bus.ts';
import { shareName } from '../transport/bus-name.ts';
import type { EndpointName } from './endpoint-names.ts';
import { rootPath } from './endpoint-names.ts';
import {
  type EndpointService,
  type EndpointServiceOptions,
  serveEndpoint,
} from './endpoint-service.ts';
import type { GuardedEndpoint } from './published-endpoint.ts';

/** An endpoint with the names under which it is on the bus, and what calls to it may cost. */
export interface HostedEndpoint
  extends GuardedEndpoint,
    Pick<EndpointServiceOptions, 'calls' | 'signing' | 'uploads' | 'expiryThresholds'> {
  readonly names: readonly EndpointName[];
}

export interface EndpointHostOptions
  extends Omit<EndpointServiceOptions, keyof HostedEndpoint | 'name' | 'findEndpoint'> {
  readonly endpoints: EndpointSet;
  /** A connection without objects. */
  readonly bus: Bus;
}

/** The endpoints of a manager on the bus, which may come and go while it runs. */
export class EndpointHost {
  readonly #options: EndpointHostOptions;
  readonly #services = new Map<HostedEndpoint, readonly EndpointService[]>();
  readonly #byRoot = new Map<string, HostedEndpoint>();

  constructor(options: EndpointHostOptions) {
    this.#options = options;
  }

  /**
   * Starts endpoints and serves them. No other program may be at their files (`claimFiles`).
   * @throws when the bus is lost, or another process has one of the names
   */
  async add(hosted: readonly HostedEndpoint[]): Promise<void> {
    const { endpoints, bus, log } = this.#options;
    const services = (await Promise.all(hosted.map((one) => this.#serve(one)))).flat();
    for (const { endpoint } of hosted) endpoints.add(endpoint);
    await endpoints.start();
    // Before the endpoints, so that it belongs to a connection without objects: a client that looks for objects finds each
    // under one name. Under systemd it says that the manager is ready, and stays while endpoints come and go
    await shareName(bus, log);
    await Promise.all(services.map((service) => service.takeName()));
  }

  /** Takes an endpoint from the bus when what is under way at it has ended. Its files stay. */
  async remove(hosted: HostedEndpoint): Promise<void> {
    const { replacements, endpoints } = this.#options;
    const services = this.#services.get(hosted) ?? [];
    // While the endpoint is still served: a key may take minutes on a small device
    await hosted.endpoint.requests.settled();
    await Promise.all(services.map((service) => service.leave()));
    // Before the look at replacements: a caller that stages this endpoint as a part looks here afterwards
    for (const name of hosted.names) this.#byRoot.delete(rootPath(name));
    await replacements.endpointLeaves(hosted.endpoint.definition);
    await endpoints.remove(hosted.endpoint);
    for (const service of services) service.close();
    this.#services.delete(hosted);
  }

  /** Takes all endpoints from the bus when the manager ends, whatever is under way at them. */
  async close(): Promise<void> {
    const services = [...this.#services.values()].flat();
    // Else the bus makes one after the other the owner of the shared name while it drops their connections, and systemd
    // takes each for the next manager that it has begun to start, which it ends when the last one is gone
    await Promise.allSettled(services.map((service) => service.leaveQueue()));
    for (const service of services) service.close();
  }

  async #serve(hosted: HostedEndpoint): Promise<readonly EndpointService[]> {
    const { names, ...rest } = hosted;
    const findEndpoint = (root: string) => this.#byRoot.get(root);
    for (const name of names) this.#byRoot.set(rootPath(name), hosted);
    const services = await Promise.all(
      names.map((name) => serveEndpoint({ ...this.#options, ...rest, name, findEndpoint })),
    );
    this.#services.set(hosted, services);
    return services;
  }
}
