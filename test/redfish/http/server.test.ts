import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:https';
import { type AddressInfo, connect as connectTcp, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { generateCertificate } from '../../../src/manager/credential/generated-certificate.ts';
import { makeServer, type ServerLimits } from '../../../src/redfish/http/server.ts';
import { exportPrivateKey } from '../../../src/x509/keys.ts';
import { until } from '../../e2e/commands.ts';
import { fixedIdentity } from '../../fakes/fixed-identity.ts';

const limits: ServerLimits = {
  headerBytes: 2048,
  connections: 3,
  connectionsPerAddress: 3,
  unansweredRequests: 8,
  // Enough for an honest client of this process on a busy machine
  requestMilliseconds: 1500,
  idleMilliseconds: 1500,
  handshakeMilliseconds: 1500,
  sendMilliseconds: 2000,
};

describe('the HTTPS server', () => {
  const directory = mkdtempSync(join(tmpdir(), 'server-'));
  let server: Server;
  let port: number;

  before(async () => {
    const certificatePath = join(directory, 'server.pem');
    const policy = {
      validDays: 5,
      renewBeforeDays: 1,
      curve: 'prime256v1',
      organization: 'x',
    } as const;
    const identity = { hostName: 'bmc', addresses: [] };
    const { key, leaf } = generateCertificate(identity, policy, Date.now());
    writeFileSync(certificatePath, exportPrivateKey(key) + leaf.pem);
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    server = makeServer(
      { identity: fixedIdentity(certificatePath), limits, log },
      {
        handler: (req, res) => {
          req.resume();
          req.on('end', () => res.end('served'));
        },
        allowedAt: (path) => (path === '/' ? ['GET', 'POST'] : []),
      },
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  });

  after(() => {
    server.close();
    server.closeAllConnections();
    rmSync(directory, { recursive: true });
  });

  const refusals = [
    {
      what: 'a method that HTTP does not have',
      request: 'FAKEMETHODFORTEST / HTTP/1.1\r\nHost: bmc\r\n\r\n',
      status: 405,
      message: 'OperationNotAllowed',
    },
    {
      what: 'a header that is too large',
      request: `GET / HTTP/1.1\r\nHost: bmc\r\nX-Large: ${'x'.repeat(4000)}\r\n\r\n`,
      status: 431,
      message: 'PayloadTooLarge',
    },
    {
      what: 'what is not HTTP',
      request: 'GET nonsense\r\n\r\n',
      status: 400,
      message: 'UnrecognizedRequestBody',
    },
    {
      what: 'two lengths of one body',
      request: 'POST / HTTP/1.1\r\nHost: bmc\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
      status: 400,
      message: 'UnrecognizedRequestBody',
    },
    {
      what: 'a length together with chunks',
      request:
        'POST / HTTP/1.1\r\nHost: bmc\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      status: 400,
      message: 'UnrecognizedRequestBody',
    },
  ];
  refusals.push(
    {
      what: 'an expectation that nobody can meet',
      request: 'GET / HTTP/1.1\r\nHost: bmc\r\nExpect: tea\r\n\r\n',
      status: 417,
      message: 'HeaderInvalid',
    },
    {
      what: 'a tunnel',
      request: 'CONNECT other:443 HTTP/1.1\r\nHost: bmc\r\n\r\n',
      status: 405,
      message: 'OperationNotAllowed',
    },
  );
  for (const { what, request, status, message } of refusals) {
    it(`refuses ${what} with a Redfish error and closes`, async () => {
      const answer = await exchange(await open(), request);
      assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `));
      assert.match(answer, new RegExp(`"MessageId": "Base\\.\\d+\\.\\d+\\.${message}"`));
      assert.match(answer, /\r\n\r\n\{\s*"error": \{\s*"@Message\.ExtendedInfo": \[/);
      assert.match(answer, /Connection: close/);
      assert.match(answer, /^Content-Security-Policy: default-src 'none'/m);
      assert.match(answer, /^OData-Version: 4\.0\r$/m);
    });
  }

  it('closes a connection that stays idle', async () => {
    const answer = await exchange(await open(), 'GET / HTTP/1.1\r\nHost: bmc\r\n\r\n');
    assert.match(answer, /served/);
  });

  it('drops whoever connects and begins no handshake', async () => {
    const sockets = Array.from({ length: limits.connections }, () => tcp(port, '127.0.0.1'));
    await Promise.all(
      sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve))),
    );
    (await open()).destroy();
  });

  it('drops whoever sends neither TLS nor HTTP', async () => {
    const socket = tcp(port, '127.0.0.1');
    socket.write('\0\0\0\0\0');
    await new Promise((resolve) => socket.once('close', resolve));
  });

  for (const [what, request] of [
    ['a whole request', 'GET / HTTP/1.1\r\nHost: bmc\r\n\r\n'],
    ['one with a large body', `POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n${'x'.repeat(300_000)}`],
    ['the beginning of one', 'P'],
  ] as const) {
    it(`tells whoever sends HTTP without TLS to take https, and closes: ${what}`, async () => {
      // It never closes its own side
      const socket = connectTcp({ port, host: '127.0.0.1', allowHalfOpen: true });
      const answer = await exchange(socket, request);
      assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/);
      assert.match(answer, /\r\n\r\nThis port speaks HTTPS: begin the URL with https:\/\/ /);
      socket.destroy();
    });
  }

  it('speaks no TLS below 1.2', async () => {
    await assert.rejects(open({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1' }));
    const socket = await open({ maxVersion: 'TLSv1.2' });
    assert.match(socket.getCipher().name, /^ECDHE-.*(GCM|POLY1305)/);
    socket.destroy();
  });

  it('takes no more connections than the limit, and more when one has ended', async () => {
    const sockets = await Promise.all([open(), open(), open()]);
    await assert.rejects(open());
    for (const socket of sockets) socket.destroy();
    const next = await until('a place is free', () => open().catch(() => undefined));
    next.destroy();
  });

  function open(options: object = {}): Promise<TLSSocket> {
    return new Promise((resolve, reject) => {
      const all = { port, host: '127.0.0.1', rejectUnauthorized: false, ...options };
      const socket = connect(all, () => resolve(socket));
      socket.on('error', reject);
      socket.on('close', () => reject(new Error('closed')));
    });
  }
});

/** A connection that reads, so that it sees its end, and does nothing else. */
function tcp(port: number, host: string): Socket {
  const socket = connectTcp(port, host);
  socket.resume();
  socket.on('error', () => undefined);
  return socket;
}

/** Sends a request and reads until the server closes the connection. */
function exchange(socket: Socket, request: string): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('end', () => resolve(text));
    socket.on('close', () => resolve(text));
    socket.write(request);
  });
}
