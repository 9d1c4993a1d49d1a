import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Access } from '../access.ts';
import type { Operation, Resource } from '../resource.ts';
import { isUnchanged } from './preconditions.ts';
import { permission } from './privileges.ts';
import { acceptsJson, prefersGzip } from './quality.ts';
import { writePieces } from './send.ts';

/**
 * Answers reads that are repeated, as tools that poll a device make them, ahead of Express: to make a certificate's answer anew
 * takes ten times as long as to send it. Only the making is left out: the client is judged each time, and an answer is kept as
 * long as the operation's `version` is the same.
 */
export interface KeptReads {
  /** @returns whether the request has its answer now */
  answer(req: IncomingMessage, res: ServerResponse): Promise<boolean>;
  /**
   * Told of an answer that was sent.
   * @param version of the operation before the answer was made
   */
  sent(read: SentRead): void;
}

export interface SentRead {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly entity: Resource['entity'];
  readonly operation: Operation;
  readonly version: unknown;
  /** Nothing where the answer has none. */
  readonly body: Buffer | undefined;
}

export interface KeptReadsOptions {
  readonly access: Access;
  /** How many bytes of answers are kept. */
  readonly bytes: number;
}

/** What was sent, with the headers that are not Node's own, names and values by turns. */
interface Sent {
  readonly status: number;
  readonly head: string[];
  readonly body: Buffer | undefined;
}

/** What is kept of a URI, which is the same to all clients that may read it. */
interface Kept {
  readonly entity: Resource['entity'];
  readonly operation: Operation;
  readonly version: unknown;
  readonly etag: string;
  /** Compressed or not, with its head alone, or as unchanged. */
  readonly forms: Map<string, Sent>;
}

/** Headers and their names take about as much memory as a small answer. */
const headBytes = 2048;

export function makeKeptReads(options: KeptReadsOptions): KeptReads {
  const { access, bytes: maxBytes } = options;
  const kept = new Map<string, Kept>();
  let held = 0;

  const forget = (uri: string) => {
    for (const sent of kept.get(uri)?.forms.values() ?? []) held -= sizeOf(sent);
    kept.delete(uri);
  };
  const current = (uri: string): Kept | undefined => {
    const found = kept.get(uri);
    if (!found) return undefined;
    if (found.operation.version?.() === found.version) return found;
    forget(uri);
    return undefined;
  };

  return {
    async answer(req, res) {
      const { url = '' } = req;
      const found = current(url);
      if (!found || !isPlain(req)) return false;
      const sent = found.forms.get(formOf(req, found.etag));
      if (!sent) return false;
      // Why it cannot be told whether he may is for the whole of the checks to say
      const allowed = await mayRead(access, req, found).catch(() => false);
      if (!allowed || current(url) !== found) return false;
      res.writeHead(sent.status, sent.head);
      await writePieces(res, sent.body);
      return true;
    },
    sent({ req, res, entity, operation, version, body }) {
      const { url = '' } = req;
      const etag = res.getHeader('ETag');
      if (version === undefined || version !== operation.version?.()) return;
      if (url.includes('?') || !isPlain(req) || typeof etag !== 'string') return;
      const made = { entity, operation, version, etag, forms: new Map() };
      const found = current(url) ?? made;
      const shown = req.method === 'HEAD' ? undefined : body;
      const sent = { status: res.statusCode, head: headOf(res), body: shown };
      const form = formOf(req, etag);
      if (found.etag !== etag || found.forms.has(form) || sizeOf(sent) > maxBytes) return;
      kept.set(url, found);
      found.forms.set(form, sent);
      held += sizeOf(sent);
      for (const [oldest] of kept) if (held > maxBytes) forget(oldest);
    },
  };
}

/** Whether an answer to such a request depends on nothing but who asks, and what `formOf` looks at. */
function isPlain({ method = '', headers }: IncomingMessage): boolean {
  const isRead = method === 'GET' || method === 'HEAD';
  const { host, accept, 'if-match': ifMatch, 'odata-version': version } = headers;
  const isUsual = host !== undefined && ifMatch === undefined && version === undefined;
  return isRead && isUsual && acceptsJson(accept);
}

function formOf({ method = '', headers }: IncomingMessage, etag: string): string {
  const ifNoneMatch = headers['if-none-match'];
  if (isUnchanged({ ifMatch: undefined, ifNoneMatch }, etag)) return `${method} unchanged`;
  return prefersGzip(headers['accept-encoding']?.toString()) ? `${method} gzip` : method;
}

/** By a token alone, and where all may be read: whoever comes another way has the whole of the checks. */
async function mayRead(
  { certificates, sessions, users, settings }: Access,
  { headers, socket }: IncomingMessage,
  { entity, operation }: Kept,
): Promise<boolean> {
  if (operation.open) return true;
  const token = headers['x-auth-token'];
  if (typeof token !== 'string' || !settings.policy.sessionWays.xToken) return false;
  // The user of a certificate comes before that of a token
  if (await certificates?.login(socket)) return false;
  const session = sessions.use(token);
  const account = session && (await users.find(session.userName));
  if (!account?.enabled || account.passwordChangeRequired) return false;
  return permission(account.role, entity, 'GET') === 'all';
}

/** Of every message that Node sends, though the types know the method of requests alone. */
interface NamedHeaders {
  /** As they are written, and not in small letters. */
  getRawHeaderNames(): string[];
}

function headOf(res: ServerResponse): string[] {
  const values = (name: string) => [res.getHeader(name)].flat().map(String);
  const { getRawHeaderNames } = res as unknown as NamedHeaders;
  return getRawHeaderNames.call(res).flatMap((name) => values(name).flatMap((one) => [name, one]));
}

function sizeOf({ body }: Sent): number {
  return headBytes + (body?.length ?? 0);
}
