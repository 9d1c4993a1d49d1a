import { type Framing, FramingError } from './framing.ts';
import { MessageBytes } from './message-bytes.ts';

const endOfMessage = Buffer.from(']]>]]>');
const startOfRpc = Buffer.from('<rpc');
const endOfRpc = Buffer.from('</rpc>');

/** Either end has as many bytes: all but one of them may have come with the piece before. */
const overlap = endOfMessage.length - 1;

const nothing = Buffer.alloc(0);

export interface EndOfMessageOptions {
  /** Bytes of a message. */
  readonly maxBytes: number;
  /** Whether `</rpc>` ends a message that begins with `<rpc`, as people type it who know no delimiter. */
  readonly lenient?: boolean;
}

/** Where a message ends, and where the next one begins. */
interface Boundary {
  readonly end: number;
  readonly next: number;
}

/**
 * End-of-message framing (RFC 6242 §4.3). White space ahead of a message is left out: clients end their lines, and an XML
 * declaration may have nothing ahead of it.
 */
export function endOfMessageFraming({ maxBytes, lenient = false }: EndOfMessageOptions): Framing {
  const message = new MessageBytes(maxBytes);

  const boundaryOf = (bytes: Buffer, from: number): Boundary | undefined => {
    const end = bytes.indexOf(endOfMessage, from);
    const isRpc = lenient && bytes.subarray(0, startOfRpc.length).equals(startOfRpc);
    const ofRpc = isRpc ? bytes.indexOf(endOfRpc, from) : -1;
    if (ofRpc >= 0 && (end < 0 || ofRpc < end)) {
      const next = ofRpc + endOfRpc.length;
      return { end: next, next };
    }
    return end < 0 ? undefined : { end, next: end + endOfMessage.length };
  };

  const take: Framing['take'] = (bytes) => {
    const before = message.length;
    const piece = before === 0 ? withoutWhiteSpace(bytes) : bytes;
    // A piece may have many messages, which are not copied one by one
    if (before > 0) message.append(piece);
    const found = boundaryOf(before > 0 ? message.bytes : piece, Math.max(0, before - overlap));
    if ((found?.end ?? before + piece.length - overlap) > maxBytes)
      throw new FramingError(`a message has more than ${maxBytes} bytes`);
    if (!found) {
      if (before === 0) message.append(piece);
      return { rest: nothing };
    }
    const whole = before > 0 ? message.take() : piece;
    return { message: whole.subarray(0, found.end), rest: piece.subarray(found.next - before) };
  };
  if (!lenient) return { take };
  return {
    take(bytes) {
      let taken = take(bytes);
      // The delimiter of somebody who knows it, behind an end that was taken without it
      while (taken.message?.length === 0) taken = take(taken.rest);
      return taken;
    },
  };
}

function withoutWhiteSpace(bytes: Buffer): Buffer {
  const start = bytes.findIndex((byte) => !whiteSpace.has(byte));
  return start < 0 ? nothing : bytes.subarray(start);
}

/** XML 1.0 §2.3. */
const whiteSpace: ReadonlySet<number> = new Set([0x20, 0x09, 0x0d, 0x0a]);
