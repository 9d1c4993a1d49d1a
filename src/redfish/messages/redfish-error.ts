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
