import { isDeepStrictEqual } from 'node:util';
import type { Log } from '../../core/log.ts';
import type { EndpointHost, HostedEndpoint } from '../../dbus/certs/endpoint-host.ts';
import { busName, type EndpointName } from '../../dbus/certs/endpoint-names.ts';
import type { Bus } from '../../dbus/transport/bus.ts';
import { claimFiles, releaseFiles } from '../../dbus/transport/bus-name.ts';
import type { Endpoint } from '../../manager/endpoint.ts';
import type { EndpointSettings } from './endpoint-settings.ts';

interface Running {
  readonly settings: EndpointSettings;
  readonly hosted: HostedEndpoint;
}

export interface ConfiguredEndpointsOptions {
  readonly host: EndpointHost;
  /** The connection that keeps other managers from the files. */
  readonly bus: Bus;
  readonly makeEndpoint: (settings: EndpointSettings) => HostedEndpoint;
  readonly log: Log;
}

/** Keeps the endpoints of a manager those of its configuration. */
export class ConfiguredEndpoints {
  readonly #options: ConfiguredEndpointsOptions;
  #running: readonly Running[] = [];

  constructor(options: ConfiguredEndpointsOptions) {
    this.#options = options;
  }

  /**
   * Keeps other managers from the files of endpoints.
   * @returns what makes them the endpoints that are served: those that change leave before others come, for one may
   *   have the path of another. @throws when another manager has one of them; then nothing changed
   */
  async prepare(wanted: readonly EndpointSettings[]): Promise<() => Promise<void>> {
    const { bus, log } = this.#options;
    const names = wanted.flatMap((one) => one.names);
    const isOurs = new Set(namesOf(this.#running).map(busName));
    const further = names.filter((name) => !isOurs.has(busName(name)));
    await claimFiles(bus, further, log).catch(async (error: unknown) => {
      await releaseFiles(bus, further);
      throw error;
    });
    return () => this.#change(wanted);
  }

  get endpoints(): readonly Endpoint[] {
    return this.#running.map(({ hosted }) => hosted.endpoint);
  }

  async #change(wanted: readonly EndpointSettings[]): Promise<void> {
    const { host, bus, makeEndpoint } = this.#options;
    const before = this.#running;
    const find = (settings: EndpointSettings) =>
      before.find((one) => isDeepStrictEqual(one.settings, settings));
    const staying = new Set(wanted.map(find));
    const leaving = before.filter((one) => !staying.has(one));
    await Promise.all(leaving.map(({ hosted }) => host.remove(hosted)));
    this.#running = wanted.map(
      (settings) => find(settings) ?? { settings, hosted: makeEndpoint(settings) },
    );
    const coming = this.#running.filter((one) => !before.includes(one));
    await host.add(coming.map(({ hosted }) => hosted)).catch(async (error: unknown) => {
      // For the next reload to try again
      this.#running = this.#running.filter((one) => !coming.includes(one));
      await Promise.allSettled(coming.map(({ hosted }) => host.remove(hosted)));
      await releaseFiles(bus, namesOf(coming));
      throw error;
    });
    const wantedNames = new Set(wanted.flatMap((one) => one.names).map(busName));
    const gone = namesOf(leaving).filter((name) => !wantedNames.has(busName(name)));
    await releaseFiles(bus, gone);
    this.#tell('endpoint is not served any more', gone);
    if (before.length > 0) this.#tell('endpoint is served', namesOf(coming));
  }

  #tell(message: string, names: readonly EndpointName[]): void {
    for (const name of names) this.#options.log.info(message, { name: busName(name) });
  }
}

function namesOf(running: readonly Running[]): readonly EndpointName[] {
  return running.flatMap(({ settings }) => settings.names);
}
