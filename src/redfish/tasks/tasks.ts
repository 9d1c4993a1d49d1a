import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { RedfishError, unavailable } from '../messages/redfish-error.ts';
import type { Reply } from '../resource.ts';
import type { Preference } from './preference.ts';

/** What a task says of its request, without secrets. */
export interface TaskDescription {
  readonly name: string;
  /** Who asked. */
  readonly userName: string;
  /** Where the request went. */
  readonly targetUri: string;
}

/** A request that goes on after its first answer (DSP0266, "Asynchronous operations"). */
export interface Task extends TaskDescription {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly started: number;
  readonly ended?: number;
  /** What the request answers in the end. */
  readonly outcome?: Reply | RedfishError;
}

export interface TaskLimits {
  /** Milliseconds that a client waits for an answer before it gets a task. */
  readonly patience: number;
  /** The most tasks; the oldest that has ended makes room. */
  readonly tasks: number;
}

export interface TasksOptions {
  readonly limits: TaskLimits;
  /** Milliseconds since 1970, as `Date.now`. */
  readonly now: () => number;
  /** Told of a fault that is not the client's. */
  readonly report: (error: unknown) => void;
}

/** The long requests of the service, in memory: their results outlive them elsewhere. */
export class Tasks {
  readonly #options: TasksOptions;
  readonly #tasks = new Map<string, Task>();
  /** Requests that have no answer yet, tasks or not. */
  #running = 0;

  constructor(options: TasksOptions) {
    this.#options = options;
  }

  /**
   * Does the work of a request. What takes longer than the client wants to wait becomes a task.
   * @returns the answer of the work, or the task
   * @throws RedfishError 503 when there are too many tasks already, and what the work throws in time
   */
  async run(
    description: TaskDescription,
    preference: Preference,
    work: () => Promise<Reply>,
  ): Promise<Reply | Task> {
    const { limits } = this.#options;
    if (this.#running >= limits.tasks) {
      throw unavailable(10, { detail: 'too many tasks are running' });
    }
    const started = this.#options.now();
    this.#running += 1;
    const outcome = work().finally(() => {
      this.#running -= 1;
    });
    const patience = Math.min(limits.patience, preference.wait ?? limits.patience);
    const inTime = await within(patience, outcome);
    return (
      inTime ??
      this.#adopt({ ...description, id: randomBytes(8).toString('hex'), started }, outcome)
    );
  }

  /** Tells the log of a fault that no client is to blame for. */
  report(error: unknown): void {
    this.#options.report(error);
  }

  list(): readonly Task[] {
    return [...this.#tasks.values()];
  }

  get(id: string): Task | undefined {
    return this.#tasks.get(id);
  }

  /** The tasks of a user stay those of the user under the new name. */
  rename(from: string, to: string): void {
    for (const task of this.list()) {
      if (task.userName === from) this.#tasks.set(task.id, { ...task, userName: to });
    }
  }

  /** Forgets a task that has ended. @returns false while it runs */
  remove(id: string): boolean {
    if (this.#tasks.get(id)?.outcome === undefined) return false;
    return this.#tasks.delete(id);
  }

  #adopt(task: Task, outcome: Promise<Reply>): Task {
    this.#makeRoom();
    this.#tasks.set(task.id, task);
    outcome
      .catch((error: unknown) => this.#asRefusal(error))
      .then((result) => {
        const ended = this.#options.now();
        const { userName } = this.#tasks.get(task.id) ?? task;
        this.#tasks.set(task.id, { ...task, userName, ended, outcome: result });
      });
    return task;
  }

  #asRefusal(error: unknown): RedfishError {
    if (error instanceof RedfishError) return error;
    this.#options.report(error);
    return new RedfishError(500, { id: 'InternalError', args: [] });
  }

  #makeRoom(): void {
    if (this.#tasks.size < this.#options.limits.tasks) return;
    const oldest = this.list().find(({ outcome }) => outcome !== undefined);
    if (oldest) this.remove(oldest.id);
  }
}

/** The result of a promise, or `undefined` after so many milliseconds. */
async function within<T>(milliseconds: number, promise: Promise<T>): Promise<T | undefined> {
  const waiting = new AbortController();
  const { signal } = waiting;
  try {
    return await Promise.race([promise, sleep(milliseconds, undefined, { signal })]);
  } finally {
    waiting.abort();
  }
}

export function isTask(result: Reply | Task): result is Task {
  return 'started' in result;
}
