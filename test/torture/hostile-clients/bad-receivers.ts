import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';

/** A receiver of events that does not behave. */
export interface BadReceiver {
  readonly url: string;
  /** How often somebody came to it. */
  visits(): number;
  close(): void;
}

const kinds = {
  'never answers': () => undefined,
  'answers a byte at a time': (socket: Socket) =>
    repeat(socket, 50, 'HTTP/1.1 204 No Content\r\n'.repeat(50)),
  'sends headers without end': (socket: Socket) => {
    socket.write('HTTP/1.1 200 OK\r\n');
    repeat(socket, 5, 'X: y\r\n');
  },
  'sends a body without end': (socket: Socket) => {
    socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    repeat(socket, 5, `2000\r\n${'x'.repeat(0x2000)}\r\n`);
  },
  'promises an answer again and again': (socket: Socket) => {
    repeat(socket, 5, 'HTTP/1.1 102 Processing\r\n\r\n');
  },
  'wants another protocol': (socket: Socket) =>
    void socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
    ),
  'says nonsense': (socket: Socket) => void socket.end('\u0000\u0001 nonsense\r\n\r\n'),
  'hangs up': (socket: Socket) => void socket.resetAndDestroy(),
} as const satisfies Readonly<Record<string, (socket: Socket) => unknown>>;

export type BadKind = keyof typeof kinds;

export const badKinds = Object.keys(kinds) as readonly BadKind[];

export function startBadReceiver(kind: BadKind): Promise<BadReceiver> {
  return startReceiver((socket) => void kinds[kind](socket));
}

/** Sends whoever comes on to another one. */
export function startRedirection(to: string): Promise<BadReceiver> {
  const lines = ['HTTP/1.1 307 Temporary Redirect', `Location: ${to}`, 'Content-Length: 0', '', ''];
  return startReceiver((socket) => void socket.write(lines.join('\r\n')));
}

export function startGoodReceiver(): Promise<BadReceiver> {
  return startReceiver((socket) => void socket.write('HTTP/1.1 204 No Content\r\n\r\n'));
}

async function startReceiver(answer: (socket: Socket) => void): Promise<BadReceiver> {
  let visits = 0;
  const open = new Set<Socket>();
  const server: Server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => open.delete(socket));
    socket.once('data', () => {
      visits += 1;
      answer(socket);
    });
    socket.resume();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`,
    visits: () => visits,
    close() {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}

/** Writes a text in pieces for as long as somebody listens. */
function repeat(socket: Socket, milliseconds: number, text: string): void {
  let at = 0;
  const piece = milliseconds >= 50 ? 1 : text.length;
  const timer = setInterval(() => {
    socket.write(text.slice(at, at + piece));
    at = (at + piece) % text.length;
  }, milliseconds);
  socket.once('close', () => clearInterval(timer));
}
