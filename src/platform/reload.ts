import { backoff } from '../core/backoff.ts';
import type { Log } from '../core/log.ts';
import { askToReload } from './pid-file.ts';
import type { RuntimeNotes } from './runtime-notes.ts';

/** A service to tell that its files changed. */
export type Target = { readonly unit: string } | { readonly pidFile: string };

export interface ReloadLimits {
  /** Milliseconds that one attempt may take. */
  readonly attemptMilliseconds: number;
  readonly attempts: number;
  /** Milliseconds that the reply to a change waits for the first attempt. */
  readonly replyMilliseconds: number;
}

export interface ReloadOptions {
  readonly log: Log;
  readonly limits: () => ReloadLimits;
  /** Milliseconds since 1970, as `Date.now`. */
  readonly now: () => number;
  /** Has the service manager reload a unit, unless it does not run. */
  readonly reloadUnit: (unit: string) => Promise<Success>;
  /** Where it is kept who must be told, should this process end before he is; nowhere without it. */
  readonly owed?: RuntimeNotes;
}

type Success = 'reloaded' | 'not-running';

/** What became of the last attempt at a service; `reloading` when a reply did not wait for its end. */
export type ReloadOutcome = Success | 'never' | 'reloading' | 'retrying' | 'failed';

export interface ReloadResult {
  readonly service: string;
  readonly outcome: ReloadOutcome;
  /** Why the last attempt failed; empty when it did not. */
  readonly reason: string;
  /** Milliseconds since 1970; 0 for never. */
  readonly at: number;
  /** Attempts since the change that it is about. */
  readonly attempts: number;
}

export type ReloadListener = (service: string, outcome: ReloadOutcome) => void;

export interface Reloader {
  /** Settles after the first attempt at each target, and never rejects. */
  reload(targets: readonly Target[]): Promise<void>;
  /** The same for a change, whose reply does not wait for services that take long, such as a job of systemd. */
  follow(targets: readonly Target[]): Promise<void>;
  results(targets: readonly Target[]): ReloadResult[];
  /** Keeps that these will have to be told of a change that is about to be made. */
  owe(targets: readonly Target[]): void;
  /** Tells those whom the last process left untold. Settles after the first attempt at each. */
  settle(targets: readonly Target[]): Promise<void>;
  /** @param listener told of a service when its result changes. @returns how to stop listening */
  subscribe(listener: ReloadListener): () => void;
}

/**
 * Tells services to read their files again. Requests for one target that come while it is being told
 * are joined into one more. What fails is tried again later, apart from the caller.
 */
export function makeReloader(options: ReloadOptions): Reloader {
  const services = new Map<string, Service>();
  const listeners = new Set<ReloadListener>();
  const tell: ReloadListener = (...ended) => {
    for (const listener of listeners) listener(...ended);
  };
  const serviceOf = (target: Target): Service => {
    const name = targetName(target);
    const service = services.get(name) ?? new Service(name, target, options, tell);
    services.set(name, service);
    return service;
  };
  return {
    async reload(targets) {
      await Promise.all(targets.map((target) => serviceOf(target).request()));
    },
    async follow(targets) {
      await within(options.limits().replyMilliseconds, this.reload(targets));
      for (const target of targets) serviceOf(target).showAttempt();
    },
    owe(targets) {
      for (const target of targets) serviceOf(target).owe();
    },
    async settle(targets) {
      await this.reload(targets.filter((target) => options.owed?.has(targetName(target))));
    },
    results: (targets) => targets.map((target) => serviceOf(target).result),
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function targetName(target: Target): string {
  return 'unit' in target ? target.unit : target.pidFile;
}

const outcomeTexts: Record<Success, string> = {
  reloaded: 'service reloaded',
  'not-running': 'service does not run',
};

class Service {
  readonly #name: string;
  readonly #target: Target;
  readonly #options: ReloadOptions;
  readonly #tell: ReloadListener;
  #result: ReloadResult;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;
  #failures = 0;
  /** Changes that it must be told of, those included that it was. */
  #changes = 0;
  #pauses = backoff(1000, 60_000);

  constructor(name: string, target: Target, options: ReloadOptions, tell: ReloadListener) {
    this.#name = name;
    this.#target = target;
    this.#options = options;
    this.#tell = tell;
    this.#result = { service: name, outcome: 'never', reason: '', at: 0, attempts: 0 };
  }

  get result(): ReloadResult {
    return this.#result;
  }

  owe(): void {
    this.#changes += 1;
    this.#options.owed?.add(this.#name);
  }

  /** For whoever asks before it ends: the result of the last change is none of this one. */
  showAttempt(): void {
    if (this.#running) this.#note('reloading', '', this.#failures);
  }

  request(): Promise<void> {
    this.#failures = 0;
    return this.#enqueue();
  }

  /** Never two attempts at once: a request during an attempt shares the next, which begins after it. */
  #enqueue(): Promise<void> {
    if (!this.#running) return this.#begin();
    this.#next ??= this.#running.then(() => {
      this.#next = undefined;
      return this.#begin();
    });
    return this.#next;
  }

  #begin(): Promise<void> {
    clearTimeout(this.#retry);
    this.#running = this.#attempt().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #attempt(): Promise<void> {
    const { log, limits } = this.#options;
    const { attempts } = limits();
    const service = this.#name;
    const changes = this.#changes;
    try {
      const outcome = await this.#bounded();
      // A change that was begun meanwhile may have come too late for this one
      if (changes === this.#changes) this.#options.owed?.remove(service);
      log.info(outcomeTexts[outcome], { service });
      this.#note(outcome, '', this.#failures + 1);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (this.#failures === 0) this.#pauses = backoff(1000, 60_000);
      this.#failures += 1;
      if (this.#failures >= attempts) {
        log.error('service could not be reloaded, giving up', { service, reason, attempts });
        this.#note('failed', reason, this.#failures);
        return;
      }
      const pause = this.#pauses.next().value;
      log.warn('service could not be reloaded, trying again', { service, reason, pause });
      this.#note('retrying', reason, this.#failures);
      this.#retry = setTimeout(() => void this.#enqueue(), pause);
      this.#retry.unref();
    }
  }

  #note(outcome: ReloadOutcome, reason: string, attempts: number): void {
    const at = this.#options.now();
    this.#result = { service: this.#name, outcome, reason, at, attempts };
    this.#tell(this.#name, outcome);
  }

  async #bounded(): Promise<Success> {
    const outcome = await within(this.#options.limits().attemptMilliseconds, this.#reload());
    if (outcome === undefined) throw new Error('no answer');
    return outcome;
  }

  #reload(): Promise<Success> {
    return 'unit' in this.#target
      ? this.#options.reloadUnit(this.#target.unit)
      : askToReload(this.#target.pidFile);
  }
}

/** @returns `undefined` when the work takes longer */
async function within<T>(milliseconds: number, work: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, milliseconds, undefined);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
