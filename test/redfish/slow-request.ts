import { connect as connectPlain } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../e2e/commands.ts';

export interface SlowRequest {
  readonly port: number;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: object;
  /** In place of a connection without TLS. */
  readonly connect?: (port: number) => ReturnType<typeof connectPlain>;
}

/**
 * Sends the headers of a request, and all of its body but the end, so that the service knows who it is and waits.
 * @returns sends the rest, and answers with the status
 */
export async function beginRequest({
  port,
  method,
  path,
  headers,
  body,
  connect = (to) => connectPlain(to, '127.0.0.1'),
}: SlowRequest): Promise<() => Promise<number>> {
  const text = JSON.stringify(body);
  const lines = Object.entries({
    Host: 'bmc',
    ...headers,
    'Content-Length': `${Buffer.byteLength(text)}`,
  });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const socket = connect(port);
  let answer = '';
  socket.on('error', () => undefined);
  socket.on('data', (chunk) => {
    answer += chunk;
  });
  socket.write(`${method} ${path} HTTP/1.1\r\n${head}\r\n${text.slice(0, -1)}`);
  await turns();
  return async () => {
    socket.write(text.slice(-1));
    await until('the answer', () => answer.includes('\r\n\r\n') || socket.destroyed);
    socket.destroy();
    return Number(answer.split(' ')[1]);
  };
}

/**
 * Time in which a service of this process reads what was sent to it, and hashes a password: however busy the machine is, sockets are
 * read between two sleeps.
 */
export async function turns(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await sleep(30);
}

/** The header of HTTP Basic for `name:password`. */
export function basic(as: string): Readonly<Record<string, string>> {
  return { Authorization: `Basic ${Buffer.from(as).toString('base64')}` };
}
