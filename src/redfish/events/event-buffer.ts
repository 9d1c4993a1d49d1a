import { bufferExceeded, type EventDraft, type PublishedEvent } from './event-record.ts';

/** How many events one start of the service can surely number. */
const eventsPerEpoch = 1_000_000_000;

/**
 * The number that those of a new start are greater than: the microseconds since 1970, so that they do not
 * go back where nothing could be written; and past the last start, in case that the clock has gone back.
 * Should neither leave room in what JSON counts exactly, they begin anew.
 * @param last the one of the last start, 0 for none
 * @param now milliseconds since 1970
 */
export function nextEpoch(last: number, now: number): number {
  const candidates = [Math.floor(now) * 1000, last + eventsPerEpoch];
  const fit = candidates.filter((one) => one <= Number.MAX_SAFE_INTEGER - eventsPerEpoch);
  return Math.max(0, ...fit);
}

/** Numbers events and keeps the last of them; nothing need be written for each event. */
export class EventBuffer {
  readonly #size: number;
  readonly #now: () => number;
  readonly #events: PublishedEvent[] = [];
  /** The number before the oldest event that is kept. */
  #lost: number;
  #last: number;

  /**
   * @param epoch of `nextEpoch`
   * @param now milliseconds since 1970
   */
  constructor(epoch: number, size: number, now: () => number) {
    this.#size = size;
    this.#now = now;
    this.#last = epoch;
    this.#lost = this.#last;
  }

  add(draft: EventDraft): PublishedEvent {
    this.#last += 1;
    const event = { ...draft, id: this.#last };
    this.#events.push(event);
    const oldest = this.#events.length > this.#size ? this.#events.shift() : undefined;
    if (oldest) this.#lost = oldest.id;
    return event;
  }

  /**
   * What came after an event. When it is not known whether something is missing in between, the first
   * event says so (Base registry, EventBufferExceeded) and everything that is kept follows.
   * @param id the value of Last-Event-ID as the client sent it
   */
  after(id: string): readonly PublishedEvent[] {
    const number = /^\d{1,16}$/.test(id) ? Number(id) : Number.NaN;
    if (number >= this.#lost && number <= this.#last) {
      return this.#events.filter((event) => event.id > number);
    }
    return [bufferExceeded(this.#lost, this.#now()), ...this.#events];
  }
}
