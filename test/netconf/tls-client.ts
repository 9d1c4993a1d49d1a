import { connect, type TLSSocket } from 'node:tls';
import { until } from '../e2e/commands.ts';
import type { Issued } from '../fakes/openssl-authority.ts';

const hello =
  '<hello xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"><capabilities><capability>urn:ietf:params:netconf:base:1.0</capability></capabilities></hello>]]>]]>';

/** A client of NETCONF in framing 1.0 over TLS. */
export interface TlsClient {
  /** All that the service has sent. */
  readonly received: () => string;
  /** Whether the connection has ended. */
  readonly isOver: () => boolean;
  /** The certificate that the service showed. */
  readonly shown: () => string;
  /** @param operation the child of `<rpc>`. @returns the reply */
  rpc(operation: string): Promise<string>;
  send(operation: string): void;
  close(): void;
}

export interface TlsClientOptions {
  readonly port: number;
  /** Of the service; PEM. */
  readonly trusts: string;
  /** Certificate of the client and its chain; none for a client without. */
  readonly shows?: readonly [Issued, ...Issued[]];
}

/** @returns once the connection is made; whether the service lets the client in shows later */
export async function connectClient(options: TlsClientOptions): Promise<TlsClient> {
  const { port, trusts, shows } = options;
  const socket: TLSSocket = connect({
    ...{ port, host: '127.0.0.1', servername: 'localhost', ca: trusts },
    ...(shows && { key: shows[0].key, cert: shows.map(({ pem }) => pem).join('') }),
  });
  let received = '';
  let isOver = false;
  let shown = '';
  let id = 0;
  socket.setEncoding('utf8');
  socket.on('data', (text: string) => {
    received += text;
  });
  socket.on('secureConnect', () => {
    shown = socket.getPeerX509Certificate()?.fingerprint256 ?? '';
  });
  socket.on('error', () => undefined);
  socket.once('close', () => {
    isOver = true;
  });
  await until('the connection is made', async () => shown !== '' || isOver);
  const client: TlsClient = {
    received: () => received,
    isOver: () => isOver,
    shown: () => shown,
    send(operation) {
      id += 1;
      socket.write(
        `${id === 1 ? hello : ''}<rpc xmlns="urn:ietf:params:xml:ns:netconf:base:1.0" message-id="${id}">${operation}</rpc>]]>]]>`,
      );
    },
    async rpc(operation) {
      client.send(operation);
      const wanted = id;
      const replies = () => received.split(']]>]]>').slice(1, -1);
      const reply = () => replies().find((one) => one.includes(`message-id="${wanted}"`));
      return until('there is a reply', async () => {
        const found = reply();
        if (found === undefined && isOver) throw new Error('the connection has ended');
        return found;
      });
    },
    close: () => socket.destroy(),
  };
  return client;
}
