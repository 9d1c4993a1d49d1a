import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Message, renderErrors } from '../messages/base-registry.ts';
import { commonHeaders } from './common-headers.ts';
import { jsonText, jsonType } from './send.ts';

/** An error reply to a request that never reaches the application; the connection ends with it. */
interface EarlyError {
  readonly status: number;
  readonly message: Message;
  /** Headers of this error, such as `Allow`. */
  readonly headers?: Readonly<Record<string, string>>;
}

function render({ message, headers: more }: EarlyError) {
  const body = jsonText(renderErrors([message]));
  const headers: Readonly<Record<string, string>> = {
    ...commonHeaders,
    ...more,
    'Content-Type': jsonType,
    'Content-Length': String(Buffer.byteLength(body)),
    Connection: 'close',
  };
  return { headers, body };
}

/** Node leaves the body out in a reply to HEAD. */
export function refuseRequest(res: ServerResponse, error: EarlyError): void {
  const { headers, body } = render(error);
  res.writeHead(error.status, headers).end(body);
}

/** Node has the client wait for `100-continue`; the service meets no other expectation. */
export function refuseExpectation(_req: IncomingMessage, res: ServerResponse): void {
  refuseRequest(res, { status: 417, message: { id: 'HeaderInvalid', args: ['Expect'] } });
}

/** CONNECT comes with a bare socket: this is no proxy. */
export function refuseTunnel(_req: IncomingMessage, socket: Duplex): void {
  socket.on('error', () => socket.destroy());
  refuseConnection(socket, {
    status: 405,
    message: { id: 'OperationNotAllowed', args: [] },
    headers: { Allow: 'GET, HEAD' },
  });
}

/** What Node tells of a request that it cannot parse. */
interface ParserError extends NodeJS.ErrnoException {
  readonly rawPacket?: Buffer;
}

/**
 * The listener for requests that Node's HTTP parser refuses. Node calls it for failed TLS handshakes as well: their clients
 * can read no answer, and an `end` would wait for ever.
 */
export function refuseUnparsable(allowedAt: (path: string) => readonly string[]) {
  const refused = new WeakSet<Duplex>();
  return (error: ParserError, socket: Duplex): void => {
    // Node calls for every further piece too
    if (refused.has(socket)) return;
    refused.add(socket);
    const code = error.code ?? '';
    // A parser that was told to pause met a client that sends on: there is nothing wrong to tell it of
    const isHttp = /^(HPE_|ERR_HTTP_)/.test(code) && !code.startsWith('HPE_PAUSED');
    if (!isHttp || !socket.writable) {
      socket.destroy();
      return;
    }
    const { status, id } = parserErrors[code] ?? { status: 400, id: 'UnrecognizedRequestBody' };
    const message: Message = { id, args: [] };
    // DSP0266 wants Allow on every 405, also where Node's parser does not know the method
    const allow = status === 405 && { Allow: allowedAt(targetOf(error)).join(', ') };
    refuseConnection(socket, { status, message, ...(allow && { headers: allow }) });
  };
}

const parserErrors: Readonly<Record<string, { status: number; id: Message['id'] }>> = {
  HPE_INVALID_METHOD: { status: 405, id: 'OperationNotAllowed' },
  HPE_HEADER_OVERFLOW: { status: 431, id: 'PayloadTooLarge' },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, id: 'OperationTimeout' },
};

/** The path of a request line that was not understood. */
function targetOf({ rawPacket }: ParserError): string {
  const [line = ''] = (rawPacket ?? Buffer.alloc(0)).toString('latin1', 0, 8192).split('\r\n', 1);
  return line.split(' ')[1]?.split('?')[0] ?? '';
}

const lingerMilliseconds = 1000;

/** Where Node has no response to write to. Nothing of the client stands in the headers. */
function refuseConnection(socket: Duplex, error: EarlyError): void {
  const { headers, body } = render(error);
  const { status } = error;
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('\r\n')}\r\n\r\n${body}`);
  // A client that does not close its side must not keep the connection
  setTimeout(() => socket.destroy(), lingerMilliseconds).unref();
}
