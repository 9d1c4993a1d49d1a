import type { StoredBindings } from '../../../schemas/generated/validators.js';
import { CertError, reasonOf } from '../../core/cert-error.ts';
import { Listeners } from '../../core/listeners.ts';
import type { EventLog } from '../../core/log.ts';
import { Mutex } from '../../core/mutex.ts';
import type { StateFile } from '../../storage/state-file.ts';
import { asStorageError } from '../change.ts';
import type { CopyFile } from '../credential/copied-file.ts';
import type { EndpointType, ReloadTarget } from '../endpoint-definition.ts';
import { noAuthority } from './no-authority.ts';
import { keepServiceFileMode, readServiceFile, writeServiceFile } from './service-file.ts';

/** A service that reads its key with the certificate and the chain, or CAs, from a file of its own. */
export interface ServiceDefinition {
  readonly name: string;
  readonly path: string;
  /** Id of the group that may read the file. */
  readonly group?: number;
  readonly reload: readonly ReloadTarget[];
  /** What it reads until it is bound at run time. Where that is an authority, the service reads CAs, and none else does. */
  readonly endpoint?: BoundEndpoint;
}

/** An endpoint that came at run time; it need not be there. */
export interface BoundEndpoint {
  readonly type: EndpointType;
  readonly name: string;
}

export interface Binding {
  readonly service: string;
  readonly endpoint: BoundEndpoint;
  readonly origin: 'configuration' | 'run time';
}

export interface ServiceBindingsOptions {
  readonly services: readonly ServiceDefinition[];
  readonly state: StateFile<StoredBindings>;
  /** The text of the file of an endpoint, or of all its CAs; `undefined` where there is none. @throws when the disk does not tell */
  readonly read: (endpoint: BoundEndpoint) => Promise<string | undefined>;
  readonly reload: (targets: readonly ReloadTarget[]) => Promise<void>;
  readonly log: EventLog;
}

/**
 * Which services read the files of which endpoints, and their files. A service's file changes with that of its endpoint:
 * before it, so that a change which cannot be written everywhere is none; what a power cut leaves half done is put
 * right after the next start.
 */
export class ServiceBindings {
  readonly #options: ServiceBindingsOptions;
  /** All that is written into files of services, and which of them is bound, changes in turn. */
  readonly #turn = new Mutex();
  readonly #listeners: Listeners<{ readonly kind: 'bindings' }>;

  constructor(options: ServiceBindingsOptions) {
    this.#options = options;
    this.#listeners = new Listeners(options.log);
  }

  /** @param listener told when a service is bound to another endpoint. @returns how to unsubscribe */
  subscribe(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  /** Names of all services that can be bound, in order. */
  services(): readonly string[] {
    return this.#options.services.map(({ name }) => name).sort();
  }

  /** Ordered by service. */
  list(): readonly Binding[] {
    const services = [...this.#options.services].sort((a, b) => (a.name < b.name ? -1 : 1));
    return services.flatMap((one) => this.#bindingOf(one) ?? []);
  }

  /** The services that are bound to an endpoint. */
  of(endpoint: BoundEndpoint): readonly ServiceDefinition[] {
    const isBound = (one: ServiceDefinition) => {
      const bound = this.#bindingOf(one)?.endpoint;
      return bound?.type === endpoint.type && bound.name === endpoint.name;
    };
    return this.#options.services.filter(isBound);
  }

  /** What has the files of the services of an endpoint follow its file. */
  copyFile(endpoint: BoundEndpoint): CopyFile {
    return (next, before, commit) =>
      this.#turn.run(async () => {
        const services = this.of(endpoint);
        const old = services.length > 0 ? await before() : undefined;
        await this.#write(services, shown(endpoint, next), shown(endpoint, old), commit);
      });
  }

  /**
   * @throws CertError `not-found` for a service that the configuration does not declare, `wrong-endpoint-type` for CAs where it
   *   reads a key or the reverse, `storage`
   */
  async bind(service: string, endpoint: BoundEndpoint): Promise<void> {
    await this.#change(service, [{ service, ...endpoint }]);
  }

  /** Back to what the configuration says. @throws CertError as `bind` */
  async unbind(service: string): Promise<void> {
    await this.#change(service, []);
  }

  /**
   * Gives every service the file that its endpoint has, and tells those whose file was another. Never rejects: what cannot
   * be written now is tried again at the next look.
   */
  async settle(): Promise<void> {
    const { services, reload } = this.#options;
    const changed = await this.#turn.run(async () => {
      const differing: ServiceDefinition[] = [];
      for (const service of services) if (await this.#settle(service)) differing.push(service);
      return differing;
    });
    await reload(changed.flatMap((one) => one.reload));
  }

