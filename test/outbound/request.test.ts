import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, it } from 'node:test';
import { nameLookup } from '../../src/outbound/name-lookup.ts';
import { type OutboundLimits, sendRequest } from '../../src/outbound/request.ts';

const limits = {
  ...{ allowLoopback: true, allowLinkLocal: false },
  ...{ milliseconds: 60_000, responseBytes: 1000 },
};
/** Of those that are to fail for want of it. */
const littleTime = { ...limits, milliseconds: 300 };

describe('a request to a server of others', () => {
  const sockets = new Set<Socket>();
  const servers: Server[] = [];

  afterEach(() => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
    for (const server of servers.splice(0)) server.close();
  });

  async function sendTo(
    answer: (socket: Socket) => void,
    signal = new AbortController().signal,
    within: OutboundLimits = limits,
    localAddress?: string,
  ) {
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => sockets.delete(socket));
      socket.once('data', () => answer(socket));
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const url = new URL(`http://127.0.0.1:${port}/`);
    const request = { method: 'POST', url, headers: { 'X-Key': 'k' }, body: '{}' };
    const from = localAddress === undefined ? {} : { localAddress };
    return sendRequest({ ...request, ...from }, within, nameLookup(), signal);
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
      const within = reason.test('in time') ? littleTime : limits;
      await assert.rejects(sendTo(answer, undefined, within), reason);
      while (sockets.size > 0) await new Promise((resolve) => setTimeout(resolve, 2));
    });
  }

  it('that never ends its body has succeeded by its status, and leaves no connection', async () => {
    const answer = (socket: Socket) => {
      socket.write('HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n');
      drip(socket, '1\r\na\r\n');
    };
    // Time enough for the header
    const within = { ...limits, milliseconds: 3000 };
    const { status, end } = await sendTo(answer, undefined, within);
    assert.deepEqual([status, end], [202, 'late']);
    while (sockets.size > 0) await new Promise((resolve) => setTimeout(resolve, 2));
  });

  it('is answered by a status, headers and a body', async () => {
    const { status, headers, body, end } = await sendTo((socket) =>
      socket.end('HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: 4\r\n\r\ntext'),
    );
    assert.deepEqual([status, headers['x-a'], body.toString(), end], [200, 'b', 'text', 'whole']);
  });

  const bodies: readonly [string, string, string][] = [
    ['breaks off', 'Content-Length: 10\r\n\r\ntext', 'cut off'],
    ['is announced to be longer than the limit', 'Content-Length: 1001\r\n\r\n', 'too large'],
    ['is longer than the limit', `\r\n${'x'.repeat(1001)}`, 'too large'],
  ];
  for (const [what, answer, expected] of bodies) {
    it(`whose answer ${what} has its status, and says how the body ended`, async () => {
      const { status, body, end } = await sendTo((socket) =>
        socket.end(`HTTP/1.1 200 OK\r\n${answer}`),
      );
      assert.deepEqual([status, end], [200, expected]);
      assert.ok(body.length <= 1000);
    });
  }

  it('ends early when the server falls silent in its header or its body', async () => {
    // Time enough for the header
    const silent = { ...limits, idleMilliseconds: 3000 };
    await assert.rejects(
      sendTo(() => undefined, undefined, { ...limits, idleMilliseconds: 50 }),
      /in time/,
    );
    const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\ntext';
    const { end } = await sendTo((socket) => socket.write(answer), undefined, silent);
    assert.equal(end, 'late');
  });

  it('is sent from the address that is asked for, and to none of another family', async () => {
    let source: string | undefined;
    const answer = (socket: Socket) => {
      source = socket.remoteAddress;
      socket.end('HTTP/1.1 204 No Content\r\n\r\n');
    };
    await sendTo(answer, undefined, limits, '127.0.0.9');
    assert.equal(source, '127.0.0.9');
    await assert.rejects(sendTo(answer, undefined, limits, '::1'), /can be the source/);
  });

  it('leaves nothing with the signal that could call it off and goes on after it', async () => {
    const { signal } = new AbortController();
    for (let attempt = 0; attempt < 20; attempt += 1) {
      await sendTo((socket) => socket.end('HTTP/1.1 204 No Content\r\n\r\n'), signal);
    }
    await assert.rejects(
      sendTo(() => undefined, signal, littleTime),
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
      sendTo(() => calling.abort(), calling.signal),
      { name: 'AbortError' },
    );
    await assert.rejects(
      sendTo(() => undefined, AbortSignal.abort()),
      { name: 'AbortError' },
    );
  });
});

function isCollection(value: unknown): value is { size: number } {
  return typeof value === 'object' && value !== null && 'size' in value;
}
