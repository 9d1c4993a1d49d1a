import type { Readable } from 'node:stream';

/** What the header of a message says. */
export interface MessageHead {
  readonly type: 'call' | 'signal';
  /** The unique name of the connection that it is from, or the bus. */
  readonly sender: string;
  readonly signature: string;
}

/** The largest body of such a message that is decoded, in bytes. */
export type MessageBounds = (head: MessageHead) => number;

export interface MessageReading {
  mayBegin(): boolean;
  begun(bytes: number): void;
}

/** D-Bus Specification, "Message Protocol". Replies have no bound: we asked for them. */
const types: Readonly<Record<number, MessageHead['type']>> = { 1: 'call', 4: 'signal' };

/** Path, names, and a signature of at most 255 bytes. */
const maxFieldBytes = 65_536;

/** Behind the bits that D-Bus knows. */
const oversizedFlag = 0x80;

/**
 * The library decodes a message whole before the sender can be looked at, and a byte of it may become
 * sixty in memory. Of a message that is too large it gets the header alone, without its signature and
 * with a flag of our own: the body is thrown away as it comes. The function is long because it is one
 * machine: its state is in the variables that all of its steps share.
 * @param stream the socket of the library, which asks for 16 bytes and for the rest of a message by turns
 * @param reading asked before each message, and told how many bytes the one has that is read
 */
export function dropOversized(
  stream: Readable,
  bounds: MessageBounds,
  reading: MessageReading = { mayBegin: () => true, begun: () => undefined },
): void {
  const read = (size: number): Buffer | undefined => {
    const bytes: unknown = size === 0 ? Buffer.alloc(0) : readWhole(size);
    return Buffer.isBuffer(bytes) ? bytes : undefined;
  };
  const readWhole = stream.read.bind(stream);
  let start: Buffer | undefined;
  let fields: Buffer | undefined;
  /** Whether the library has the start of the message already. */
  let begun = false;
  let bodyBytes = 0;
  /** Bytes to throw away before the next message. */
  let dropped = 0;

  const drop = (): boolean => {
    while (dropped > 0) {
      const bytes: unknown = readWhole(Math.min(dropped, stream.readableLength));
      if (!Buffer.isBuffer(bytes)) return false;
      dropped -= bytes.length;
    }
    return true;
  };
  const begin = (): Buffer | null => {
    while (reading.mayBegin() && drop()) {
      start ??= read(16);
      if (!start) return null;
      const lengths = lengthsOf(start);
      if (lengths.fields > maxFieldBytes) {
        dropped = lengths.fields + lengths.body;
        start = undefined;
        continue;
      }
      fields ??= read(lengths.fields);
      if (!fields) return null;
      bodyBytes = lengths.body;
      const type = types[start[1] ?? 0];
      if (type && bodyBytes > bounds({ type, ...namesOf(fields) })) {
        start.writeUInt8((start[2] ?? 0) | oversizedFlag, 2);
        start.writeUInt32LE(0, 4);
        forgetSignature(fields);
        dropped = bodyBytes;
        bodyBytes = 0;
      }
      begun = true;
      reading.begun(16 + lengths.fields + bodyBytes);
      return start;
    }
    return null;
  };
  const end = (): Buffer | null => {
    const body = read(bodyBytes);
    if (!body || !fields) return null;
    const rest = body.length === 0 ? fields : Buffer.concat([fields, body]);
    start = undefined;
    fields = undefined;
    begun = false;
    return rest;
  };
  stream.read = (size?: number) => {
    // Node itself asks for nothing where it means that more should come
    if (size === 0) return readWhole(0);
    return begun ? end() : begin();
  };
}

/** Whether a decoded message is what was left of one that was too large. */
export function isOversized(flags: number): boolean {
  return (flags & oversizedFlag) !== 0;
}

/** Of the fields, with their padding to a boundary of eight, and of the body. */
function lengthsOf(start: Buffer): { readonly fields: number; readonly body: number } {
  const number = (at: number) =>
    start[0] === 0x42 ? start.readUInt32BE(at) : start.readUInt32LE(at);
  return { fields: Math.ceil(number(12) / 8) * 8, body: number(4) };
}

/** A field begins at a boundary of eight, and names and paths have no such bytes in them. */
const senderField = Buffer.from([7, 1, 0x73, 0]);
const signatureField = Buffer.from([8, 1, 0x67, 0]);

function namesOf(fields: Buffer): { readonly sender: string; readonly signature: string } {
  const sender = positionOf(fields, senderField);
  const signature = positionOf(fields, signatureField);
  return {
    sender: sender < 0 ? '' : textAt(fields, sender + 8),
    signature: signature < 0 ? '' : textAt(fields, signature + 5),
  };
}

/** A signature without a body cannot be decoded. */
function forgetSignature(fields: Buffer): void {
  const at = positionOf(fields, signatureField);
  if (at >= 0) fields[at] = 0;
}

function positionOf(fields: Buffer, field: Buffer): number {
  for (let at = 0; at + 8 <= fields.length; at += 8) {
    if (fields.subarray(at, at + 4).equals(field)) return at;
  }
  return -1;
}

function textAt(fields: Buffer, at: number): string {
  return fields.toString('latin1', at, fields.indexOf(0, at));
}
