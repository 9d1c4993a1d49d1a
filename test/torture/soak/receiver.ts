import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Takes pushed events. */
export interface Receiver {
  /** For subscriptions of which only the answers count. */
  readonly brief: string;
  /** For one subscription whose events are kept. */
  readonly lasting: string;
  /** Numbers of the events of the lasting subscription in the order in which they came. */
  readonly received: readonly number[];
  close(): void;
}

export async function startReceiver(): Promise<Receiver> {
  const received: number[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk;
    });
    request.on('end', () => {
      if (request.url === '/lasting') received.push(Number(JSON.parse(body).Id));
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    brief: `${url}/brief`,
    lasting: `${url}/lasting`,
    received,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
