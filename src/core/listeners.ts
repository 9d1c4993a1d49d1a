import { reasonOf } from './cert-error.ts';
import type { EventLog } from './log.ts';

/** Tells listeners what happened. None of them can make a change that is done look like a failure. */
export class Listeners<E extends { readonly kind: string }> {
  readonly #log: EventLog;
  readonly #listeners = new Set<(event: E) => void>();

  constructor(log: EventLog) {
    this.#log = log;
  }

  /** @returns how to stop listening */
  add(listener: (event: E) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tell(event: E): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#log.error('event not published', { event: event.kind, reason: reasonOf(error) });
      }
    }
  }

  clear(): void {
    this.#listeners.clear();
  }
}
