import type { EventDestinationCreate } from '../../../schemas/generated/validators.js';
import { memberError, type RedfishError } from '../messages/redfish-error.ts';
import type { EventSettings } from './event-settings.ts';

/** HttpHeaders of an EventDestination: headers that a subscription adds to each of its requests. Their values are secret. */
type ReceiverHeaders = EventDestinationCreate['HttpHeaders'];

type HeaderLimits = Pick<EventSettings, 'headers' | 'headerCharacters'>;

/** What frames a request or belongs to one connection (RFC 9110 §7.6.1) is ours to set. */
const reserved = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'odata-version',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** @throws RedfishError 400, which never holds a value */
export function refuseBadHeaders(list: ReceiverHeaders, limits: HeaderLimits): void {
  const headers = list.flatMap((members) => Object.entries(members));
  const size = headers.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  if (headers.length > limits.headers || size > limits.headerCharacters) {
    throw fault(`At most ${limits.headers} headers of ${limits.headerCharacters} characters`);
  }
  const seen = new Set<string>();
  for (const [name, value] of headers) {
    const key = name.toLowerCase();
    if (!/^[!#$%&'*+.^_`|~0-9a-z-]{1,128}$/.test(key)) {
      throw fault('A name is no name of an HTTP header');
    }
    if (reserved.has(key) || key.startsWith('proxy-')) {
      throw fault(`The header ${name} cannot be set`);
    }
    if (seen.has(key)) throw fault(`The header ${name} is given twice`);
    // A line break would begin a header, or a request, of its own
    if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) {
      throw fault(`The value of ${name} has characters that a header cannot have`);
    }
    seen.add(key);
  }
}

function fault(detail: string): RedfishError {
  return memberError(400, 'PropertyValueError', ['HttpHeaders'], 'HttpHeaders', detail);
}
