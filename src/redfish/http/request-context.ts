import type { Request, Response } from 'express';
import { authenticate, type Identity, requireIdentity } from '../access/authentication.ts';
import { type Method, permission } from '../access/privileges.ts';
import type { Service } from '../app.ts';
import { RedfishError } from '../messages/redfish-error.ts';
import { hasQuery } from '../query/parameters.ts';
import type { Operation, RequestContext, Resource } from '../resource.ts';
import { effectiveMethod } from './methods.ts';
import { makeBody, readBody } from './request-body.ts';
import type { Found } from './tree.ts';

/** What a client may send before anybody knows who it is: enough for a login. */
const openBodyBytes = 4096;

export type Allowed = 'all' | 'own';

/**
 * Who makes a request. What is open to everybody asks nobody, unless a query leads from there to what is
 * not: then credentials, if there are any, decide how far.
 * @throws RedfishError 401; 403 to whoever must first change his password
 */
export async function identify(
  { parts }: Service,
  operation: Operation | undefined,
  req: Request,
): Promise<Identity | undefined> {
  if (operation?.open !== true) return requireIdentity(req, parts.access);
  if (!hasQuery(searchOf(req))) return undefined;
  const identity = await authenticate(req, parts.access);
  return identity?.account.passwordChangeRequired ? undefined : identity;
}

/** @throws RedfishError 403 */
export function allow(
  { entity }: Resource,
  operation: Operation,
  method: string,
  identity: Identity | undefined,
): Allowed {
  if (operation.open === true) return 'all';
  const allowed = identity
    ? permission(identity.account.role, entity, effectiveMethod(method) as Method)
    : 'none';
  if (allowed === 'none') throw new RedfishError(403, { id: 'InsufficientPrivilege', args: [] });
  return allowed;
}

interface Admitted {
  readonly found: Found;
  readonly operation: Operation;
  readonly identity: Identity | undefined;
  readonly allowed: Allowed;
}

/** @throws RedfishError 400, 413 or 415 for a body; that of a GET is ignored */
export async function contextOf(
  { limits }: Service,
  { found, operation, identity, allowed }: Admitted,
  req: Request,
  res: Response,
): Promise<RequestContext> {
  const most = operation.open ? Math.min(limits.bodyBytes, openBodyBytes) : limits.bodyBytes;
  const isRead = effectiveMethod(req.method) === 'GET';
  return {
    request: req,
    uri: req.path.replace(/\/+$/, ''),
    parameters: found.parameters,
    identity,
    ownOnly: allowed === 'own',
    header: (name) => req.get(name),
    query(name) {
      const [value, ...others] = new URLSearchParams(searchOf(req)).getAll(name);
      return others.length === 0 ? value : undefined;
    },
    clientAddress: req.socket.remoteAddress ?? '',
    body: isRead ? makeBody(Buffer.alloc(0), limits) : await readBody(req, res, most, limits),
  };
}

/** The query of a URI with its question mark, or nothing. */
export function searchOf({ url }: Request): string {
  const at = url.indexOf('?');
  return at < 0 ? '' : url.slice(at);
}
