import { readFile } from 'node:fs/promises';
import { backoff } from './backoff.ts';
import type { Log } from './log.ts';

/** A service to tell that its files changed. */
export type Target = { readonly unit: string } | { readonly pidFile: string };

export interface ReloadOptions {
  readonly log: Log;
  /** Milliseconds that one attempt may take. */
  readonly attemptMilliseconds: number;
  readonly attempts: number;
  /** Asks the service manager to reload a unit. */
  readonly reloadUnit: (unit: string) => Promise<void>;
}

/**
 * Tells services to read their files again. Requests for one target that come while it is being told
 * are joined into one more. What fails is tried again later, apart from the caller.
 * @returns a function that settles after the first attempt at each target, and never rejects
 */
export function makeReloader(
  options: ReloadOptions,
): (targets: readonly Target[]) => Promise<void> {
  const services = new Map<string, Service>();
  return async (targets) => {
    await Promise.all(
      targets.map((target) => {
        const name = 'unit' in target ? target.unit : target.pidFile;
        const service = services.get(name) ?? new Service(name, target, options);
        services.set(name, service);
        return service.request();
      }),
    );
  };
}

class Service {
  readonly #name: string;
  readonly #target: Target;
  readonly #options: ReloadOptions;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;
  #failures = 0;
  #pauses = backoff(1000, 60_000);

  constructor(name: string, target: Target, options: ReloadOptions) {
    this.#name = name;
    this.#target = target;
    this.#options = options;
  }

  request(): Promise<void> {
    this.#failures = 0;
    return this.#enqueue();
  }

  /** Never two attempts at once: whoever asks during one shares the next, which begins after it. */
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
    const { log, attempts } = this.#options;
    const service = this.#name;
    try {
      const outcome = await this.#bounded();
      log.info(outcome, { service });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (this.#failures === 0) this.#pauses = backoff(1000, 60_000);
      this.#failures += 1;
      if (this.#failures >= attempts) {
        log.error('service could not be reloaded, giving up', { service, reason, attempts });
        return;
      }
      const pause = this.#pauses.next().value;
      log.warn('service could not be reloaded, trying again', { service, reason, pause });
      this.#retry = setTimeout(() => void this.#enqueue(), pause);
      this.#retry.unref();
    }
  }

  async #bounded(): Promise<string> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('no answer')), this.#options.attemptMilliseconds);
    });
    try {
      return await Promise.race([this.#tell(), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #tell(): Promise<string> {
    if ('unit' in this.#target) {
      await this.#options.reloadUnit(this.#target.unit);
      return 'service reloaded';
    }
    return signalPidFile(this.#target.pidFile);
  }
}

/** A service that does not run reads the new files when it starts, so there is nothing to do. */
async function signalPidFile(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return 'service does not run';
  const pid = Number(text.trim());
  // 0, 1 and negative numbers address process groups and init
  if (!Number.isSafeInteger(pid) || pid < 2) throw new Error('the file holds no process id');
  try {
    process.kill(pid, 'SIGHUP');
    return 'service reloaded';
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') {
      return 'service does not run';
    }
    throw error;
  }
}
