/** A header that a subscription adds to each of its requests. Its value is secret. */
export interface ReceiverHeader {
  readonly name: string;
  readonly value: string;
}

/** Why headers are refused; the message never holds a value. */
export class HeaderFault extends Error {
  override readonly name = 'HeaderFault';
}

/** Configuration `redfish.events`. */
export interface HeaderLimits {
  readonly headers: number;
  /** Of all names and values together. */
  readonly headerCharacters: number;
}

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

/** Reads HttpHeaders of an EventDestination. @throws HeaderFault */
export function parseHeaders(
  list: readonly Readonly<Record<string, string>>[],
  limits: HeaderLimits,
): readonly ReceiverHeader[] {
  const headers = list.flatMap((members) =>
    Object.entries(members).map(([name, value]) => ({ name, value })),
  );
  const size = headers.reduce((sum, { name, value }) => sum + name.length + value.length, 0);
  if (headers.length > limits.headers || size > limits.headerCharacters) {
    throw new HeaderFault(
      `At most ${limits.headers} headers of ${limits.headerCharacters} characters`,
    );
  }
  const seen = new Set<string>();
  for (const { name, value } of headers) {
    const key = name.toLowerCase();
    if (!/^[!#$%&'*+.^_`|~0-9a-z-]{1,128}$/.test(key)) {
      throw new HeaderFault('A name is no name of an HTTP header');
    }
    if (reserved.has(key) || key.startsWith('proxy-')) {
      throw new HeaderFault(`The header ${name} cannot be set`);
    }
    if (seen.has(key)) throw new HeaderFault(`The header ${name} is given twice`);
    // A line break would begin a header, or a request, of its own
    if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) {
      throw new HeaderFault(`The value of ${name} has characters that a header cannot have`);
    }
    seen.add(key);
  }
  return headers;
}
