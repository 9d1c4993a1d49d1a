import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import { byteArraysIn } from './byte-arrays.ts';

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
  #signature = '';
  /** In the order in which their marks stand in the message. */
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

  /**
   * @param signature of the message
   * @param send has the library write one message, before it returns. It asks what is to stand for the arrays of bytes in
   *   their order, wherever in the body they are
   */
  during<T>(signature: string, send: (placeholder: (bytes: Buffer) => Buffer) => T): T {
    this.#signature = signature;
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
    if (this.#standIns.length === 0) return message;
    // D-Bus Specification, "Message Format": the lengths of the body and of the array of header fields
    const [bodyLength, fieldsLength] = [4, 12];
    const begin = 16 + Math.ceil(message.readUInt32LE(fieldsLength) / 8) * 8;
    const body = message.subarray(begin);
    const grow = (buffer: Buffer, at: number, bytes: number) =>
      buffer.writeUInt32LE(buffer.readUInt32LE(at) + bytes, at);
    const waiting = [...this.#standIns];
    const parts: Buffer[] = [message.subarray(0, begin)];
    let from = 0;
    for (const { at, length, lengths } of byteArraysIn(this.#signature, body)) {
      const [next] = waiting;
      if (!next?.mark.equals(body.subarray(at, at + length))) continue;
      waiting.shift();
      parts.push(body.subarray(from, at), next.bytes);
      from = at + length;
      const more = next.bytes.length - length;
      for (const one of lengths) grow(body, one, more);
      grow(message, bodyLength, more);
    }
    return Buffer.concat([...parts, body.subarray(from)]);
  }
}