  async #settle(service: ServiceDefinition): Promise<boolean> {
    try {
      const wanted = await this.#wanted(service);
      const isSame = (await readServiceFile(service)) === wanted;
      if (isSame) await keepServiceFileMode(service);
      else await writeServiceFile(service, wanted);
      return !isSame;
    } catch (error) {
      const { name, path } = service;
      const reason = reasonOf(error);
      this.#options.log.error('file of a service not written', { service: name, path, reason });
      return false;
    }
  }

  async #change(name: string, next: StoredBindings['bindings']): Promise<void> {
    const { services, state, reload } = this.#options;
    const service = services.find((one) => one.name === name);
    if (!service) throw noSuchService(name, services);
    for (const { type } of next) refuseOther(service, type);
    const work = async () => {
      const old = await readServiceFile(service);
      const [bound = service.endpoint] = next;
      const text = bound && shown(bound, await this.#options.read(bound));
      await this.#write([service], text, old, async () => {
        await state.change(({ bindings }) => ({
          bindings: [...bindings.filter((one) => one.service !== name), ...next],
        }));
      });
    };
    await this.#turn.run(work).catch(asStorageError);
    this.#listeners.tell({ kind: 'bindings' });
    await reload(service.reload);
  }

  /** @param commit when it rejects, the files get their old text back */
  async #write(
    services: readonly ServiceDefinition[],
    next: string | undefined,
    old: string | undefined,
    commit: () => Promise<void>,
  ): Promise<void> {
    const touched: ServiceDefinition[] = [];
    try {
      for (const service of services) {
        touched.push(service);
        await writeServiceFile(service, next);
      }
      await commit();
    } catch (error) {
      // What cannot be brought back now is put right at the next look
      await Promise.allSettled(touched.map((service) => writeServiceFile(service, old)));
      throw error;
    }
  }

  #bindingOf(service: ServiceDefinition): Binding | undefined {
    const { name, endpoint } = service;
    const stored = this.#options.state.value.bindings.find((one) => one.service === name);
    if (stored) {
      const { type, name: id } = stored;
      return { service: name, endpoint: { type, name: id }, origin: 'run time' };
    }
    return endpoint && { service: name, endpoint, origin: 'configuration' };
  }

  async #wanted(service: ServiceDefinition): Promise<string | undefined> {
    const bound = this.#bindingOf(service)?.endpoint;
    return bound && shown(bound, await this.#options.read(bound));
  }
}

/** What the file of a service is where its endpoint has this text: CAs never go without others in their place. */
function shown({ type }: BoundEndpoint, text: string | undefined): string | undefined {
  return type === 'authority' ? (text ?? noAuthority) : text;
}

/** Services that read CAs never read nothing: what is bound to them is undone to the authority of the configuration. */
function refuseOther({ name, endpoint }: ServiceDefinition, type: EndpointType): void {
  const readsAuthorities = endpoint?.type === 'authority';
  if (readsAuthorities === (type === 'authority')) return;
  const fault = readsAuthorities
    ? `the service ${name} reads CAs: it can be bound to an authority alone`
    : `the service ${name} reads a key: it can be bound to an authority only where its endpoint in the configuration is one`;
  throw new CertError('wrong-endpoint-type', fault);
}

function noSuchService(name: string, services: readonly { readonly name: string }[]): CertError {
  const names = services.map((one) => one.name).join(', ');
  const known = names === '' ? 'the configuration has none' : `the services are ${names}`;
  return new CertError('not-found', `there is no service ${name}; ${known}`);
}
