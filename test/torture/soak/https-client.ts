import type { IncomingHttpHeaders } from 'node:http';
import { Agent, request } from 'node:https';
import type { TLSSocket } from 'node:tls';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly began: number;
  readonly ended: number;
}

export interface Asked {
  readonly method?: string;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
}

/** A client with one connection that it keeps, as a browser or a management station has. */
export class HttpsClient {
  readonly #url: URL;
  readonly #served: (fingerprint: string, began: number, ended: number) => void;
  #agent = newAgent();

  /** @param served told what certificate each new connection was shown */
  constructor(url: string, served: HttpsClient['serve']) {
    this.#url = new URL(url);
    this.#served = served;
  }

  serve(fingerprint: string, began: number, ended: number): void {
    this.#served(fingerprint, began, ended);
  }

  /** @throws when the connection fails before the whole answer is there */
  ask(path: string, { method = 'GET', token, headers = {}, body }: Asked = {}): Promise<Answer> {
    const began = performance.now();
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const all = {
      ...headers,
      ...(token !== undefined && { 'X-Auth-Token': token }),
      ...(payload !== undefined && {
        'Content-Type': 'application/json',
        'Content-Length': String(Buffer.byteLength(payload)),
      }),
    };
    const { hostname: host, port } = this.#url;
    const target = { host, port, path, method, headers: all, agent: this.#agent };
    return new Promise((resolve, reject) => {
      const asked = request({ ...target, rejectUnauthorized: false, timeout: 60_000 });
      asked.once('socket', (socket) => this.#watch(socket as TLSSocket));
      asked.once('timeout', () => asked.destroy(new Error('no answer in a minute')));
      asked.once('error', reject);
      asked.once('response', (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.once('error', reject);
        response.once('end', () => {
          const { statusCode: status = 0, headers: received } = response;
          resolve({ status, headers: received, text, began, ended: performance.now() });
        });
      });
      asked.end(payload);
    });
  }

  /** Begins anew with another connection. */
  reconnect(): void {
    this.#agent.destroy();
    this.#agent = newAgent();
  }

  close(): void {
    this.#agent.destroy();
  }

  #watch(socket: TLSSocket): void {
    const began = performance.now();
    if (!socket.connecting) return;
    socket.once('secureConnect', () => {
      this.serve(socket.getPeerCertificate().fingerprint256, began, performance.now());
    });
  }
}

/** Without resumption: every connection shows the certificate of its moment. */
function newAgent(): Agent {
  return new Agent({ keepAlive: true, maxSockets: 1, maxCachedSessions: 0 });
}
