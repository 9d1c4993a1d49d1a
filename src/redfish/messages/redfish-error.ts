import type { Message } from './base-registry.ts';

/** An answer that is an error of the Redfish protocol. */
export class RedfishError extends Error {
  override readonly name = 'RedfishError';
  readonly status: number;
  readonly messages: readonly Message[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    messages: Message | readonly Message[],
    headers: Readonly<Record<string, string>> = {},
    /** What is for the log, and for no client. */
    cause?: unknown,
  ) {
    const list = 'id' in messages ? [messages] : messages;
    super(list.map(({ id }) => id).join(', '), { cause });
    this.status = status;
    this.messages = list;
    this.headers = headers;
  }
}

export interface Unavailability {
  readonly detail?: string;
  /** Headers beside Retry-After. */
  readonly headers?: Readonly<Record<string, string>>;
  /** For the log, and for no client. */
  readonly cause?: unknown;
}

/** 503 where the same request may succeed after so many seconds. */
export function unavailable(
  seconds: number,
  { detail, headers, cause }: Unavailability = {},
): RedfishError {
  const retry = String(seconds);
  const id = 'ServiceTemporarilyUnavailable';
  const message: Message = { id, args: [retry], ...(detail !== undefined && { detail }) };
  return new RedfishError(503, message, { 'Retry-After': retry, ...headers }, cause);
}

/** An error of one member of a body. @param name with `/` before a member within another */
export function memberError(
  status: number,
  id: Message['id'],
  args: readonly string[],
  name: string,
  detail?: string,
): RedfishError {
  const related = [`#/${name}`];
  return new RedfishError(status, { id, args, related, ...(detail !== undefined && { detail }) });
}

/** 404 for a resource that a collection, or the service, does not have. */
export function notFound(type: string, id: string): RedfishError {
  return new RedfishError(404, { id: 'ResourceNotFound', args: [type, id] });
}

/** 403 for a client that is known and may not do what it asks for. */
export function forbidden(detail?: string): RedfishError {
  const id = 'InsufficientPrivilege';
  return new RedfishError(403, { id, args: [], ...(detail !== undefined && { detail }) });
}
