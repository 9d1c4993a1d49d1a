import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, it } from 'node:test';
import { push } from '../../src/outbound/push-request.ts';

const limits = {
  ...{ allowLoopback: true, allowLinkLocal: false },
  ...{ deliveryMilliseconds: 300, responseBytes: 1000 },
};

describe('a push to a receiver', () => {
  const sockets = new Set<Socket>();
  const servers: Server[] = [];

  afterEach(() => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
    for (const server of servers.splice(0)) server.close();
  });

  async function pushTo(answer: (socket: Socket) => void, signal = new AbortController().signal) {
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => sockets.delete(socket));
      socket.once('data', () => answer(socket));
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    return push({ url: new URL(`http://127.0.0.1:${port}/`), headers: [] }, '{}', limits, signal);
  }

  function drip(socket: Socket, text: string): void {
    const timer = setInterval(() => socket.write(text), 10);
    socket.on('close', () => clearInterval(timer));
  }

  const switching = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n';
  const failures: Readonly<Record<string, readonly [(socket: Socket) => void, RegExp]>> = {
    'changes the protocol': [(socket) => socket.write(switching), /another protocol/],
    'hangs up without an answer': [(socket) => socket.end(), /hang up|without an answer/],
    'says nothing': [() => undefined, /in time/],
    'says for ever that it is at work': [
      (socket) => drip(socket, 'HTTP/1.1 102 Processing\r\n\r\n'),
      /in time/,
    ],
    'never ends its header': [
      (socket) => {
        socket.write('HTTP/1.1 200 OK\r\n');
        drip(socket, 'X: y\r\n');
      },
      /in time/,
    ],
  };
  for (const [what, [answer, reason]] of Object.entries(failures)) {
    it(`that ${what} fails and leaves no connection`, async () => {
      await assert.rejects(pushTo(answer), reason);
      while (sockets.size > 0) await new Promise((resolve) => setTimeout(resolve, 2));
    });
  }

  it('that never ends its body has succeeded by its status, and leaves no connection', async () => {
    const status = await pushTo((socket) => {
      socket.write('HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n');
      drip(socket, '1\r\na\r\n');
    });
    assert.equal(status, 202);
    while (sockets.size > 0) await new Promise((resolve) => setTimeout(resolve, 2));
  });

  it('leaves nothing with the signal that could call it off and goes on after it', async () => {
    const { signal } = new AbortController();
    for (let attempt = 0; attempt < 20; attempt += 1) {
      await pushTo((socket) => socket.end('HTTP/1.1 204 No Content\r\n\r\n'), signal);
    }
    await assert.rejects(
      pushTo(() => undefined, signal),
      /in time/,
    );
    assert.deepEqual(getEventListeners(signal, 'abort'), []);
    // Node keeps the signals that depend on another one in sets of it
    const kept = Object.getOwnPropertySymbols(signal)
      .map((key): unknown => Reflect.get(signal, key))
      .flatMap((one) => (isCollection(one) ? [one.size] : []));
    assert.ok(
      kept.every((size) => size === 0),
      String(kept),
    );
  });

  it('ends when it is called off, before it begins as well', async () => {
    const calling = new AbortController();
    await assert.rejects(
      pushTo(() => calling.abort(), calling.signal),
      { name: 'AbortError' },
    );
    await assert.rejects(
      pushTo(() => undefined, AbortSignal.abort()),
      { name: 'AbortError' },
    );
  });
});

function isCollection(value: unknown): value is { size: number } {
  return typeof value === 'object' && value !== null && 'size' in value;
}
