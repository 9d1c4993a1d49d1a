import type { Request } from 'express';
import { clientAddress } from '../../core/client-address.ts';
import type { Identity } from '../../identity/identity.ts';
import type { Access } from '../access.ts';
import { forbidden } from '../messages/redfish-error.ts';
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

/** What a client may send before the service knows who it is: enough for a login. */
const openBodyBytes = 4096;

/** What it takes to judge the client of a request and to read its body. */
export interface RequestDependencies {
  readonly access: Access;
  readonly limits: HttpLimits;
}

/** A request with all that its operation needs. */
export interface AdmittedRequest extends RequestContext {
  readonly request: Request;
  readonly found: Found;
  readonly operation: Operation;
  /** Whether its body came later than its client was judged. */
  readonly hasWaited: boolean;
}

/**
 * Who makes a request. What is open without a login needs no identity, unless a query leads from there to what is
 * not: then credentials, if there are any, decide how far.
 * @throws RedfishError 401; 403 to a user who must first change the password
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

/** What of an operation is allowed to a client, which may be known or not. */
export function allowance(
  { entity }: Resource,
  operation: Operation,
  method: string,
  identity: Identity | undefined,
): 'all' | 'own' | 'none' {
  if (operation.open === true) return 'all';
  if (!identity) return 'none';
  return permission(identity.account.role, entity, effectiveMethod(method) as Method);
}

/** @throws RedfishError 403 */
export function authorize(...asked: Parameters<typeof allowance>): Pick<RequestContext, 'ownOnly'> {
  const allowed = allowance(...asked);
  if (allowed === 'none') throw forbidden();
  return { ownOnly: allowed === 'own' };
}

/**
 * The whole of a request whose client was judged by its headers. The body of a GET is ignored.
 * @throws RedfishError 400, 413 or 415 for a body
 */
export async function readRequest(
  { access, limits }: RequestDependencies,
  judged: Pick<AdmittedRequest, 'found' | 'operation' | 'identity' | 'ownOnly'>,
  request: Request,
): Promise<AdmittedRequest> {
  let hasWaited = false;
  // What was sent together with the headers is read before that
  const turn = setImmediate(() => {
    hasWaited = true;
  });
  const isReading = effectiveMethod(request.method) === 'GET';
  const bytes = isReading ? noBytes : await readBody(request, maxOf(judged.operation, limits));
  clearImmediate(turn);
  return withRights(access, {
    ...judged,
    request,
    hasWaited,
    uri: request.path.replace(/\/+$/, ''),
    parameters: judged.found.parameters,
    header: (name) => request.get(name),
    query(name) {
      const [value, ...others] = new URLSearchParams(searchOf(request)).getAll(name);
      return others.length === 0 ? value : undefined;
    },
    clientAddress: clientAddress(request.socket),
    body: makeBody(bytes),
  });
}

/**
 * A request after a wait, judged by what its client may now. A client that has gone is not waited for.
 * @throws RedfishError 401, 403; 400, which no client reads
 */
export async function reauthorize(
  access: Access,
  asked: Omit<AdmittedRequest, 'stillMay'>,
): Promise<AdmittedRequest> {
  const { request, found, operation } = asked;
  if (request.socket.destroyed) throw brokenOff();
  if (!asked.identity) return withRights(access, asked);
  const identity = await reauthenticate(request, asked.identity, access);
  const rights = authorize(found.resource, operation, request.method, identity);
  return withRights(access, { ...asked, identity, ...rights });
}

function withRights(access: Access, asked: Omit<AdmittedRequest, 'stillMay'>): AdmittedRequest {
  return {
    ...asked,
    async stillMay() {
      const { ownOnly } = await reauthorize(access, asked);
      if (ownOnly !== asked.ownOnly) throw forbidden();
    },
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
