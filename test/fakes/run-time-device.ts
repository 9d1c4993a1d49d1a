import { join } from 'node:path';
import { validateStoredBindings } from '../../schemas/generated/validators.js';
import { CredentialEndpoint } from '../../src/manager/credential/credential-endpoint.ts';
import type { EndpointDefinition } from '../../src/manager/endpoint-definition.ts';
import { StagedReplacements } from '../../src/manager/replacement/staged-replacements.ts';
import {
  EndpointDirectory,
  type EndpointKey,
} from '../../src/manager/run-time/endpoint-directory.ts';
import { RunTimeEndpoints } from '../../src/manager/run-time/run-time-endpoints.ts';
import {
  ServiceBindings,
  type ServiceDefinition,
} from '../../src/manager/services/service-bindings.ts';
import { AuthorityEndpoint } from '../../src/manager/truststore/authority-endpoint.ts';
import { readState, StateFile } from '../../src/storage/state-file.ts';
import { makeWorld, type World } from './manager-world.ts';

export const server = (name: string): EndpointKey => ({ type: 'server', name });
export const client = (name: string): EndpointKey => ({ type: 'client', name });
export const authority = (name: string): EndpointKey => ({ type: 'authority', name });

/** A manager's endpoints of run time, with the services that are bound to them. */
export class RunTimeDevice {
  readonly world: World = makeWorld();
  readonly services: ServiceDefinition[];
  maxEndpoints = 8;
  endpoints: RunTimeEndpoints;
  bindings: ServiceBindings;
  replacements: StagedReplacements;
  /** `added server/a`, in order, since the last start. */
  events: string[] = [];

  private constructor(services: readonly Omit<ServiceDefinition, 'path'>[]) {
    this.services = services.map((one) => ({ ...one, path: this.serviceFile(one.name) }));
    ({
      endpoints: this.endpoints,
      bindings: this.bindings,
      replacements: this.replacements,
    } = this.#make());
  }

  static async open(
    services: readonly Omit<ServiceDefinition, 'path'>[] = [],
  ): Promise<RunTimeDevice> {
    const device = new RunTimeDevice(services);
    await device.#start();
    return device;
  }

  get directory(): string {
    return join(this.world.directory, 'run-time');
  }

  serviceFile(name: string): string {
    return join(this.world.directory, 'services', name, 'credential.pem');
  }

  /** The file of an endpoint. */
  file(key: EndpointKey): string {
    return new EndpointDirectory(this.directory).pathOf(key);
  }

  /** As a manager does that was killed. */
  die(): void {
    this.endpoints.stop();
    Object.assign(this, this.#make());
  }

  async restart(): Promise<void> {
    this.die();
    await this.#start();
  }

  async close(): Promise<void> {
    await this.replacements.stop();
    this.endpoints.stop();
    this.world.remove();
  }

  names(): string[] {
    return this.endpoints.list().map(({ definition: { type, name } }) => `${type}/${name}`);
  }

  /** The short fingerprints of what an endpoint has. */
  served(key: EndpointKey): string[] {
    const installed = this.endpoints.find(key)?.list() ?? [];
    return installed.map(({ certificate }) => certificate.fingerprint.slice(0, 8));
  }

  async #start(): Promise<void> {
    await this.endpoints.start();
    await this.bindings.settle();
  }

  #make() {
    const { dependencies } = this.world;
    const { log } = dependencies;
    const path = join(this.world.directory, 'bindings.json');
    const stored = readState(path, { what: 'bindings', validator: validateStoredBindings });
    const bindings = new ServiceBindings({
      services: this.services,
      state: new StateFile(path, stored ?? { bindings: [] }),
      read: (endpoint) => endpoints.readFile(endpoint),
      reload: async (targets) => {
        for (const target of targets) this.world.reloads.push(JSON.stringify(target));
      },
      log,
    });
    const limits = { defaultSeconds: 60, maxSeconds: 100 };
    const replacements = new StagedReplacements(log, () => limits);
    const endpoints = new RunTimeEndpoints({
      directory: this.directory,
      makeEndpoint: ({ type, name }, path) => {
        const definition: EndpointDefinition = { type, name, path, reload: [] };
        const copyFile = bindings.copyFile({ type, name });
        if (type === 'authority')
          return new AuthorityEndpoint(definition, { ...dependencies, copyFile });
        return new CredentialEndpoint(definition, {
          ...{ ...dependencies, mayBeEmpty: true, copyFile },
          issuers: () => endpoints.authorities(),
        });
      },
      replacements,
      maxEndpoints: () => this.maxEndpoints,
      log,
    });
    this.events = [];
    const { events } = this;
    endpoints.subscribe(({ kind, endpoint: { definition } }) =>
      events.push(`${kind} ${definition.type}/${definition.name}`),
    );
    return { endpoints, bindings, replacements };
  }
}
