import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';

/** An array of bytes, and what goes through the library for it. */
interface StandIn {
  readonly mark: Buffer;
  readonly bytes: Buffer;
}

/** Shorter ones cost the library less than what is done here. */
const worthwhile = 256;

/**
 * dbus-next 0.10.2 writes arrays of bytes byte by byte, a second or more for a megabyte, in which the
 * program does nothing else. So a random mark of a few bytes goes through it in place of a long array, which
 * takes its place in the message that the library has written.
 */
export class ByteArrayFastPath {
  #standIns: StandIn[] = [];

  /** @param stream what the library writes its messages to */
  constructor(stream: Readable) {
    const write: unknown = Reflect.get(stream, 'write');
    if (typeof write !== 'function') throw new TypeError('dbus-next has no write any more');
    Reflect.set(stream, 'write', (chunk: unknown, ...rest: readonly unknown[]) =>
      Reflect.apply(write, stream, [
        Buffer.isBuffer(chunk) ? this.#restored(chunk) : chunk,
        ...rest,
      ]),
    );
  }

  /** @param send has the library write one message, before it returns */
  during<T>(send: (placeholder: (bytes: Buffer) => Buffer) => T): T {
    try {
      return send((bytes) => {
        if (bytes.length < worthwhile) return bytes;
        // All that follows is as far from a boundary of 8 bytes as behind the whole array
        const mark = randomBytes(16 + (bytes.length % 8));
        this.#standIns.push({ mark, bytes });
        return mark;
      });
    } finally {
      this.#standIns = [];
    }
  }

  #restored(message: Buffer): Buffer {
    const found = this.#standIns
      .map((one) => ({ ...one, at: message.indexOf(one.mark) }))
      .filter(({ at }) => at > 0)
      .sort((one, other) => one.at - other.at);
    if (found.length === 0) return message;
    const parts: Buffer[] = [];
    let from = 0;
    let more = 0;
    for (const { mark, bytes, at } of found) {
      // The length of an array stands before it
      message.writeUInt32LE(bytes.length, at - 4);
      parts.push(message.subarray(from, at), bytes);
      from = at + mark.length;
      more += bytes.length - mark.length;
    }
    // D-Bus specification, "Message Format": the length of the body is the second word of the header
    message.writeUInt32LE(message.readUInt32LE(4) + more, 4);
    return Buffer.concat([...parts, message.subarray(from)]);
  }
}
