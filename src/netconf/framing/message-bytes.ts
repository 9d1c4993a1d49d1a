/** The bytes of a message that comes in pieces of any size, in memory that grows with it. */
export class MessageBytes {
  #memory = Buffer.alloc(0);
  #length = 0;

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
      const grown = Buffer.alloc(Math.max(length, 2 * this.#memory.length, smallest));
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
