import type { ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Request, Response } from 'express';
import type { Reply } from '../resource.ts';
import { prefersGzip } from './quality.ts';

const noBytes = Buffer.alloc(0);
const compress = promisify(gzip);

export const jsonType = 'application/json; charset=utf-8';

export function jsonText(body: object): string {
  return `${JSON.stringify(body, null, 2)}\n`;
}

/**
 * Writes an answer. Only successful reads are compressed: answers to logins, errors and actions may hold
 * a secret beside what the client sent, whose length would tell of it (BREACH).
 * @returns the body as it was sent, where there is one at once
 */
export async function send(
  req: Request,
  res: Response,
  { status, headers = {}, body, text, stream }: Reply,
  gzipBytes: number,
): Promise<Buffer | undefined> {
  res.status(status);
  for (const [name, value] of Object.entries(headers)) {
    res.set(name, typeof value === 'string' ? value : [...value]);
  }
  if (text !== undefined) return sendBytes(req, res, Buffer.from(text), gzipBytes);
  if (body !== undefined) return sendBytes(req, res, Buffer.from(jsonText(body)), gzipBytes);
  if (stream) stream(res);
  else res.end();
  return undefined;
}

async function sendBytes(
  req: Request,
  res: Response,
  bytes: Buffer,
  gzipBytes: number,
): Promise<Buffer> {
  const isRead = res.statusCode === 200 && (req.method === 'GET' || req.method === 'HEAD');
  if (isRead) res.vary('Accept-Encoding');
  const isCompressed =
    isRead && bytes.length >= gzipBytes && prefersGzip(req.get('Accept-Encoding'));
  const sent = isCompressed ? await compress(bytes) : bytes;
  if (isCompressed) res.set('Content-Encoding', 'gzip');
  if (!res.get('Content-Type')) res.set('Content-Type', jsonType);
  res.set('Content-Length', String(sent.length));
  await writePieces(res, req.method === 'HEAD' ? undefined : sent);
  return sent;
}

/** How much of an answer a client must take to count as reading it. */
const pieceBytes = 65_536;

/** Writes each piece when the client has taken those before, and ends the response with the last. */
export async function writePieces(res: ServerResponse, bytes: Buffer = noBytes): Promise<void> {
  let rest = bytes;
  for (; rest.length > pieceBytes && !res.destroyed; rest = rest.subarray(pieceBytes)) {
    if (res.write(rest.subarray(0, pieceBytes))) continue;
    await new Promise<void>((resolve) => {
      const goOn = () => {
        res.off('drain', goOn).off('close', goOn);
        resolve();
      };
      res.on('drain', goOn).on('close', goOn);
    });
  }
  res.end(rest);
}
