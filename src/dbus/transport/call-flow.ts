import type { Duplex } from 'node:stream';

/** How much of the calls to a connection is in memory at a time; what is above that stays in the bus. */
export interface CallLimits {
  /** Calls that are not answered yet. */
  readonly calls: number;
  /** Bytes of the messages of those calls. */
  readonly bytes: number;
}

/** Answers and signals that the bus has not taken yet, in bytes, above which no further call is read. */
const maxUnsentBytes = 262_144;

/**
 * Decides when the next message is read from the bus. A bus takes calls from senders faster than a service
 * answers them, and answers from a service more slowly than it gives them: whatever the service reads too
 * early, and writes too early, is in its memory. A sender need not even wait for the answers.
 *
 * After each call the event loop has a turn, because the answer of that call may be large.
 */
export class CallFlow {
  readonly #stream: Duplex;
  readonly #limits: CallLimits;
  #calls = 0;
  #bytes = 0;
  #isTurnTaken = false;
  #isWaking = false;

  constructor(stream: Duplex, limits: CallLimits) {
    this.#stream = stream;
    this.#limits = limits;
    stream.on('drain', () => this.#wake());
  }

  /** Whether the next message may be read; when it may not, the stream is `readable` again as soon as it may. */
  get isOpen(): boolean {
    const isFull = this.#calls >= this.#limits.calls || this.#bytes >= this.#limits.bytes;
    return !isFull && !this.#isTurnTaken && this.#stream.writableLength < maxUnsentBytes;
  }

  /**
   * A call is being worked on.
   * @param bytes of its message
   * @returns to be called once when the call is answered
   */
  enter(bytes: number): () => void {
    this.#calls += 1;
    this.#bytes += bytes;
    this.#isTurnTaken = true;
    this.#wake();
    return () => {
      this.#calls -= 1;
      this.#bytes -= bytes;
      this.#wake();
    };
  }

  #wake(): void {
    if (this.#isWaking) return;
    this.#isWaking = true;
    setImmediate(() => {
      this.#isWaking = false;
      this.#isTurnTaken = false;
      if (this.isOpen) this.#stream.emit('readable');
    });
  }
}
