import { isDeepStrictEqual } from 'node:util';
import { validateStoredBindings } from '../../../schemas/generated/validators.js';
import type { Audit } from '../../core/audit.ts';
import { reasonOf } from '../../core/cert-error.ts';
import type { Log } from '../../core/log.ts';
import type { UploadParts } from '../../dbus/certs/content.ts';
import type { OperationCounter } from '../../dbus/certs/published-endpoint.ts';
import { type EndpointsService, serveEndpoints } from '../../dbus/endpoints/endpoints-service.ts';
import { endpointsName } from '../../dbus/endpoints/paths.ts';
import type { Bus } from '../../dbus/transport/bus.ts';
import type { Callers } from '../../dbus/transport/bus-driver.ts';
import { releaseName, requestName } from '../../dbus/transport/bus-name.ts';
import type { Endpoint } from '../../manager/endpoint.ts';
import type { EndpointDefinition } from '../../manager/endpoint-definition.ts';
import type { StagedReplacements } from '../../manager/replacement/staged-replacements.ts';
import type { EndpointKey } from '../../manager/run-time/endpoint-directory.ts';
import { RunTimeEndpoints } from '../../manager/run-time/run-time-endpoints.ts';
import { ServiceBindings } from '../../manager/services/service-bindings.ts';
import { Signer } from '../../manager/signing/signer.ts';
import type { Reloader } from '../../platform/reload.ts';
import { readState, StateFile } from '../../storage/state-file.ts';
import type { Certificate } from '../../x509/certificate.ts';
import type { MakeEndpoint } from './make-endpoint.ts';
import type { RunTimeSettings } from './run-time-settings.ts';

export interface RunTimeHostOptions extends Pick<UploadParts, 'openContent'> {
  /** The connection that keeps other managers from the files. */
  readonly bus: Bus;
  readonly busAddress: string;
  readonly callers: Callers;
  readonly replacements: StagedReplacements;
  readonly reloader: Reloader;
  readonly makeEndpoint: MakeEndpoint;
  readonly log: Log;
  readonly audit: Audit;
  readonly counter: OperationCounter;
  readonly onLost: () => void;
}

interface Running {
  readonly endpoints: RunTimeEndpoints;
  readonly bindings: ServiceBindings;
  readonly service: EndpointsService;
}

/** As long as a manager is at the files, it owns this name. */
const filesName = `${endpointsName}.Files`;

/** Keeps the endpoints of run time on the bus as the configuration says. */
export class RunTimeHost {
  readonly #options: RunTimeHostOptions;
  #settings: RunTimeSettings | undefined;
  #running: Running | undefined;

  constructor(options: RunTimeHostOptions) {
    this.#options = options;
  }

  /** Never rejects: a device without them is better than none. */
  async apply(settings: RunTimeSettings | undefined): Promise<void> {
    if (isDeepStrictEqual(settings, this.#settings)) return;
    await this.#leave();
    this.#settings = settings;
    await this.#begin();
  }

  /** Looks after what time changes, and begins where that was not possible before. Never rejects. */
  async maintain(): Promise<void> {
    if (!this.#running) return this.#begin();
    const { endpoints, bindings } = this.#running;
    await endpoints.maintain();
    await bindings.settle();
  }

  /** Those that are there. */
  get endpoints(): readonly Endpoint[] {
    return this.#running?.endpoints.list() ?? [];
  }

  stop(): void {
    this.#running?.endpoints.stop();
    this.#running?.service.close();
  }

  async #begin(): Promise<void> {
    const { bus, log } = this.#options;
    if (!this.#settings || this.#running) return;
    try {
      await requestName(bus, filesName);
      this.#running = await this.#start(this.#settings);
    } catch (error) {
      log.error('endpoints of run time are not served', { reason: reasonOf(error) });
      await releaseName(bus, filesName).catch(() => undefined);
    }
  }

  async #start(settings: RunTimeSettings): Promise<Running> {
    const { replacements, reloader, log } = this.#options;
    const bindings = new ServiceBindings({
      services: settings.services,
      state: new StateFile(settings.bindings, readBindings(settings.bindings)),
      read: (endpoint) => endpoints.readFile(endpoint),
      reload: (targets) => reloader.follow(targets),
      log,
    });
    const endpoints = new RunTimeEndpoints({
      directory: settings.directory,
      makeEndpoint: (key, path) =>
        this.#make(settings, bindings, () => endpoints.authorities(), key, path),
      replacements,
      maxEndpoints: () => settings.maxEndpoints,
      log,
    });
    try {
      await endpoints.start();
      await bindings.settle();
      const service = await serveEndpoints({
        ...this.#options,
        ...{ endpoints, bindings, rules: settings.access },
        signer: new Signer(settings.signing, () => performance.now()),
        uploads: limitsOf(settings.rules),
        calls: settings.calls,
        expiryThresholds: settings.rules.server.expiryThresholds,
        now: Date.now,
      });
      return { endpoints, bindings, service };
    } catch (error) {
      endpoints.stop();
      throw error;
    }
  }

  #make(
    { rules, worker }: RunTimeSettings,
    bindings: ServiceBindings,
    issuers: () => readonly Certificate[],
    { type, name }: EndpointKey,
    path: string,
  ) {
    const definition: EndpointDefinition = {
      ...{ type, name, path, isOfRunTime: true as const },
      // Services may be bound to it, and to another, at any time
      get reload() {
        return bindings.of({ type, name }).flatMap((one) => one.reload);
      },
    };
    const copyFile = bindings.copyFile({ type, name });
    const further = { mayBeEmpty: true, issuers, copyFile } as const;
    return this.#options.makeEndpoint({ definition, rules: rules[type], worker, further });
  }

  async #leave(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    if (!running) return;
    await running.service.leave();
    await running.endpoints.drain();
    running.endpoints.stop();
    running.service.close();
    await releaseName(this.#options.bus, filesName);
  }
}

function limitsOf({ server, client, authority }: RunTimeSettings['rules']) {
  return { server: server.limits, client: client.limits, authority: authority.limits };
}

/** @throws SetupError: what is bound must not be taken for unbound */
function readBindings(path: string) {
  const form = { what: 'the bindings of services', validator: validateStoredBindings };
  return readState(path, form) ?? { bindings: [] };
}
