import type { IncomingMessage } from 'node:http';
import { RedfishError } from '../messages/redfish-error.ts';

/**
 * Reads the body of a request. Its pieces are copied into one buffer as they arrive: a piece of one byte would take a
 * hundred times as much by itself. What does not arrive of an announced body takes no memory, since no page is touched for it.
 * @throws RedfishError 413 when it is larger than the limit, 415 when it is compressed, 400 when the client breaks off
 */
export async function readBody(req: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const { 'content-length': length, 'transfer-encoding': coding } = req.headers;
  // RFC 9112 §6.3: there is a body only where one of the two announces it
  if (length === undefined && coding === undefined) return Buffer.alloc(0);
  if ((req.headers['content-encoding'] ?? 'identity').toLowerCase() !== 'identity') {
    const detail = 'no coding of a body is taken: send it as it is';
    throw new RedfishError(415, { id: 'HeaderInvalid', args: ['Content-Encoding'], detail });
  }
  const announced = length === undefined ? maxBytes : Number(length);
  if (announced > maxBytes) throw tooLarge(maxBytes);
  // Its events were before, and nothing more would ever come
  if (req.destroyed) throw brokenOff();
  const body = Buffer.allocUnsafeSlow(announced);
  let size = 0;
  return new Promise((resolve, reject) => {
    const onData = (chunk: Buffer) => {
      size += chunk.length;
      if (size <= announced) {
        chunk.copy(body, size - chunk.length);
        return;
      }
      // Node only reads what is left by itself where no listener has begun to
      req.off('data', onData).resume();
      reject(tooLarge(maxBytes));
    };
    req.on('data', onData);
    req.on('end', () => resolve(body.subarray(0, size)));
    req.on('error', () => reject(brokenOff()));
    req.on('close', () => reject(brokenOff()));
  });
}

function tooLarge(maxBytes: number): RedfishError {
  const detail = `a body may have ${maxBytes} bytes here`;
  return new RedfishError(413, { id: 'PayloadTooLarge', args: [], detail });
}

/** For a client that has gone, which does not read it. */
export function brokenOff(): RedfishError {
  return new RedfishError(400, { id: 'UnrecognizedRequestBody', args: [] });
}
