import { createServer as createPlain, type IncomingHttpHeaders } from 'node:http';
import { createServer as createTls } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Issued } from '../../fakes/openssl-authority.ts';

interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  body: string;
}

/** A real receiver of pushed events. */
export interface Receiver {
  readonly port: number;
  readonly requests: Received[];
  /** The keys of the messages that came, in their order. */
  messages(): string[];
  close(): void;
}

export interface ReceiverShape {
  /** Serves TLS with it. */
  readonly certificate?: Issued;
  /** What it answers; 0 never answers. */
  readonly status?: () => number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export async function startReceiver(shape: ReceiverShape = {}): Promise<Receiver> {
  const requests: Received[] = [];
  const { certificate, headers = {}, body = '' } = shape;
  const status = shape.status ?? (() => (body === '' ? 204 : 200));
  const server = certificate
    ? createTls({ key: certificate.key, cert: certificate.pem })
    : createPlain();
  server.on('request', (request, response) => {
    const seen = { path: request.url ?? '', headers: request.headers, body: '' };
    request.on('data', (chunk: Buffer) => {
      seen.body += chunk;
    });
    request.on('end', () => {
      requests.push(seen);
      const code = status();
      if (code !== 0) response.writeHead(code, headers).end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    requests,
    messages: () =>
      requests.map(
        ({ body }) => String(JSON.parse(body).Events[0].MessageId).split('.').at(-1) ?? '',
      ),
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
