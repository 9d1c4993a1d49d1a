import { CertError } from '../core/cert-error.ts';
import type { EdgeEndpoints } from '../manager/edge-endpoints.ts';
import type { Trial } from './certificate-store.ts';

/** What is looked at again after the deadline, when the manager may not have undone it yet. */
const graceMilliseconds = 1000;

/**
 * A change on trial at the manager, which undoes it in time. The manager does not tell of that but by what follows from it, so
 * each event is a reason to look, and so is the deadline, which an operator may have moved.
 */
export class ManagedTrial implements Trial {
  readonly #endpoints: EdgeEndpoints;
  readonly #name: string;
  readonly #stopListening: () => void;
  #listeners: (() => void)[] = [];
  #timer: NodeJS.Timeout | undefined;
  #deadline = 0;
  #isOver = false;
  /** What is committed has ended, too, and is not undone. */
  #isCommitting = false;

  /** @param deadline in milliseconds since 1970 */
  constructor(endpoints: EdgeEndpoints, name: string, deadline: number) {
    this.#endpoints = endpoints;
    this.#name = name;
    this.#stopListening = endpoints.subscribe(({ kind }) => {
      // The manager undoes what was on trial when it ends, and when it starts after it was killed
      if (kind === 'unavailable') this.#tellUndone();
      else void this.#look();
    });
    this.#lookAt(deadline);
  }

  async commit(): Promise<void> {
    if (this.#isOver) throw new CertError('not-found', 'the change was undone already');
    this.#isCommitting = true;
    try {
      await this.#endpoints.commit(this.#name);
      this.#finish();
    } finally {
      this.#isCommitting = false;
    }
  }

  async rollback(): Promise<void> {
    if (this.#isOver) return;
    this.#finish();
    await this.#endpoints.rollback(this.#name).catch((error: unknown) => {
      if (!hasEnded(error)) throw error;
    });
  }

  get deadline(): Date | undefined {
    return this.#isOver ? undefined : new Date(this.#deadline);
  }

  async extend(seconds: number): Promise<void> {
    await this.#endpoints.extend(this.#name, seconds);
    await this.#look();
  }

  onUndone(listener: () => void): void {
    this.#listeners.push(listener);
  }

  async #look(): Promise<void> {
    if (this.#isOver) return;
    try {
      const { deadline } = await this.#endpoints.progress(this.#name);
      this.#lookAt(deadline.getTime());
    } catch (error) {
      if (hasEnded(error)) {
        if (!this.#isCommitting) this.#tellUndone();
      } else {
        this.#waitUntil(Date.now());
      }
    }
  }

  #lookAt(deadline: number): void {
    this.#deadline = deadline;
    this.#waitUntil(deadline);
  }

  #waitUntil(time: number): void {
    clearTimeout(this.#timer);
    if (this.#isOver) return;
    const wait = Math.max(0, time - Date.now()) + graceMilliseconds;
    this.#timer = setTimeout(() => void this.#look(), wait).unref();
  }

  #tellUndone(): void {
    if (this.#isOver) return;
    const listeners = this.#listeners;
    this.#finish();
    for (const listener of listeners) listener();
  }

  #finish(): void {
    this.#isOver = true;
    this.#listeners = [];
    clearTimeout(this.#timer);
    this.#stopListening();
  }
}

function hasEnded(error: unknown): boolean {
  return error instanceof CertError && error.code === 'not-found';
}
