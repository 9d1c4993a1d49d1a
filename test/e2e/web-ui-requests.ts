import { connect } from 'node:tls';
import type { Json } from './redfish-client.ts';

export interface WebAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly cookies: readonly string[];
  readonly text: string;
  readonly json: Json;
}

/** How the web UI shows who it is: by a token in memory, or as a browser does by cookies. */
export type Credentials = readonly string[];

export interface WebRequest {
  readonly headers?: readonly string[];
  readonly body?: string;
  /** Whether it says that it comes from a script, as all requests of the web UI do. */
  readonly scripted?: boolean;
}

/** Sends a request with the headers of the web UI, byte for byte, on a connection of its own. */
export function send(
  url: string,
  method: string,
  path: string,
  { headers = [], body = '', scripted = true }: WebRequest = {},
): Promise<WebAnswer> {
  const { hostname, port, host } = new URL(url);
  const lines = [
    `${method} ${path} HTTP/1.1`,
    `Host: ${host}`,
    'Accept: application/json',
    ...(scripted ? ['X-Requested-With: XMLHttpRequest'] : []),
    'Sec-Fetch-Site: same-origin',
    'Sec-Fetch-Mode: cors',
    ...(method === 'GET' ? [] : [`Origin: ${url}`]),
    ...(body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]),
    ...headers,
    'Connection: close',
  ];
  return new Promise((resolve, reject) => {
    const options = { host: hostname, port: Number(port), rejectUnauthorized: false };
    const socket = connect(options, () => socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`));
    const chunks: Buffer[] = [];
    socket.setTimeout(300_000, () => socket.destroy(new Error('no answer')));
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', reject);
    socket.on('close', () => resolve(parse(Buffer.concat(chunks).toString())));
  });
}

function parse(answer: string): WebAnswer {
  const end = answer.indexOf('\r\n\r\n');
  const [statusLine = '', ...lines] = answer.slice(0, end).split('\r\n');
  const pairs = lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
  });
  const headers = new Map(pairs);
  const body = answer.slice(end + 4);
  const text = headers.get('transfer-encoding') === 'chunked' ? joinChunks(body) : body;
  return {
    status: Number(statusLine.split(' ')[1]),
    headers,
    cookies: pairs.filter(([name]) => name === 'set-cookie').map(([, value]) => value),
    text,
    json: /^\s*\{/.test(text) ? JSON.parse(text) : {},
  };
}

/** RFC 9112 §7.1, for texts of ASCII. */
function joinChunks(body: string): string {
  const [size = '', ...rest] = body.split('\r\n');
  const length = Number.parseInt(size, 16);
  const after = rest.join('\r\n');
  return length > 0 ? after.slice(0, length) + joinChunks(after.slice(length + 2)) : '';
}

/** What the web UI sends after a login: the token, or else what a browser and axios make of cookies. */
export function credentialsOf({ headers, cookies }: WebAnswer): Credentials {
  const token = headers.get('x-auth-token');
  if (token !== undefined) return [`X-Auth-Token: ${token}`];
  const pairs = cookies.map((cookie) => cookie.split(';')[0] ?? '');
  const secret = pairs.find((pair) => pair.startsWith('XSRF-TOKEN='))?.slice('XSRF-TOKEN='.length);
  return [`Cookie: ${pairs.join('; ')}`, ...(secret ? [`X-XSRF-TOKEN: ${secret}`] : [])];
}
