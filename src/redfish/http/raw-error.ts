import { type Message, renderErrors } from '../messages/base-registry.ts';
import { commonHeaders } from './common-headers.ts';
import { jsonText, jsonType } from './send.ts';

/** An error reply to what never reaches the application; the connection ends with it. */
export interface RawError {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** @param more headers of this error, such as `Allow` */
export function rawError(message: Message, more: Readonly<Record<string, string>> = {}): RawError {
  const body = jsonText(renderErrors([message]));
  const headers = {
    ...commonHeaders,
    ...more,
    'Content-Type': jsonType,
    'Content-Length': String(Buffer.byteLength(body)),
    Connection: 'close',
  };
  return { headers, body };
}
