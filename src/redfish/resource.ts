import type { CertificateClient } from '../manager/certificate-client.ts';
import type { Accounts } from './accounts.ts';
import type { Identity } from './authentication.ts';
import type { CertificatePlace } from './certificate-places.ts';
import type { Privilege } from './privileges.ts';
import type { RequestBody } from './request-body.ts';
import type { Sessions } from './sessions.ts';

/** What the resources are made from. */
export interface ServiceParts {
  readonly client: CertificateClient;
  readonly accounts: Accounts;
  readonly sessions: Sessions;
  readonly places: readonly CertificatePlace[];
  readonly managerId: string;
  readonly sessionSeconds: number;
  readonly port: () => number;
  readonly serviceId: string;
}

/** One request, authenticated and allowed. */
export interface RequestContext {
  /** Path of the URI without a trailing slash. */
  readonly uri: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** Absent where an operation needs no login and the client has none. */
  readonly identity: Identity | undefined;
  readonly clientAddress: string;
  readonly body: RequestBody;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON, or nothing. */
  readonly body?: object;
}

export interface Operation {
  /** What the client must be allowed; `none` for what DSP0266 wants open to all. */
  readonly privilege: Privilege | 'none';
  handle(context: RequestContext): Reply | Promise<Reply>;
}

export type Method = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';

/** A resource of the tree: where it is and what can be done with it. Adding one is adding a file. */
export interface Resource {
  /** A path with `:name` for what varies. */
  readonly path: string;
  readonly operations: Readonly<Partial<Record<Method, Operation>>>;
}

/** Makes the resources of one file. */
export type ResourceFactory = (parts: ServiceParts) => readonly Resource[];

export function json(body: object, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status: 200, body, headers };
}

export function link(uri: string): { readonly '@odata.id': string } {
  return { '@odata.id': uri };
}
