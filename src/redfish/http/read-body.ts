import type { IncomingMessage } from 'node:http';
import { RedfishError } from '../messages/redfish-error.ts';
import type { BodyPlace } from './body-room.ts';

/**
 * Reads the body of a request. It is copied into one buffer as it comes: a piece of one byte would take a
 * hundred times as much by itself.
 * @throws RedfishError 413 when it is larger than the limit, 415 when it is compressed, 503 when there is
 *   no room for it, 400 when the client breaks off
 */
export async function readBody(
  req: IncomingMessage,
  most: number,
  place: BodyPlace,
): Promise<Buffer> {
  const { 'content-length': length, 'transfer-encoding': coding } = req.headers;
  // RFC 9112 §6.3: there is a body only where one of the two announces it
  if (length === undefined && coding === undefined) return Buffer.alloc(0);
  if ((req.headers['content-encoding'] ?? 'identity').toLowerCase() !== 'identity') {
    throw new RedfishError(415, { id: 'HeaderInvalid', args: ['Content-Encoding'] });
  }
  const announced = length === undefined ? most : Number(length);
  if (announced > most) throw tooLarge();
  // Its events were before, and nothing more would ever come
  if (req.destroyed) throw brokenOff();
  const gathered = new BodyBuffer(announced, most, place);
  return new Promise((resolve, reject) => {
    const onData = (chunk: Buffer) => {
      try {
        gathered.add(chunk);
      } catch (error) {
        // Node only reads what is left by itself where nobody has begun to
        req.off('data', onData).resume();
        reject(error);
      }
    };
    req.on('data', onData);
    req.on('end', () => resolve(gathered.bytes));
    req.on('error', () => reject(brokenOff()));
    req.on('close', () => reject(brokenOff()));
  });
}

/** Room for less is not worth a place of its own. */
const firstBytes = 4096;

class BodyBuffer {
  readonly #announced: number;
  readonly #most: number;
  readonly #place: BodyPlace;
  #buffer = Buffer.alloc(0);
  #length = 0;

  constructor(announced: number, most: number, place: BodyPlace) {
    this.#announced = announced;
    this.#most = most;
    this.#place = place;
  }

  add(chunk: Buffer): void {
    const length = this.#length + chunk.length;
    if (length > this.#most) throw tooLarge();
    if (length > this.#buffer.length) this.#grow(length);
    chunk.copy(this.#buffer, this.#length);
    this.#length = length;
  }

  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Room is for what has come, and not for what a client merely announces. */
  #grow(least: number): void {
    const wanted = Math.max(least, 2 * this.#buffer.length, firstBytes);
    const size = Math.max(least, Math.min(wanted, this.#announced));
    this.#place.take(size - this.#buffer.length);
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
