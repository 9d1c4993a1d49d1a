import type { ServerResponse } from 'node:http';
import type { Identity } from '../identity/identity.ts';
import type { Entity, Method } from './http/privileges.ts';
import type { RequestBody } from './http/request-body.ts';
import { renderMessages } from './messages/base-registry.ts';
import { type SchemaName, typeOf } from './schema-versions.ts';

/** One request, authenticated and allowed. */
export interface RequestContext {
  /** The same for all resources that are read for one answer. */
  readonly request: object;
  /** Path of the URI without a trailing slash. */
  readonly uri: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** Absent where an operation needs no login and the client has none. */
  readonly identity: Identity | undefined;
  /** The client may touch no more than what belongs to its own user (`ConfigureSelf`). */
  readonly ownOnly: boolean;
  /**
   * For an operation that waits before its change: asks again whether the client is there and may.
   * @throws RedfishError 401, 403
   */
  stillMay(): Promise<void>;
  readonly clientAddress: string;
  readonly body: RequestBody;
  /** A header of the request. */
  header(name: string): string | undefined;
  /** A parameter of the query, when it is given once. */
  query(name: string): string | undefined;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** JSON, or nothing. */
  readonly body?: object;
  /** In place of JSON, as the Content-Type of the headers says. */
  readonly text?: string;
  /** In place of a body: writes to the response for as long as the client reads it, and ends it. */
  readonly stream?: (response: ServerResponse) => void;
}

export interface Operation {
  /** For what DSP0266 wants open without a login; else the privilege table decides. */
  readonly open?: true;
  /** Parameters of the query that the operation reads itself; those of other resources it refuses. */
  readonly ownQuery?: readonly string[];
  /**
   * Of a read that tools repeat: another one whenever the answer may be another, `undefined` where that cannot be told. Such an
   * answer is the same to all who may read the resource, and has an ETag.
   */
  readonly version?: () => unknown;
  /** For certificates, whose bodies may be larger than those of anything else. */
  readonly upload?: true;
  handle(context: RequestContext): Reply | Promise<Reply>;
}

/** A resource of the tree: where it is and what can be done with it. Adding one is adding a file. */
export interface Resource {
  /** A path with `:name` for what varies. */
  readonly path: string;
  /** The type whose row of the privilege table says who may; an action has its resource's. */
  readonly entity: Entity;
  readonly operations: Readonly<Partial<Record<Method, Operation>>>;
}

export function json(body: object, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status: 200, body, headers };
}

export function success(headers: Reply['headers'] = {}): Reply {
  const body = { '@Message.ExtendedInfo': renderMessages([{ id: 'Success', args: [] }]) };
  return { status: 200, headers, body };
}

export function link(uri: string): { readonly '@odata.id': string } {
  return { '@odata.id': uri };
}

type Read = (context: RequestContext) => object | Promise<object>;

export function get(read: Read): Operation {
  return { handle: async (context) => json(await read(context)) };
}

/** A resource that clients can read and not change. */
export function readOnly(path: string, entity: Entity, read: Read): Resource {
  return { path, entity, operations: { GET: get(read) } };
}

/** The members that name a resource; its Id is the last segment of its URI (DSP0266, "Resource identification"). */
export function naming(type: SchemaName, uri: string) {
  return {
    '@odata.id': uri,
    '@odata.type': typeOf(type),
    Id: uri.slice(uri.lastIndexOf('/') + 1),
  };
}

/** What a collection says (DSP0266, "Collection resources"). */
export function collectionView(
  uri: string,
  type: SchemaName,
  [Name, Description]: readonly [name: string, description: string],
  members: readonly string[],
) {
  return {
    '@odata.id': uri,
    '@odata.type': typeOf(type),
    Name,
    Description,
    Members: members.map(link),
    'Members@odata.count': members.length,
  };
}

/** DSP0266, "POST (create)": a collection also takes POST at the URI of its Members property. */
export function creatable({ path, entity, operations }: Resource, POST: Operation): Resource[] {
  return [
    { path, entity, operations: { ...operations, POST } },
    { path: `${path}/Members`, entity, operations: { POST } },
  ];
}
