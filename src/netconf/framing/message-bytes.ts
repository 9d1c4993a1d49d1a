/** The bytes of a message that comes in pieces of any size, in memory that grows with it. */
export class MessageBytes {
  readonly #maxBytes: number;
  #memory = Buffer.alloc(0);
  #length = 0;

  /** @param maxBytes of a message; more comes with the last piece alone */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get length(): number {
    return this.#length;
  }

  /** What has come so far. */
  get bytes(): Buffer {
    return this.#memory.subarray(0, this.#length);
  }

  append(piece: Uint8Array): void {
    const length = this.#length + piece.length;
    if (length > this.#memory.length) {
      // Doubled, so that a message of single bytes is not copied for each of them
      const doubled = Math.min(Math.max(2 * this.#memory.length, smallest), this.#maxBytes);
      const grown = Buffer.alloc(Math.max(length, doubled));
      grown.set(this.bytes);
      this.#memory = grown;
    }
    this.#memory.set(piece, this.#length);
    this.#length = length;
  }

  /** @returns what has come, with which the next message begins anew */
  take(): Buffer {
    const taken = this.bytes;
    this.#memory = Buffer.alloc(0);
    this.#length = 0;
    return taken;
  }
}

const smallest = 1024;
