import { type Framing, FramingError } from './framing.ts';
import { MessageBytes } from './message-bytes.ts';

const newline = 0x0a;
const nothing = Buffer.alloc(0);

/** LF, `#`, ten digits, LF. */
const longestHeader = 13;

/** RFC 6242 §4.2: `chunk-size`, which is at most 4294967295, and the end of chunks. */
const header = /^\n#(?:([1-9][0-9]{0,9})|#)\n$/;
const largestChunk = 4_294_967_295;

/** What the bytes of a header may be before all of them have come. */
const beginning = /^\n?$|^\n#(?:[1-9][0-9]{0,9}|#)?$/;

/** Chunked framing (RFC 6242 §4.2). */
export function chunkedFraming({ maxBytes }: { readonly maxBytes: number }): Framing {
  const message = new MessageBytes(maxBytes);
  /** Of the chunk that is being read. */
  let missing = 0;
  let pending = '';

  /** @returns whether it ended the message */
  const takeHeader = (): boolean => {
    const [, size] = header.exec(pending) ?? [];
    pending = '';
    if (size === undefined) {
      if (message.length === 0) throw new FramingError('a message ends that has no chunk');
      return true;
    }
    missing = Number(size);
    if (missing > largestChunk) throw new FramingError('a chunk is larger than 4294967295 bytes');
    if (message.length + missing > maxBytes)
      throw new FramingError(`a message has more than ${maxBytes} bytes`);
    return false;
  };

  return {
    take(bytes) {
      let rest = bytes;
      while (rest.length > 0) {
        if (missing > 0) {
          const piece = rest.subarray(0, missing);
          message.append(piece);
          missing -= piece.length;
          rest = rest.subarray(piece.length);
          continue;
        }
        const [byte = 0] = rest;
        rest = rest.subarray(1);
        pending += String.fromCharCode(byte);
        const isWhole = pending.length > 1 && byte === newline && header.test(pending);
        if (isWhole && takeHeader()) return { message: message.take(), rest };
        if (pending.length >= longestHeader || !beginning.test(pending))
          throw new FramingError('the header of a chunk is malformed');
      }
      return { rest: nothing };
    },
  };
}
