import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { NextFunction, Request, Response } from 'express';
import { writePieces } from '../http/send.ts';
import { RedfishError } from '../messages/redfish-error.ts';
import type { WebUi, WebUiFile } from './directory.ts';
import { pageHeaders } from './page-headers.ts';

/**
 * Serves the files of a web UI beside the Redfish tree, to everybody. Paths of the tree, and methods other
 * than GET and HEAD where there is no file, are left to the next handler.
 * @throws RedfishError 404 for a path without a file: pages find their way by what follows `#`
 */
export function serveWebUi(files: WebUi) {
  return async (req: Request, res: Response, next: NextFunction): Promise<void> => {
    const path = decode(req.path);
    if (isOfTree(req.path) || (path !== undefined && isOfTree(path))) return next();
    const file = path === undefined ? undefined : files.get(path);
    const isReading = req.method === 'GET' || req.method === 'HEAD';
    if (!file && !isReading) return next();
    if (!file) throw new RedfishError(404, { id: 'ResourceMissingAtURI', args: [req.path] });
    res.set('Allow', 'GET, HEAD');
    if (!isReading) throw new RedfishError(405, { id: 'OperationNotAllowed', args: [] });
    await send(file, req, res);
  };
}

function isOfTree(path: string): boolean {
  return path === '/redfish' || path.startsWith('/redfish/');
}

function decode(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

async function send(file: WebUiFile, req: Request, res: Response): Promise<void> {
  const { plain, gzip } = file;
  const packed = gzip && acceptsGzip(req.get('Accept-Encoding')) ? gzip : undefined;
  // Unpacked on the way, it is another representation than the packed one and needs another tag
  const etag = packed?.etag ?? plain?.etag ?? gzip?.etag.replace(/"$/, '-unpacked"') ?? '';
  for (const name of ['OData-Version', 'Pragma']) res.removeHeader(name);
  res.set(pageHeaders);
  res.set('Cache-Control', file.hashed ? 'public, max-age=31536000, immutable' : 'no-cache');
  res.set('ETag', etag);
  if (gzip) res.vary('Accept-Encoding');
  if (isKnown(req.get('If-None-Match'), etag)) {
    res.status(304).end();
    return;
  }
  res.set('Content-Type', file.contentType);
  if (packed) res.set('Content-Encoding', 'gzip');
  const content = packed?.content ?? plain?.content;
  res.set('Content-Length', String(content?.length ?? gzip?.unpackedBytes ?? 0));
  if (req.method === 'HEAD') res.end();
  else if (content) await writePieces(res, content);
  else if (gzip) await unpack(gzip.content, res);
}

/** In pieces as the client takes them, so that many slow clients hold little memory. */
async function unpack(content: Buffer, res: Response): Promise<void> {
  try {
    await pipeline(Readable.from([content]), createGunzip(), res);
  } catch (error) {
    // A client that leaves in the middle is no fault of ours
    if (!res.destroyed) throw error;
  }
}

/** RFC 9110 §12.5.3: a weight of 0 means not acceptable; `*` stands for what is not named. */
export function acceptsGzip(header = ''): boolean {
  const weights = new Map<string, number>();
  for (const item of header.split(',')) {
    const [coding = '', ...parameters] = item.split(';').map((part) => part.trim().toLowerCase());
    const weight = parameters.find((one) => one.startsWith('q='))?.slice(2);
    weights.set(coding, weight === undefined ? 1 : Number(weight) || 0);
  }
  return (weights.get('gzip') ?? weights.get('x-gzip') ?? weights.get('*') ?? 0) > 0;
}

/** RFC 9110 §13.1.2: compared weakly. */
function isKnown(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  const tags = header.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes(etag) || tags.includes('*');
}
