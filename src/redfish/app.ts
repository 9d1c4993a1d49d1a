import type { RequestListener } from 'node:http';
import express, { type NextFunction, type Request, type Response } from 'express';
import { KeyedMutex } from '../core/keyed-mutex.ts';
import type { Log } from '../core/log.ts';
import { auditChange } from './http/audit-change.ts';
import { commonHeaders } from './http/common-headers.ts';
import { errorReply } from './http/error-reply.ts';
import { makeKeptReads } from './http/kept-reads.ts';
import type { HttpLimits } from './http/limits.ts';
import { allowedMethods, effectiveMethod } from './http/methods.ts';
import { perform, type Service } from './http/perform.ts';
import { checkContentType, checkRequest, refuseOtherSites } from './http/request-checks.ts';
import { authorize, identify, readRequest } from './http/request-context.ts';
import { makeRoutes } from './http/routes.ts';
import { send } from './http/send.ts';
import { type Found, makeTree } from './http/tree.ts';
import { RedfishError, unavailable } from './messages/redfish-error.ts';
import type { Operation, Reply } from './resource.ts';
import { makeResources, type ResourceParts } from './resources/index.ts';
import type { WebUi } from './web-ui/directory.ts';
import { serveWebUi } from './web-ui/serve.ts';

export interface AppOptions {
  readonly parts: ResourceParts;
  readonly limits: HttpLimits;
  readonly log: Log;
  readonly webUi?: WebUi | undefined;
}

/** Requests at work, also those of an app that another has taken the place of. */
export interface RequestsAtWork {
  readonly changes: KeyedMutex;
  /** Uploads that are being read or worked on. */
  uploads: number;
}

interface AppService extends Service {
  readonly atWork: RequestsAtWork;
}

/** An upload may hold `bodyBytes`, also after its client has gone; all other bodies end with their connections. */
export const maxUploads = 16;

/** The whole tree as a server takes it. */
export interface App {
  readonly handler: RequestListener;
  readonly atWork: RequestsAtWork;
  /** What can be done at a path, for answers to what never becomes a request. */
  allowedAt(path: string): readonly string[];
}

export function makeApp(
  options: AppOptions,
  atWork: RequestsAtWork = { changes: new KeyedMutex(options.limits.changesPerUser), uploads: 0 },
): App {
  const { parts, limits, log } = options;
  const tree = makeResources(parts);
  const find = makeTree(tree);
  const { access, served } = parts;
  const { changes } = atWork;
  const service: AppService = { access, served, limits, find, changes, atWork };
  const keptReads = makeKeptReads({ access, bytes: limits.keptReadBytes });
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.disable('query parser');
  app.use((_req, res, next) => {
    res.set(commonHeaders);
    next();
  });
  const reply = async (req: Request, res: Response, found?: Found, operation?: Operation) => {
    const version = operation?.version?.();
    const work = () => answer(service, req, res, found, operation);
    const replied = await auditChange(access.audit, req, work);
    const body = await send(req, res, replied, limits.gzipBytes);
    if (!found || !operation || version === undefined) return;
    keptReads.sent({ req, res, entity: found.resource.entity, operation, version, body });
  };
  app.use(makeRoutes(tree, reply));
  app.use(options.webUi ? serveWebUi(options.webUi) : leadToTheTree);
  app.use((req, res) => reply(req, res));
  app.use(async (error: unknown, req: Request, res: Response, _next: NextFunction) => {
    const reply = errorReply(log, error, req);
    if (res.headersSent) res.destroy();
    else await send(req, res, reply, limits.gzipBytes);
  });
  const allowedAt = (path: string) => {
    const found = find(path);
    return found ? allowedMethods(found.resource) : [];
  };
  const handler: RequestListener = async (req, res) => {
    if (!(await keptReads.answer(req, res))) app(req, res);
  };
  return { handler, allowedAt, atWork };
}

/** A browser without a web UI to begin with. */
function leadToTheTree(req: Request, res: Response, next: NextFunction): void {
  if (req.path !== '/' || !['GET', 'HEAD'].includes(req.method)) next();
  else res.status(302).location('/redfish/v1/').end();
}

/** The order is DSP0266's: who is the client, does the method exist, may the client use it, and the body. */
async function answer(
  service: AppService,
  req: Request,
  res: Response,
  found?: Found,
  operation?: Operation,
): Promise<Reply> {
  checkRequest(req, service.limits.uriBytes);
  if (found) res.set('Allow', allowedMethods(found.resource).join(', '));
  const identity = await identify(service, operation, req);
  if (!found) throw new RedfishError(404, { id: 'ResourceMissingAtURI', args: [req.path] });
  if (!operation) throw methodNotAllowed(req.method, allowedMethods(found.resource));
  const rights = authorize(found.resource, operation, req.method, identity);
  if (effectiveMethod(req.method) !== 'GET') {
    refuseOtherSites(req, identity);
    checkContentType(req, found.resource);
  }
  const carryOut = async () =>
    perform(service, await readRequest(service, { found, operation, identity, ...rights }, req));
  return operation.upload ? limitUploads(service, carryOut) : carryOut();
}

/** @throws RedfishError 503 */
async function limitUploads<T>({ atWork }: AppService, upload: () => Promise<T>): Promise<T> {
  if (atWork.uploads >= maxUploads) throw unavailable(5);
  atWork.uploads += 1;
  try {
    return await upload();
  } finally {
    atWork.uploads -= 1;
  }
}

function methodNotAllowed(method: string, allowed: readonly string[]): RedfishError {
  const id = method === 'DELETE' ? 'ResourceCannotBeDeleted' : 'OperationNotAllowed';
  const detail = `the methods of this resource are ${allowed.join(', ')}`;
  return new RedfishError(405, { id, args: [], detail });
}
