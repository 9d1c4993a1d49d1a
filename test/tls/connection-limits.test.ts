import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import type { Server } from 'node:https';
import { type AddressInfo, connect as connectTcp, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, afterEach, before, describe, it } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { generateCertificate } from '../../src/manager/credential/generated-certificate.ts';
import { makeServer, type ServerLimits } from '../../src/redfish/http/server.ts';
import { connectionsOfAddress } from '../../src/tls/connection-limits.ts';
import { exportPrivateKey } from '../../src/x509/keys.ts';
import { finishWithReset } from '../fakes/finish-with-reset.ts';
import { fixedIdentity } from '../fakes/fixed-identity.ts';

const limits: ServerLimits = {
  headerBytes: 8192,
  connections: 20,
  connectionsPerAddress: 3,
  sendMilliseconds: 5000,
  unansweredRequests: 4,
  requestMilliseconds: 5000,
  idleMilliseconds: 5000,
  handshakeMilliseconds: 5000,
};

describe('one client of the HTTPS server', () => {
  const directory = mkdtempSync(join(tmpdir(), 'limits-'));
  const open: Socket[] = [];
  let handler: RequestListener = (_req, res) => res.end();
  let server: Server;
  let port: number;

  before(async () => {
    const certificatePath = join(directory, 'server.pem');
    const policy = { validDays: 5, renewBeforeDays: 1, organization: 'x' } as const;
    const identity = { hostName: 'bmc', addresses: [] };
    const made = generateCertificate(identity, { ...policy, curve: 'prime256v1' }, Date.now());
    writeFileSync(certificatePath, exportPrivateKey(made.key) + made.leaf.pem);
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    server = makeServer(
      { identity: fixedIdentity(certificatePath), limits, log },
      { handler: (req, res) => handler(req, res), allowedAt: () => [] },
    );
    await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
    port = (server.address() as AddressInfo).port;
  });
  after(() => {
    server.close();
    server.closeAllConnections();
    rmSync(directory, { recursive: true });
  });
  afterEach(async () => {
    for (const socket of open.splice(0)) socket.destroy();
    await until(async () => (await connections()) === 0);
  });

  const connections = () =>
    new Promise<number>((resolve) => server.getConnections((_error, count) => resolve(count)));

  function tls(localAddress = '127.0.0.1'): Promise<TLSSocket> {
    return new Promise((resolve, reject) => {
      const options = { port, host: '127.0.0.1', localAddress, rejectUnauthorized: false };
      const socket = connect(options, () => resolve(socket));
      open.push(socket);
      socket.on('error', reject);
      socket.on('close', () => reject(new Error('closed')));
    });
  }

  function tcp(localAddress = '127.0.0.1'): Socket {
    const socket = connectTcp({ port, host: '127.0.0.1', localAddress });
    open.push(socket);
    socket.on('error', () => undefined);
    return socket;
  }

  const request = (at: number, line = 'GET') =>
    `${line} /${at} HTTP/1.1\r\nHost: bmc\r\n${line === 'GET' ? '' : 'Expect: tea\r\n'}\r\n`;

  it('gets the answers to a few requests at once in their order, however often', async () => {
    handler = (req, res) => {
      // The first is ready last
      setTimeout(() => res.end(`[${req.url}]`), 20 - 5 * (Number(req.url?.slice(1)) % 4));
    };
    const socket = await tls();
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    const asked: string[] = [];
    for (let round = 0; round < 5; round += 1) {
      const numbers = [0, 1, 2, 3].map((at) => round * 4 + at);
      asked.push(...numbers.map((at) => `[/${at}]`));
      socket.write(numbers.map((at) => request(at)).join(''));
      await until(() => text.includes(asked.at(-1) ?? ''));
    }
    assert.deepEqual(text.match(/\[\/\d+\]/g), asked);
  });

  it('that sends requests and awaits no answer is cut off, and costs no more work than the limit', async () => {
    let works = 0;
    handler = () => {
      works += 1;
    };
    const socket = await tls();
    socket.write(Array.from({ length: 2000 }, (_, at) => request(at)).join(''));
    await gone(socket);
    assert.equal(works, limits.unansweredRequests);
  });

  it('is cut off as well for requests that are refused before the application', async () => {
    let works = 0;
    handler = () => {
      works += 1;
    };
    const socket = await tls();
    // The answer to the first request, which never comes, holds back all others
    socket.write(request(0) + Array.from({ length: 50 }, (_, at) => request(at, 'POST')).join(''));
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    await gone(socket);
    assert.deepEqual([works, text], [1, '']);
  });

  it('is told of no error when a paused parser gets more', () => {
    const socket = new PassThrough();
    server.emit('clientError', Object.assign(new Error('Paused'), { code: 'HPE_PAUSED' }), socket);
    assert.equal(socket.destroyed, true);
    assert.equal(socket.read(), null);
  });

  it('is told of an error once', () => {
    const socket = new PassThrough();
    const error = Object.assign(new Error('Parse Error'), { code: 'HPE_INVALID_CONSTANT' });
    for (let times = 0; times < 3; times += 1) server.emit('clientError', error, socket);
    // Else the answer might not reach the client
    assert.equal(socket.destroyed, false);
    assert.equal(String(socket.read()).match(/HTTP\/1\.1 400/g)?.length, 1);
  });

  it('has no more than its share of the connections, and others have theirs', async () => {
    handler = (_req, res) => res.end('served');
    const silent = Array.from({ length: 3 }, () => tcp());
    await until(async () => (await connections()) === 3);
    for (let times = 0; times < 5; times += 1) await assert.rejects(tls());
    await gone(tcp());
    await until(async () => (await connections()) === 3);
    const other = await tls('127.0.0.2');
    let text = '';
    other.on('data', (chunk) => {
      text += chunk;
    });
    other.write(request(0));
    await until(() => text.endsWith('served'));
    silent[0]?.destroy();
    await until(async () => (await connections()) === 3);
    (await tls()).destroy();
  });

  it('gets in while strangers from 20 addresses hold all connections idle', async () => {
    handler = (_req, res) => res.end('served');
    const begun = 'POST / HTTP/1.1\r\nHost: bmc\r\nContent-Length: 9\r\n\r\n{';
    for (const [round, words] of [undefined, '', begun].entries()) {
      for (let at = 1; at <= 20; at += 1) {
        const from = `127.0.${round + 1}.${at}`;
        if (words === undefined) tcp(from);
        else (await tls(from)).write(words);
      }
      await until(async () => (await connections()) >= limits.connections);
      const operator = await tls();
      let text = '';
      operator.on('data', (chunk) => {
        text += chunk;
      });
      operator.write(request(0));
      await until(() => text.endsWith('served'));
      assert.ok((await connections()) <= limits.connections + 1);
      operator.destroy();
    }
  });

  it('has no request served that came with a reset, whose sender has no address any more', async () => {
    const served: (string | undefined)[] = [];
    handler = ({ socket }, res) => {
      served.push(socket.remoteAddress);
      res.end();
    };
    for (let times = 0; times < 5; times += 1) await finishWithReset(tcp(), request(0));
    await until(async () => (await connections()) === 0);
    (await tls()).write(request(0));
    await until(() => served.length > 0);
    assert.deepEqual([...new Set(served)], ['127.0.0.1']);
  });

  const refusals: Readonly<Record<string, readonly [string, string]>> = {
    'a target with a user name': ['GET https://user@bmc/redfish/v1 HTTP/1.1', 'InvalidURI'],
    'a target that is another server': ['GET http://evil/redfish/v1 HTTP/1.1', 'InvalidURI'],
    'a target that is no URL at all': ['GET http://[::1/redfish/v1 HTTP/1.1', 'InvalidURI'],
    'a fragment in its target': ['GET /redfish/v1#x HTTP/1.1', 'InvalidURI'],
    'a target that is only a star': ['OPTIONS * HTTP/1.1', 'InvalidURI'],
    'a host in its target that is none': ['GET https://b%zz/ HTTP/1.1', 'HeaderInvalid'],
    'two hosts': ['GET / HTTP/1.1\r\nHost: other', 'HeaderInvalid'],
    'two hosts, one behind many headers': [
      `GET / HTTP/1.1\r\nHost: other\r\n${'a:\r\n'.repeat(1100)}b: c`,
      'HeaderInvalid',
    ],
    'the same host twice': ['GET / HTTP/1.1\r\nHOST: bmc', 'HeaderInvalid'],
  };
  for (const [what, [line, message]] of Object.entries(refusals)) {
    it(`is refused ${what}`, async () => {
      handler = (_req, res) => res.end('served');
      const socket = await tls();
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk;
      });
      socket.write(`${line}\r\nHost: bmc\r\n\r\n${request(1)}`);
      await gone(socket);
      const [head = '', body = ''] = text.split('\r\n\r\n');
      assert.match(head, /^HTTP\/1\.1 400 /);
      assert.match(head, /^OData-Version: 4\.0\r$/m);
      assert.match(head, /^Connection: close/m);
      const { error } = JSON.parse(body);
      assert.equal(Object.keys(error)[0], '@Message.ExtendedInfo');
      const [info] = error['@Message.ExtendedInfo'];
      assert.match(info.MessageId, new RegExp(`^Base\\.1\\.\\d+\\.${message}$`));
    });
  }

  const hosts: Readonly<Record<string, readonly string[]>> = {
    served: [
      ...['bmc', 'bmc:8443', 'bmc:', 'my_bmc.lab', '192.0.2.1:443', '[2001:db8::1]:443'],
      ...['[fe80::1%25eth0]', '[v1.a:b]', 'b%C3%BCro.example', ''],
    ],
    refused: [
      ...['a b/c?<x>', 'bmc/redfish', 'user@bmc', 'bmc:https', 'bmc:1:2', '2001:db8::1', 'a\tb'],
      ...['[::1', '[bmc]', 'a"b', 'b%zz', 'b\u00fcro', 'bmc, other', '\\'],
    ],
  };
  const cases = Object.entries(hosts).flatMap(([verdict, list]) =>
    list.map((host) => [host, verdict] as const),
  );
  for (const [host, verdict] of cases) {
    // RFC 9112 §3.2
    it(`is ${verdict} with the host ${JSON.stringify(host)}`, async () => {
      handler = (_req, res) => res.end();
      const socket = await tls();
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk;
      });
      const lines = ['GET / HTTP/1.1', `Host: ${host}`, 'Connection: close'];
      socket.write(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'));
      await gone(socket);
      assert.match(text, verdict === 'served' ? /^HTTP\/1\.1 200 / : /^HTTP\/1\.1 400 /);
    });
  }

  it('has every header heard, however many are before it', async () => {
    handler = ({ headers, rawHeaders }, res) => {
      res.end(`${headers['if-match']} ${rawHeaders.length}`);
    };
    const socket = await tls();
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    const many = 'a:\r\n'.repeat(1500);
    const last = 'If-Match: "x"\r\nConnection: close\r\n';
    socket.write(`GET / HTTP/1.1\r\nHost: bmc\r\n${many}${last}\r\n`);
    await gone(socket);
    assert.equal(text.split('\r\n\r\n')[1], '"x" 3006');
  });

  const absolute: readonly (readonly [string, string])[] = [
    ['https://bmc/redfish/v1?only', '/redfish/v1?only bmc'],
    ['HTTPS://other:8443', '/ other:8443'],
    ['https://[::1]?only', '/?only [::1]'],
    ['https://bmc//evil/', '//evil/ bmc'],
  ];
  for (const [target, expected] of absolute) {
    // RFC 9112 §3.2.2
    it(`takes ${target} for a path, and its host for the one that counts`, async () => {
      handler = ({ url, headers }, res) => res.end(`${url} ${headers.host}`);
      const socket = await tls();
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk;
      });
      socket.write(`GET ${target} HTTP/1.1\r\nHost: ignored\r\nConnection: close\r\n\r\n`);
      await gone(socket);
      assert.equal(text.split('\r\n\r\n')[1], expected);
    });
  }

  function gone(socket: Socket): Promise<unknown> {
    socket.resume();
    return new Promise((resolve) => socket.once('close', resolve));
  }
});

describe('the share of one address', () => {
  const shares = [
    { connections: 200, percent: 25, max: 50 },
    { connections: 10, percent: 25, max: 3 },
    { connections: 1, percent: 1, max: 1 },
    { connections: 200, percent: 100, max: 200 },
  ];
  for (const { connections, percent, max } of shares) {
    it(`is ${max} for ${percent} % of ${connections}`, () => {
      assert.equal(connectionsOfAddress(connections, percent), max);
    });
  }
});

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let round = 0; round < 2000; round += 1) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  throw new Error('never');
}
