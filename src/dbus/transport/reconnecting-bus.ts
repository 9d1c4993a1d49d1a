import { backoff } from '../../core/backoff.ts';
import { reasonOf } from '../../core/cert-error.ts';
import type { Log } from '../../core/log.ts';
import { type Bus, connectBus } from './bus.ts';
import type { MessageBounds } from './oversized-messages.ts';

export interface LastingConnectionOptions {
  readonly busAddress: string;
  /** Small messages alone unless given. */
  readonly bounds?: MessageBounds;
  readonly log: Log;
  /** Sets up each new connection; when it rejects, the connection is given up for another. */
  begin(bus: Bus): Promise<void>;
  /** What was known by the last connection holds no more. Not told of `close`. */
  ended(): void;
  /** Told of each attempt that did not succeed. */
  failed?(error: unknown): void;
}

/** A connection to the bus that comes back by itself until it is closed. */
export class ReconnectingBus {
  readonly #options: LastingConnectionOptions;
  #bus: Bus | undefined;
  #closed = false;
  #retry: NodeJS.Timeout | undefined;

  constructor(options: LastingConnectionOptions) {
    this.#options = options;
  }

  /** Begins to connect; resolves after the first attempt, whether or not it reached the bus. */
  async start(): Promise<void> {
    await this.#connect(pausesBetween());
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#bus?.close();
    this.#bus = undefined;
  }

  /** The connection that there is now. */
  get bus(): Bus | undefined {
    return this.#bus;
  }

  async #connect(pauses: Generator<number, never>): Promise<void> {
    if (this.#closed) return;
    let bus: Bus | undefined;
    try {
      const { busAddress, bounds } = this.#options;
      const connected = await connectBus(busAddress, bounds);
      bus = connected;
      if (this.#closed) return connected.close();
      connected.onLost(() => this.#lost(connected));
      this.#bus = connected;
      await this.#options.begin(connected);
    } catch (error) {
      // When the bus was lost in between, that has begun the next attempt already
      if (this.#closed || (bus && this.#bus !== bus)) return;
      this.#options.failed?.(error);
      const pause = pauses.next().value;
      this.#options.log.warn('D-Bus not reached, trying again', {
        reason: reasonOf(error),
        pause,
      });
      bus?.close();
      this.#bus = undefined;
      this.#options.ended();
      this.#retry = setTimeout(() => void this.#connect(pauses), pause);
    }
  }

  #lost(bus: Bus): void {
    if (this.#bus !== bus) return;
    this.#options.log.error('connection to the D-Bus lost');
    this.#bus = undefined;
    this.#options.ended();
    void this.#connect(pausesBetween());
  }
}

function pausesBetween(): Generator<number, never> {
  return backoff(250, 10_000);
}
