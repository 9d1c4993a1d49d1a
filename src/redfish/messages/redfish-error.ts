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
