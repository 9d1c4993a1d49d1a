import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import type { Log } from '../platform/log.ts';
import { type Identity, requireIdentity } from './access/authentication.ts';
import { type Entity, type Method, permission } from './access/privileges.ts';
import { readBody } from './http/request-body.ts';
import { renderErrors } from './messages/base-registry.ts';
import { RedfishError } from './messages/redfish-error.ts';
import type { Reply, Resource, ServiceParts } from './resource.ts';
import { resources } from './resources/index.ts';
import type { WebUi } from './web-ui/directory.ts';
import { serveWebUi } from './web-ui/serve.ts';

export interface AppOptions {
  readonly parts: ServiceParts;
  readonly bodyBytes: number;
  readonly log: Log;
  readonly webUi?: WebUi | undefined;
}

/** The Express application of the whole tree. */
export function makeApp(options: AppOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('case sensitive routing', true);
  app.set('query parser', 'simple');
  app.use(commonHeaders);
  for (const resource of resources.flatMap((make) => make(options.parts))) {
    app.all(resource.path, (req, res) => serveResource(options, resource, req, res));
  }
  if (options.webUi) app.use(serveWebUi(options.webUi));
  app.use((req) => refuseUnknownPath(options, req));
  app.use((error: unknown, req: Request, res: Response, _next: NextFunction) => {
    sendError(options.log, error, req, res);
  });
  return app;
}

function commonHeaders(_req: Request, res: Response, next: NextFunction): void {
  res.set({
    'OData-Version': '4.0',
    'Cache-Control': 'no-store, max-age=0',
    'Strict-Transport-Security': 'max-age=31536000; includeSubdomains',
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  });
  next();
}

/** What a client may send before anybody knows who it is: enough for a login. */
const openBodyBytes = 4096;

/** The order is DSP0266's: who is it, does the method exist, may he, what does he want. */
async function serveResource(
  { parts, bodyBytes }: AppOptions,
  { entity, operations }: Resource,
  req: Request,
  res: Response,
): Promise<void> {
  res.set('Allow', allowedMethods(operations).join(', '));
  const operation = operations[effectiveMethod(req)];
  const isOpen = operation?.open === true;
  const identity = isOpen ? undefined : await requireIdentity(req, parts.access);
  if (!operation) throw methodNotAllowed(req.method);
  const allowed = isOpen || !identity ? 'all' : allow(identity, entity, effectiveMethod(req));
  if (!isReading(req)) refuseOtherSites(req);
  const reply = await operation.handle({
    uri: req.path.replace(/\/+$/, ''),
    parameters: stringParameters(req),
    identity,
    ownOnly: allowed === 'own',
    header: (name) => req.get(name),
    clientAddress: req.socket.remoteAddress ?? '',
    body: await readBody(req, res, isOpen ? Math.min(bodyBytes, openBodyBytes) : bodyBytes),
  });
  send(res, reply);
}

/** @throws RedfishError 403 */
function allow({ account }: Identity, entity: Entity, method: Method): 'all' | 'own' {
  const allowed = permission(account.role, entity, method);
  if (allowed === 'none') throw new RedfishError(403, { id: 'InsufficientPrivilege', args: [] });
  return allowed;
}

async function refuseUnknownPath({ parts }: AppOptions, req: Request): Promise<never> {
  await requireIdentity(req, parts.access);
  throw new RedfishError(404, { id: 'ResourceMissingAtURI', args: [req.path] });
}

function isReading({ method }: Request): boolean {
  return method === 'GET' || method === 'HEAD';
}

/** A browser that keeps Basic credentials would lend them to a form on a page of another site. */
function refuseOtherSites(req: Request): void {
  if (req.get('Sec-Fetch-Site') !== 'cross-site') return;
  const detail = 'A page of another site may not make this request';
  throw new RedfishError(403, { id: 'InsufficientPrivilege', args: [], detail });
}

function methodNotAllowed(method: string): RedfishError {
  const id = method === 'DELETE' ? 'ResourceCannotBeDeleted' : 'OperationNotAllowed';
  return new RedfishError(405, { id, args: [] });
}

function effectiveMethod({ method }: Request): Method {
  return (method === 'HEAD' ? 'GET' : method) as Method;
}

function allowedMethods(operations: Resource['operations']): string[] {
  const methods = Object.keys(operations);
  return methods.includes('GET') ? [...methods, 'HEAD'].sort() : methods.sort();
}

function stringParameters({ params }: Request): Record<string, string> {
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, String(value)]));
}

function send(res: Response, { status, headers = {}, body, stream }: Reply): void {
  res.status(status);
  for (const [name, value] of Object.entries(headers)) {
    res.set(name, typeof value === 'string' ? value : [...value]);
  }
  if (stream) stream(res);
  else if (body === undefined) res.end();
  else res.type('application/json').send(`${JSON.stringify(body, null, 2)}\n`);
}

function sendError(log: Log, error: unknown, req: Request, res: Response): void {
  const known = asRedfishError(error);
  if (known.status >= 500) {
    const reason = describeCause(error);
    log.error('request failed', {
      method: req.method,
      path: req.path,
      status: known.status,
      reason,
    });
  }
  if (res.headersSent) {
    res.destroy();
    return;
  }
  send(res, { status: known.status, headers: known.headers, body: renderErrors(known.messages) });
}

/** Express itself refuses paths that cannot be decoded; everything else unknown is a bug. */
function asRedfishError(error: unknown): RedfishError {
  if (error instanceof RedfishError) return error;
  if (error instanceof URIError) {
    return new RedfishError(404, { id: 'ResourceMissingAtURI', args: ['as sent'] });
  }
  return new RedfishError(500, { id: 'InternalError', args: [] });
}

function describeCause(error: unknown): string {
  if (error instanceof RedfishError) {
    return error.messages.map(({ id, detail }) => detail ?? id).join('; ');
  }
  return error instanceof Error ? `${error.name}: ${error.message}` : 'not an error';
}
