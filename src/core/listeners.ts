import { reasonOf } from './cert-error.ts';
import type { EventLog } from './log.ts';

/** Tells listeners what happened. None of them can make a change that is done look like a failure. */
export class Listeners<E extends { readonly kind: string }> {
  readonly #log: EventLog;
  readonly #listeners: ((event: E) => void)[] = [];

  constructor(log: EventLog) {
    this.#log = log;
  }

  add(listener: (event: E) => void): void {
    this.#listeners.push(listener);
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
    this.#listeners.length = 0;
  }
}
