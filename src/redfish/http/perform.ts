import type { KeyedMutex } from '../../core/keyed-mutex.ts';
import { IdentityError } from '../../identity/identity-error.ts';
import type { ServedCertificate } from '../certificates/served.ts';
import { RedfishError, unavailable } from '../messages/redfish-error.ts';
import { answerQuery } from '../query/answer.ts';
import { hasQuery, parseQuery } from '../query/parameters.ts';
import type { Reply, RequestContext } from '../resource.ts';
import { schemaUri } from '../schema-versions.ts';
import { isVolatile, tagOf, tagResource } from './entity-tag.ts';
import { effectiveMethod, operationOf } from './methods.ts';
import { checkBeforeChange, conditionsOf, isConditional, isUnchanged } from './preconditions.ts';
import { acceptsJson } from './quality.ts';
import {
  type AdmittedRequest,
  allowance,
  authorize,
  type RequestDependencies,
  reauthorize,
  searchOf,
} from './request-context.ts';
import type { FindResource, Found } from './tree.ts';

/** What the operations of all resources have in common. */
export interface Service extends RequestDependencies {
  readonly find: FindResource;
  /** Changes of one resource, one after the other. */
  readonly changes: KeyedMutex;
  readonly served: Pick<ServedCertificate, 'refresh'>;
}

/** Does what a request asks for, under its conditions. */
export function perform(service: Service, asked: AdmittedRequest): Promise<Reply> {
  if (effectiveMethod(asked.request.method) === 'GET') return read(service, asked);
  if (hasQuery(searchOf(asked.request))) {
    throw new RedfishError(400, { id: 'QueryNotSupportedOnOperation', args: [] });
  }
  return change(service, asked);
}

/**
 * A query of one resource leaves it the ETag that its next change asks for. An answer that other
 * resources are part of has one of its own, since it changes when they do.
 */
async function read(service: Service, asked: AdmittedRequest): Promise<Reply> {
  const { operation, request, header } = asked;
  const query = parseQuery(searchOf(request), service.limits.query, operation.ownQuery);
  // Before the first resource is read: certificates that come and go between two reads of $expand would be missing
  await service.served.refresh();
  const reply = await operation.handle(asked);
  if (reply.status !== 200 || reply.body === undefined) return reply;
  if (!acceptsJson(header('Accept'))) {
    throw new RedfishError(406, { id: 'HeaderInvalid', args: ['Accept'] });
  }
  const { body, tag } = tagResource(reply.body);
  const shown = await answerQuery(
    body,
    query,
    (uri) => readAs(service, asked, uri),
    service.limits.query,
  );
  const own: unknown = Reflect.get(shown, '@odata.etag');
  const combined = query.expand || query.filter;
  const single = query.only && typeof own === 'string' ? own : tag;
  const shownTag = combined && tag !== undefined ? tagOf(shown) : single;
  const headers = {
    ...reply.headers,
    ...(shownTag !== undefined && { ETag: shownTag }),
    ...describedBy(shown, reply.headers),
  };
  const isKnown = shownTag !== undefined && isUnchanged(conditionsOf(header), shownTag);
  // A client that keeps what it read, as OpenBMC's web UI does, would keep the time of its first visit
  if (isKnown && !isVolatile(shown)) return { status: 304, headers };
  return { status: 200, headers, body: shown };
}

/** One change of a resource after the other, so that of two with the same If-Match one fails. */
async function change(service: Service, asked: AdmittedRequest): Promise<Reply> {
  const { operation, request } = asked;
  const target = conditionTarget(service, asked);
  const conditions = conditionsOf(asked.header);
  const handle = async (hasWaited: boolean) => {
    const context = hasWaited ? await reauthorize(service.access, asked) : asked;
    if (isConditional(conditions)) {
      checkBeforeChange(conditions, await currentTag(target, context));
    }
    const reply = await operation.handle(context);
    const { members } = context.body;
    if (members.length > 0) service.access.audit.tell({ members: members.join() });
    return tagReply(service, reply);
  };
  if (request.method === 'POST' && !isConditional(conditions)) return handle(asked.hasWaited);
  const key = JSON.stringify([target.found.resource.path, target.found.parameters]);
  const userName = asked.identity?.account.userName ?? '';
  // The administrator who removes an account must not wait for all the changes that its user makes
  if (!service.changes.hasRoom(key, userName)) {
    throw unavailable(5, { detail: 'Changes of the resource by this user wait already' });
  }
  const hasWaited = asked.hasWaited || service.changes.isTaken(key);
  return service.changes.run(key, userName, () => handle(hasWaited));
}

interface ConditionTarget {
  readonly found: Found;
  readonly uri: string;
}

/**
 * The resource whose ETag If-Match names. An action, and the Members property of a collection, are no resources and have
 * no ETag: clients send that of the resource in which they found them.
 */
function conditionTarget({ find }: Service, { found, uri }: AdmittedRequest): ConditionTarget {
  const own = { found, uri };
  if (operationOf(found.resource, 'GET')) return own;
  const [, parent = ''] = /^(.+)\/(?:Actions(?:\/Oem)?\/[^/]+|Members)$/.exec(uri) ?? [];
  const listing = find(parent);
  return listing ? { found: listing, uri: parent } : own;
}

/**
 * A client learns no ETag of a resource that it may not read, such as a client that logs in; that the resource is there it knows.
 * @throws RedfishError as GET of the resource would, but for what its client may not read
 */
async function currentTag(
  { found: { resource, parameters }, uri }: ConditionTarget,
  context: RequestContext,
): Promise<string | undefined> {
  const operation = operationOf(resource, 'GET');
  if (!operation) return undefined;
  const allowed = allowance(resource, operation, 'GET', context.identity);
  if (allowed === 'none') return undefined;
  const ownOnly = allowed === 'own';
  const { body } = await operation.handle({ ...context, uri, parameters, ownOnly });
  return body && tagResource(body).tag;
}

/** A resource in the answer to a change has its ETag as the next GET will give it. */
function tagReply({ find }: Service, reply: Reply): Reply {
  if (reply.body === undefined || (reply.status !== 200 && reply.status !== 201)) return reply;
  const uri: unknown = Reflect.get(reply.body, '@odata.id');
  const found = typeof uri === 'string' ? find(uri) : undefined;
  if (!found) return reply;
  const { body, tag } = tagResource(reply.body);
  return tag === undefined ? reply : { ...reply, body, headers: { ...reply.headers, ETag: tag } };
}

/** Reads another resource with the rights of the client; what the client may not read is not there. */
async function readAs(
  { find }: Service,
  context: RequestContext,
  uri: string,
): Promise<object | undefined> {
  const found = find(uri);
  const operation = found && operationOf(found.resource, 'GET');
  if (!found || !operation) return undefined;
  const { resource, parameters } = found;
  try {
    const rights = authorize(resource, operation, 'GET', context.identity);
    const { status, body } = await operation.handle({ ...context, uri, parameters, ...rights });
    return status === 200 && body ? tagResource(body).body : undefined;
  } catch (error) {
    if (error instanceof RedfishError || error instanceof IdentityError) return undefined;
    throw error;
  }
}

/** DSP0266, "Link header": where the schema of a resource is. */
function describedBy(body: object, headers: Reply['headers'] = {}): Record<string, string> {
  const type: unknown = Reflect.get(body, '@odata.type');
  if (typeof type !== 'string' || 'Link' in headers) return {};
  return { Link: `<${schemaUri(type)}>; rel=describedby` };
}
