import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { NextFunction, Request, Response } from 'express';
import { codeOf } from '../../storage/io-errors.ts';
import { isUnchanged } from '../http/preconditions.ts';
import { prefersGzip } from '../http/quality.ts';
import { writePieces } from '../http/send.ts';
import { RedfishError } from '../messages/redfish-error.ts';
import type { WebUi, WebUiFile } from './directory.ts';
import { pageHeaders } from './page-headers.ts';

/**
 * Serves the files of a web UI beside the Redfish tree, without a login. Paths of the tree, and methods other
 * than GET and HEAD where there is no file, are left to the next handler.
 * @throws RedfishError 404 for a path without a file: pages find their way by what follows `#`
 */
export function serveWebUi(files: WebUi) {
  return async (req: Request, res: Response, next: NextFunction): Promise<void> => {
    const path = decode(req.path);
    if (isOfTree(req.path) || (path !== undefined && isOfTree(path))) return next();
    const file = path === undefined ? undefined : files.get(path);
    const isReading = req.method === 'GET' || req.method === 'HEAD';
    if (path === undefined || !file) {
      if (!isReading) return next();
      throw new RedfishError(404, { id: 'ResourceMissingAtURI', args: [req.path] });
    }
    res.set('Allow', 'GET, HEAD');
    if (!isReading) throw new RedfishError(405, { id: 'OperationNotAllowed', args: [] });
    await send(path.endsWith('/') ? 'index.html' : basename(path), file, req, res);
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

/**
 * Whether a bundler put a hash of the content into a name, so that the content never changes: hex
 * digits, or eight characters of base64url. A name that is in doubt has none.
 */
export function hasContentHash(name: string): boolean {
  return /[.-](?:[0-9a-f]{8,64}|(?=[^.]*\d)(?=[^.]*[A-Z])(?=[^.]*[a-z])[\w-]{8})\.[a-z0-9]+$/.test(
    name,
  );
}

async function send(name: string, file: WebUiFile, req: Request, res: Response): Promise<void> {
  const { plain, gzip } = file;
  const packed = gzip && prefersGzip(req.get('Accept-Encoding')) ? gzip : undefined;
  // Unpacked on the way, it is another representation than the packed one and needs another tag
  const etag = packed?.etag ?? plain?.etag ?? gzip?.etag.replace(/"$/, '-unpacked"') ?? '';
  for (const header of ['OData-Version', 'Pragma']) res.removeHeader(header);
  res.set(pageHeaders);
  res.set(
    'Cache-Control',
    hasContentHash(name) ? 'public, max-age=31536000, immutable' : 'no-cache',
  );
  res.set('ETag', etag);
  if (gzip) res.vary('Accept-Encoding');
  const ifNoneMatch = req.get('If-None-Match');
  if (isUnchanged({ ifMatch: undefined, ifNoneMatch }, etag)) {
    res.status(304).end();
    return;
  }
  res.type(name);
  if (packed) res.set('Content-Encoding', 'gzip');
  const content = packed?.content ?? plain?.content;
  if (content) res.set('Content-Length', String(content.length));
  if (req.method === 'HEAD') res.end();
  else if (content) await writePieces(res, content);
  else if (gzip) await unpack(gzip.content, res);
}

/** In pieces as the client takes them, so that many slow clients hold little memory. */
async function unpack(content: Buffer, res: Response): Promise<void> {
  try {
    await pipeline(Readable.from([content]), createGunzip(), res);
  } catch (error) {
    // The errors of zlib tell of a damaged file, any other error of a client that left in the middle
    if (codeOf(error).startsWith('Z_')) throw error;
  }
}
