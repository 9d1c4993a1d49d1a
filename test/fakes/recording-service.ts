import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Issued } from './openssl-authority.ts';

export interface RecordedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** A Redfish service of a test's own, which tells what it was sent and shown. */
export interface RecordingService {
  readonly url: string;
  readonly port: number;
  readonly requests: readonly RecordedRequest[];
  /** Subjects of the certificates that clients showed, one for each handshake with one. */
  readonly shown: readonly string[];
  /** Shows another certificate from now on. */
  present(identity: Issued): void;
  forget(): void;
  close(): Promise<void>;
}

export interface RecordedAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** @param answer what to answer; 404 where it answers nothing */
export async function recordingService(
  identity: Issued,
  answer: (request: RecordedRequest) => RecordedAnswer | undefined,
): Promise<RecordingService> {
  const requests: RecordedRequest[] = [];
  const shown: string[] = [];
  const credential = ({ pem: cert, key }: Issued) => ({ cert, key });
  const server = createServer(
    { ...credential(identity), requestCert: true, rejectUnauthorized: false },
    (incoming, response) => {
      let body = '';
      incoming.on('data', (chunk) => {
        body += chunk;
      });
      incoming.on('end', () => {
        const { method = '', url = '', headers } = incoming;
        const request = { method, url, headers, body };
        requests.push(request);
        const { status = 200, headers: own = {}, body: json } = answer(request) ?? { status: 404 };
        response.writeHead(status, { 'Content-Type': 'application/json', ...own });
        response.end(json === undefined ? '' : JSON.stringify(json));
      });
    },
  );
  server.on('secureConnection', (socket: TLSSocket) => {
    const { subject } = socket.getPeerX509Certificate() ?? {};
    if (subject !== undefined) shown.push(subject);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `https://127.0.0.1:${port}`,
    requests,
    shown,
    present: (other) => server.setSecureContext(credential(other)),
    forget() {
      requests.length = 0;
      shown.length = 0;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The beginning of a Redfish service, and a session for every client that asks. */
export function openDoor({ method, url }: RecordedRequest): RecordedAnswer | undefined {
  if (url === '/redfish/v1/') {
    const sessions = { '@odata.id': '/redfish/v1/SessionService/Sessions' };
    return { body: { '@odata.id': '/redfish/v1', Links: { Sessions: sessions } } };
  }
  if (method === 'POST' && url === '/redfish/v1/SessionService/Sessions') {
    const headers = { 'X-Auth-Token': 'token', Location: `${url}/1` };
    return { status: 201, headers, body: {} };
  }
  return method === 'DELETE' ? { status: 204 } : undefined;
}
