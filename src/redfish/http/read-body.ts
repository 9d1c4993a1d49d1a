import type { IncomingMessage } from 'node:http';
import { RedfishError } from '../messages/redfish-error.ts';

/**
 * Reads the body of a request. Its pieces are copied into one buffer as they arrive: a piece of one byte would take a
 * hundred times as much by itself.
 * @throws RedfishError 413 when it is larger than the limit, 415 when it is compressed, 400 when the client breaks off
 */
export async function readBody(req: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const { 'content-length': length, 'transfer-encoding': coding } = req.headers;
  // RFC 9112 §6.3: there is a body only where one of the two announces it
  if (length === undefined && coding === undefined) return Buffer.alloc(0);
  if ((req.headers['content-encoding'] ?? 'identity').toLowerCase() !== 'identity') {
    throw new RedfishError(415, { id: 'HeaderInvalid', args: ['Content-Encoding'] });
  }
  const announced = length === undefined ? maxBytes : Number(length);
  if (announced > maxBytes) throw tooLarge();
  // Its events were before, and nothing more would ever come
  if (req.destroyed) throw brokenOff();
  const body = new BodyBuffer(announced, maxBytes);
  return new Promise((resolve, reject) => {
    const onData = (chunk: Buffer) => {
      try {
        body.add(chunk);
      } catch (error) {
        // Node only reads what is left by itself where nobody has begun to
        req.off('data', onData).resume();
        reject(error);
      }
    };
    req.on('data', onData);
    req.on('end', () => resolve(body.bytes));
    req.on('error', () => reject(brokenOff()));
    req.on('close', () => reject(brokenOff()));
  });
}

/** The first buffer, whatever the first piece is. */
const firstBytes = 4096;

class BodyBuffer {
  readonly #announced: number;
  readonly #maxBytes: number;
  #buffer = Buffer.alloc(0);
  #length = 0;

  constructor(announced: number, maxBytes: number) {
    this.#announced = announced;
    this.#maxBytes = maxBytes;
  }

  add(chunk: Buffer): void {
    const length = this.#length + chunk.length;
    if (length > this.#maxBytes) throw tooLarge();
    if (length > this.#buffer.length) this.#grow(length);
    chunk.copy(this.#buffer, this.#length);
    this.#length = length;
  }

  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** The buffer grows with the bytes that arrived, not with what the client announces. */
  #grow(least: number): void {
    const wanted = Math.max(least, 2 * this.#buffer.length, firstBytes);
    const size = Math.max(least, Math.min(wanted, this.#announced));
    const larger = Buffer.allocUnsafeSlow(size);
    this.bytes.copy(larger);
    this.#buffer = larger;
  }
}

function tooLarge(): RedfishError {
  return new RedfishError(413, { id: 'PayloadTooLarge', args: [] });
}

/** For a client that has gone: nobody reads it. */
export function brokenOff(): RedfishError {
  return new RedfishError(400, { id: 'UnrecognizedRequestBody', args: [] });
}
