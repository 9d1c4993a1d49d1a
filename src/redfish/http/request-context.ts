import type { Request } from 'express';
import type { Identity } from '../../identity/identity.ts';
import type { Access } from '../access.ts';
import { RedfishError } from '../messages/redfish-error.ts';
import { hasQuery } from '../query/parameters.ts';
import type { Operation, RequestContext, Resource } from '../resource.ts';
import { authenticate, requireIdentity } from './authentication.ts';
import type { HttpLimits } from './limits.ts';
import { effectiveMethod } from './methods.ts';
import { type Method, permission } from './privileges.ts';
import { brokenOff, readBody } from './read-body.ts';
import { reauthenticate } from './reauthentication.ts';
import { makeBody, noBytes } from './request-body.ts';
import type { Found } from './tree.ts';

/** What a client may send before anybody knows who it is: enough for a login. */
const openBodyBytes = 4096;

export type Allowed = 'all' | 'own';

/** What it takes to judge the client of a request and to read its body. */
export interface RequestDependencies {
  readonly access: Access;
  readonly limits: HttpLimits;
}

/**
 * Who makes a request. What is open to everybody asks nobody, unless a query leads from there to what is
 * not: then credentials, if there are any, decide how far.
 * @throws RedfishError 401; 403 to whoever must first change his password
 */
export async function identify(
  { access }: Pick<RequestDependencies, 'access'>,
  operation: Operation | undefined,
  req: Request,
): Promise<Identity | undefined> {
  if (operation?.open !== true) return requireIdentity(req, access);
  if (!hasQuery(searchOf(req))) return undefined;
  const identity = await authenticate(req, access);
  return identity?.account.passwordChangeRequired ? undefined : identity;
}

/** What of an operation is allowed to somebody, or to nobody in particular. */
export function allowance(
  { entity }: Resource,
  operation: Operation,
  method: string,
  identity: Identity | undefined,
): Allowed | 'none' {
  if (operation.open === true) return 'all';
  if (!identity) return 'none';
  return permission(identity.account.role, entity, effectiveMethod(method) as Method);
}

/** @throws RedfishError 403 */
export function allow(...asked: Parameters<typeof allowance>): Allowed {
  const allowed = allowance(...asked);
  if (allowed === 'none') throw new RedfishError(403, { id: 'InsufficientPrivilege', args: [] });
  return allowed;
}

/** A request with all that its operation needs. */
export interface Wanted {
  readonly found: Found;
  readonly operation: Operation;
  readonly context: RequestContext;
}

export interface Admitted {
  readonly found: Found;
  readonly operation: Operation;
  readonly identity: Identity | undefined;
  readonly allowed: Allowed;
}

/**
 * A request that was admitted when its headers came, judged by what its client may now. Where he has gone, nobody waits
 * for it.
 * @throws RedfishError 401, 403; 400 to nobody
 */
async function readmit(
  { access }: RequestDependencies,
  admitted: Admitted,
  req: Request,
): Promise<Admitted> {
  const { found, operation } = admitted;
  if (req.socket.destroyed) throw brokenOff();
  if (!admitted.identity) return admitted;
  const identity = await reauthenticate(req, admitted.identity, access);
  const allowed = allow(found.resource, operation, req.method, identity);
  return { ...admitted, identity, allowed };
}

/** The context of a request that is begun now, after all that it waited for. @throws RedfishError 401, 403 */
export async function readmitted(
  dependencies: RequestDependencies,
  { found, operation, context }: Wanted,
  req: Request,
): Promise<RequestContext> {
  const { identity, ownOnly } = context;
  const before: Admitted = { found, operation, identity, allowed: ownOnly ? 'own' : 'all' };
  return { ...context, ...rightsOf(dependencies, await readmit(dependencies, before, req), req) };
}

function rightsOf(dependencies: RequestDependencies, admitted: Admitted, req: Request) {
  const { identity, allowed } = admitted;
  return {
    identity,
    ownOnly: allowed === 'own',
    async stillMay() {
      const now = await readmit(dependencies, admitted, req);
      if (now.allowed === allowed) return;
      throw new RedfishError(403, { id: 'InsufficientPrivilege', args: [] });
    },
  };
}

/**
 * The body of a GET is ignored.
 * @throws RedfishError 400, 413 or 415 for a body
 */
export async function contextOf(
  dependencies: RequestDependencies,
  admitted: Admitted,
  req: Request,
): Promise<RequestContext> {
  const { limits } = dependencies;
  const { found, operation } = admitted;
  const isReading = effectiveMethod(req.method) === 'GET';
  const bytes = isReading ? noBytes : await readBody(req, maxOf(operation, limits));
  return {
    request: req,
    uri: req.path.replace(/\/+$/, ''),
    parameters: found.parameters,
    ...rightsOf(dependencies, admitted, req),
    header: (name) => req.get(name),
    query(name) {
      const [value, ...others] = new URLSearchParams(searchOf(req)).getAll(name);
      return others.length === 0 ? value : undefined;
    },
    clientAddress: req.socket.remoteAddress ?? '',
    body: makeBody(bytes, limits),
  };
}

function maxOf({ open, upload }: Operation, { bodyBytes, jsonBytes }: HttpLimits): number {
  if (upload) return bodyBytes;
  return open ? Math.min(jsonBytes, openBodyBytes) : jsonBytes;
}

/** The query of a URI with its question mark, or nothing. */
export function searchOf({ url }: Request): string {
  const at = url.indexOf('?');
  return at < 0 ? '' : url.slice(at);
}
