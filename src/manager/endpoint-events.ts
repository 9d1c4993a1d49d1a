import type { EndpointEvent } from './endpoint.ts';
import type { Log } from './surroundings.ts';

type Listener = (event: EndpointEvent) => void;

/** Tells listeners what happened. None of them can make a change that is done look like a failure. */
export class EndpointEvents {
  readonly #log: Log;
  readonly #listeners: Listener[] = [];

  constructor(log: Log) {
    this.#log = log;
  }

  subscribe(listener: Listener): void {
    this.#listeners.push(listener);
  }

  emit(event: EndpointEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        this.#log.error('event not published', { event: event.kind, reason });
      }
    }
  }

  close(): void {
    this.#listeners.length = 0;
  }
}
