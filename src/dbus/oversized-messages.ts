import type { Readable } from 'node:stream';

/** The largest bodies that are decoded, in bytes. Replies have no bound: we asked for them. */
export interface MessageBounds {
  readonly callBytes: number;
  readonly signalBytes: number;
}

/** D-Bus Specification, "Message Protocol": what the fixed part of a header says. */
interface Header {
  readonly type: number;
  /** With their padding to a boundary of eight. */
  readonly fieldBytes: number;
  readonly bodyBytes: number;
}

const methodCall = 1;
const signal = 4;

/** Path, names, and a signature of at most 255 bytes. */
const mostFieldBytes = 65_536;

/**
 * The library decodes a message whole before anybody sees from whom it is, and a byte of it may become
 * twenty in memory. Of a message that is too large it gets the header alone, without its signature and
 * with a flag that D-Bus does not know: the body is thrown away as it comes.
 * @param stream the socket of the library, which asks for 16 bytes and for the rest of a message in turns
 */
export function dropOversized(stream: Readable, bounds: MessageBounds): void {
  const read = stream.read.bind(stream);
  const most: Readonly<Record<number, number>> = {
    [methodCall]: bounds.callBytes,
    [signal]: bounds.signalBytes,
  };
  let atHeader = true;
  /** Bytes to throw away before the next header, and those behind the fields that come next. */
  let dropped = 0;
  let behind = 0;

  const dropNext = (): boolean => {
    while (dropped > 0) {
      const chunk: unknown = read(Math.min(dropped, stream.readableLength));
      if (!Buffer.isBuffer(chunk)) return false;
      dropped -= chunk.length;
    }
    return true;
  };
  const readHeader = (size: number | undefined): unknown => {
    while (dropNext()) {
      const bytes: unknown = read(size);
      if (!Buffer.isBuffer(bytes)) return null;
      const { type, fieldBytes, bodyBytes } = parseHeader(bytes);
      if (fieldBytes > mostFieldBytes) {
        dropped = fieldBytes + bodyBytes;
        continue;
      }
      if (bodyBytes > (most[type] ?? bodyBytes)) {
        behind = bodyBytes;
        bytes.writeUInt8(bytes.readUInt8(2) | oversizedFlag, 2);
        bytes.writeUInt32LE(0, 4);
      }
      atHeader = false;
      return bytes;
    }
    return null;
  };
  stream.read = (size?: number) => {
    if (atHeader) return readHeader(size);
    const rest: unknown = read(size);
    if (Buffer.isBuffer(rest)) {
      if (behind > 0) forgetSignature(rest);
      atHeader = true;
      dropped = behind;
      behind = 0;
    }
    return rest;
  };
}

/** Whether a decoded message is what was left of one that was too large. */
export function isOversized(flags: number): boolean {
  return (flags & oversizedFlag) !== 0;
}

const oversizedFlag = 0x80;

/** A field begins at a boundary of eight, and names and paths have no such bytes in them. */
const signatureField = Buffer.from([8, 1, 0x67, 0]);

/** A signature without a body cannot be decoded. */
function forgetSignature(fields: Buffer): void {
  for (let at = 0; at + 8 <= fields.length; at += 8) {
    if (fields.subarray(at, at + 4).equals(signatureField)) fields[at] = 0;
  }
}

function parseHeader(bytes: Buffer): Header {
  const number = (at: number) =>
    bytes[0] === 0x42 ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at);
  return {
    type: bytes[1] ?? 0,
    fieldBytes: Math.ceil(number(12) / 8) * 8,
    bodyBytes: number(4),
  };
}
