import { CertError, isStorageError } from '../core/cert-error.ts';
import { Mutex } from '../core/mutex.ts';
import { codeOf, isDiskFull } from '../storage/io-errors.ts';
import { faultOfFile } from '../storage/regular-file.ts';
import type { EndpointDefinition } from './endpoint-definition.ts';
import type { EndpointDependencies } from './endpoint-dependencies.ts';

/**
 * One change of an endpoint. The order of its steps is the manager's promise: a failure, or a power
 * cut, at any of them leaves the old state or the new one, complete.
 */
export interface Change<Plan> {
  /** Checks all of the input and answers what is to be done; touches nothing. */
  validate(): Promise<Plan>;
  /** Writes aside, syncs and switches; when it rejects, the old state is still in place. */
  write(plan: Plan): Promise<void>;
  /** Makes the new state known: memory first, then the listeners. */
  publish(plan: Plan): void;
  /**
   * What else is done before the caller is answered. The next change waits for it, so that nobody hears of that one before the
   * answer to this one. Never rejects.
   */
  finish?(plan: Plan): Promise<void>;
}

/** Who alone may change an endpoint while a change of theirs is being replaced. */
export type Holder = symbol;

/** Runs changes of one endpoint one after another in the order of the calls. */
export class ChangeQueue {
  readonly #definition: EndpointDefinition;
  readonly #services: Pick<EndpointDependencies, 'reload' | 'oweReload'>;
  readonly #turn = new Mutex();
  #holder: Holder | undefined;

  /** @param services told of each change; a service that could not be told makes no done change undone */
  constructor(
    definition: EndpointDefinition,
    services: Pick<EndpointDependencies, 'reload' | 'oweReload'>,
  ) {
    this.#definition = definition;
    this.#services = services;
  }

  /**
   * Validates, writes, publishes, reloads and finishes when its turn comes.
   * @throws CertError `replacement-in-progress` when another holds the endpoint, `storage`, and what `validate` throws
   */
  run<Plan>(change: Change<Plan>, holder?: Holder): Promise<Plan> {
    return this.#turn.run(async () => {
      this.#refuseOthers(holder);
      const plan = await change.validate().catch(asStorageError);
      // Before the switch, in case that the manager ends before it can tell them
      this.#services.oweReload(this.#definition);
      await change.write(plan).catch(asStorageError);
      change.publish(plan);
      await this.#services.reload(this.#definition);
      await change.finish?.(plan);
      return plan;
    });
  }

  /** Does in its turn what is no change, also while others are kept out. */
  during<T>(work: () => Promise<T>): Promise<T> {
    return this.#turn.run(work);
  }

  /** Keeps all others out from the moment at which the input is found good, until `release`. */
  hold<Plan>(holder: Holder, validate: () => Promise<Plan>): Promise<Plan> {
    return this.#turn.run(async () => {
      this.#refuseOthers(holder);
      const plan = await validate().catch(asStorageError);
      this.#holder = holder;
      return plan;
    });
  }

  release(holder: Holder): void {
    if (this.#holder === holder) this.#holder = undefined;
  }

  get isHeld(): boolean {
    return this.#holder !== undefined;
  }

  #refuseOthers(holder: Holder | undefined): void {
    if (this.#holder === undefined || this.#holder === holder) return;
    throw new CertError(
      'replacement-in-progress',
      'a staged replacement is in progress; it must be committed or undone first',
    );
  }
}

/** A change that is found good, and that keeps all others out of its endpoint until it is released. */
export interface StagedChange {
  readonly endpoint: EndpointDefinition;
  /** Writes what is in service into an empty directory, from where `recover` brings it back. */
  save(directory: string): Promise<void>;
  activate(): Promise<void>;
  /** Makes sure that what is in service stands on the disk, whatever others did there meanwhile. */
  confirm(): Promise<void>;
  /** Brings back what was in service before; may be called again when it failed. */
  undo(): Promise<void>;
  release(): void;
}

/** What a change in two phases does to its endpoint, and what undoes it. */
export interface TwoWayChange<Plan> {
  readonly definition: EndpointDefinition;
  validate(): Promise<Plan>;
  /** @param plan what will be in service while it is being replaced */
  save(directory: string, plan: Plan): Promise<void>;
  readonly forward: Omit<Change<Plan>, 'validate'>;
  confirm(plan: Plan): Promise<void>;
  /** Told when others may change the endpoint again. */
  released?(): void;
  /** Asked for when the input is found good, while the old state is in service. */
  backward(): Change<unknown>;
}

/** Validates now, and holds the queue of the endpoint for the replacement until it is released. */
export async function stageChange<Plan>(
  queue: ChangeQueue,
  change: TwoWayChange<Plan>,
): Promise<StagedChange> {
  const holder: Holder = Symbol(change.definition.name);
  const plan = await queue.hold(holder, () => change.validate());
  const backward = change.backward();
  return {
    endpoint: change.definition,
    save: (directory) => change.save(directory, plan),
    activate: async () => {
      await queue.run({ ...change.forward, validate: async () => plan }, holder);
    },
    undo: async () => {
      await queue.run(backward, holder);
    },
    confirm: () => change.confirm(plan),
    release: () => {
      queue.release(holder);
      change.released?.();
    },
  };
}

/** A failure of the file system; anything else that is not ours is a bug and stays what it is. */
export function asStorageError(cause: unknown): never {
  if (cause instanceof CertError || !isStorageError(cause)) throw cause;
  const why = faultOfFile(cause);
  const fault = why === undefined ? codeOf(cause) : `${codeOf(cause)}: ${why}`;
  const message = `it could not be written (${fault}); nothing changed`;
  throw new CertError(isDiskFull(codeOf(cause)) ? 'storage-full' : 'storage', message, { cause });
}
