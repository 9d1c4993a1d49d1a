import type { EventDestinationCreate } from '../../../schemas/generated/validators.js';
import { backoff } from '../../core/backoff.ts';
import { RequestDeferred } from '../../outbound/request-deferred.ts';
import type { EventClock } from './event-clock.ts';
import { bufferExceeded, type PublishedEvent } from './event-record.ts';

export type RetryPolicy = EventDestinationCreate['DeliveryRetryPolicy'];

/** What to do when a delivery fails; read again before each retry. */
export interface RetryRules {
  readonly policy: RetryPolicy;
  readonly attempts: number;
  readonly intervalMilliseconds: number;
}

export interface DeliveryOptions {
  readonly clock: EventClock;
  /** 0 to 1. */
  readonly random: () => number;
  /** The limit of events that wait. */
  readonly size: number;
  readonly longestBackoffMilliseconds: number;
  readonly rules: () => RetryRules;
  /**
   * Delivers one event.
   * @throws when the receiver did not take it; RequestDeferred, which counts for no attempt, when it was not asked
   */
  readonly send: (event: PublishedEvent, signal: AbortSignal) => Promise<void>;
  /** The retries are used up; `onFailure` tells of each attempt, with the reason. */
  readonly onGivenUp: (outcome: 'terminate' | 'suspend') => void;
  readonly onFailure: (reason: string) => void;
  /** An event cannot be sent yet; told once of each. */
  readonly onHeldUp: (reason: string) => void;
  readonly onOverflow: () => void;
}

interface WaitingEvent {
  readonly event: PublishedEvent;
  /** Of `EventClock.elapsed`. */
  readonly since: number;
}

/** Why an attempt ends that is to be made again later. */
const paused = Symbol('paused');

/** The events that wait for one receiver: delivered in order, one at a time. */
export class DeliveryQueue {
  readonly #options: DeliveryOptions;
  readonly #waiting: WaitingEvent[] = [];
  /** Number of the last event that was dropped and that the receiver was not told of yet. */
  #dropped: number | undefined;
  #failing = false;
  #running = false;
  #suspended: boolean;
  #stop = new AbortController();

  constructor(suspended: boolean, options: DeliveryOptions) {
    this.#suspended = suspended;
    this.#options = options;
  }

  /** True while the last event that was tried could not be delivered, for whatever reason. */
  get isFailing(): boolean {
    return this.#failing;
  }

  /** Never waits and never throws. */
  add(event: PublishedEvent): void {
    this.#waiting.push({ event, since: this.#options.clock.elapsed() });
    if (this.#waiting.length > this.#options.size) {
      if (this.#dropped === undefined) this.#options.onOverflow();
      this.#dropped = this.#waiting.shift()?.event.id;
    }
    void this.#run();
  }

  /** Stops sending; what waits is kept. */
  suspend(): void {
    this.#suspended = true;
    this.#stop.abort(paused);
  }

  /**
   * Sends again; without effect on a queue that was not suspended.
   * @param milliseconds how long what waits may have waited to be sent yet
   */
  resume(milliseconds: number): void {
    if (!this.#suspended) return;
    const oldest = this.#options.clock.elapsed() - milliseconds;
    const fresh = this.#waiting.filter(({ since }) => since > oldest);
    this.#waiting.splice(0, this.#waiting.length, ...fresh);
    if (fresh.length === 0) this.#dropped = undefined;
    this.#suspended = false;
    this.#failing = false;
    void this.#run();
  }

  /** Forgets what waits and ends what is under way. */
  clear(): void {
    this.#waiting.length = 0;
    this.#dropped = undefined;
    this.#stop.abort();
  }

  async #run(): Promise<void> {
    if (this.#running || this.#suspended) return;
    this.#running = true;
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    try {
      while (!signal.aborted && this.#waiting.length > 0) await this.#deliverNext(signal);
    } finally {
      this.#running = false;
    }
    // Something may have been added, or resumed, while the last round was ending
    if (signal.aborted && this.#waiting.length > 0) void this.#run();
  }

  async #deliverNext(signal: AbortSignal): Promise<void> {
    const lost = this.#dropped;
    const first = lost === undefined ? this.#waiting.shift() : undefined;
    const next =
      lost === undefined ? first?.event : bufferExceeded(lost, this.#options.clock.now());
    this.#dropped = undefined;
    if (!next) return;
    const delivered = await this.#deliver(next, signal);
    // A pause is no loss: the event goes back to its place while there is room
    if (delivered || signal.reason !== paused) return;
    if (first && this.#waiting.length < this.#options.size) {
      this.#waiting.unshift(first);
    } else {
      this.#dropped ??= next.id;
    }
  }

  /** @returns false when it was stopped or given up before the receiver took it */
  async #deliver(event: PublishedEvent, signal: AbortSignal): Promise<boolean> {
    const { clock, rules, longestBackoffMilliseconds, random } = this.#options;
    let pauses: Generator<number, never> | undefined;
    let failures = 0;
    for (let heldUp = false; ; ) {
      const outcome = await this.#attempt(event, signal);
      if (outcome === 'taken') return true;
      if (signal.aborted) return false;
      const { policy, attempts, intervalMilliseconds } = rules();
      let pause = intervalMilliseconds;
      if (outcome instanceof RequestDeferred) {
        if (!heldUp) this.#options.onHeldUp(outcome.message);
        heldUp = true;
      } else {
        failures += 1;
        const isLimited = policy === 'TerminateAfterRetries' || policy === 'SuspendRetries';
        if (isLimited && failures > attempts) {
          this.#giveUp(policy);
          return false;
        }
        pauses ??= backoff(intervalMilliseconds, longestBackoffMilliseconds, random);
        const growing = pauses.next().value;
        if (policy === 'RetryForeverWithBackoff') pause = growing;
      }
      await clock.wait(pause, signal).catch(() => undefined);
      if (signal.aborted) return false;
    }
  }

  #giveUp(policy: 'TerminateAfterRetries' | 'SuspendRetries'): void {
    if (policy === 'SuspendRetries') this.suspend();
    else this.clear();
    this.#options.onGivenUp(policy === 'SuspendRetries' ? 'suspend' : 'terminate');
  }

  async #attempt(
    event: PublishedEvent,
    signal: AbortSignal,
  ): Promise<'taken' | 'refused' | RequestDeferred> {
    try {
      await this.#options.send(event, signal);
      this.#failing = false;
      return 'taken';
    } catch (error) {
      if (signal.aborted) return 'refused';
      this.#failing = true;
      if (error instanceof RequestDeferred) return error;
      this.#options.onFailure(error instanceof Error ? error.message : 'unknown');
      return 'refused';
    }
  }
}
