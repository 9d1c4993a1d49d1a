import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { background, until } from '../../e2e/commands.ts';
import { extent, figure } from '../extent.ts';
import { attackers, requestOf, say, sessionsUri, shakeHands, silent } from './clients.ts';
import { type Operator, operatorOf } from './operator.ts';
import { startTarget, type Target } from './target.ts';

const area = 'hostile-clients';
const connections = extent({ quick: 24, long: 200 });
const addresses = extent({ quick: 5, long: 40 });
const perAddress = extent({ quick: 8, long: 50 });
const unanswered = 8;
/** Megabytes, as the unit of the service has it; a little of what is counted here is not counted there. */
const memoryMax = 300;

describe('strangers who connect', () => {
  let target: Target;
  let operator: Operator;
  let open: Socket[] = [];

  before(async () => {
    target = await startTarget({
      limits: { connections, handshakeSeconds: 60, requestSeconds: 60 },
    });
    operator = await operatorOf(target);
  });
  after(() => target?.stop());

  const root = requestOf('/redfish/v1', {});
  const release = async () => {
    for (const socket of open.splice(0)) socket.destroy();
    await until('the descriptors are back', () => {
      return target.takes('redfish-server').descriptors <= rest;
    });
  };
  let rest = 0;
  before(async () => {
    await operator.isServed();
    rest = target.takes('redfish-server').descriptors + 2;
  });

  const ways: Readonly<Record<string, (from: string) => Promise<Socket | undefined>>> = {
    'TCP connections that say nothing': async (from) => silent(target, from),
    'TLS connections that ask nothing': (from) => shakeHands(target, from),
    'headers that never end': async (from) => {
      const socket = await shakeHands(target, from);
      socket?.write('GET /redfish/v1 HTTP/1.1\r\nHost: bmc\r\nX-Slow: ');
      return socket;
    },
    'bodies that never come': async (from) => {
      const socket = await shakeHands(target, from);
      socket?.write(`POST ${sessionsUri} HTTP/1.1\r\nHost: bmc\r\nContent-Length: 4000\r\n\r\n{"`);
      return socket;
    },
    'half of a chunk': async (from) => {
      const socket = await shakeHands(target, from);
      socket?.write(
        `POST ${sessionsUri} HTTP/1.1\r\nHost: bmc\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{`,
      );
      return socket;
    },
    'an answered request each, and then silence': async (from) => {
      const socket = await shakeHands(target, from);
      socket?.on('data', () => undefined).write(root);
      return socket;
    },
    'one side that is closed': async (from) => silent(target, from).end(),
  };

  for (const [what, connect] of Object.entries(ways)) {
    it(`from many addresses with ${what} keep the operator out at no time`, async () => {
      let max = 0;
      // A handshake costs us both too much for ten thousand of them
      const many = what.startsWith('TCP') ? 5 * addresses : addresses;
      for (const from of attackers(many)) {
        const some = await Promise.all(Array.from({ length: perAddress }, () => connect(from)));
        open.push(...some.filter((one) => one !== undefined));
        max = Math.max(max, target.takes('redfish-server').descriptors);
        await operator.isServed();
        open = open.filter(({ destroyed }) => !destroyed);
      }
      // A connection that gave way may still be closing
      assert.ok(max <= rest + connections + 2 * perAddress, `${max} descriptors`);
      figure(area, `connections, ${what}: tried`, many * perAddress);
      figure(area, `connections, ${what}: most descriptors over those at rest`, max - rest);
      await release();
    });
  }

  it('that ask and do not read cost what the limits say, with a login or without', async () => {
    const before = target.takes('redfish-server').megabytes;
    const asks = [root, requestOf('/redfish/v1/$metadata', {})];
    const known = requestOf('/redfish/v1/Registries/Base/Base', { token: operator.token });
    let max = before;
    for (const request of [...asks, known]) {
      for (const from of attackers(extent({ quick: 2, long: 8 }))) {
        const sockets = await Promise.all(
          Array.from({ length: extent({ quick: 5, long: 40 }) }, () => shakeHands(target, from)),
        );
        for (const socket of sockets) {
          socket?.pause().write(request.repeat(unanswered));
          socket?.write(request.repeat(extent({ quick: 50, long: 2000 })));
          if (socket) open.push(socket);
        }
        await operator.isServed();
        max = Math.max(max, target.takes('redfish-server').megabytes);
      }
    }
    figure(area, 'pipelined and never read: most memory of the service, MB', max);
    assert.ok(max < memoryMax, `${before} to ${max} MB`);
    await release();
  });

  it('get an answer when they close their side behind a request', async () => {
    const socket = await shakeHands(target, '127.1.0.1', { allowHalfOpen: true });
    let text = '';
    socket?.on('data', (chunk) => {
      text += chunk;
    });
    socket?.end(root);
    await until('the answer', () => /RedfishVersion/.test(text));
    await until('the end', () => socket?.destroyed);
  });

  it('may begin handshakes without end, and others are served', async () => {
    const storm = extent({ quick: 60, long: 2000 });
    const before = target.takes('redfish-server').megabytes;
    for (let done = 0; done < storm; done += 20) {
      const from = attackers(10);
      const some = await Promise.all(
        Array.from({ length: 20 }, (_, at) => shakeHands(target, from[at % 10] ?? '')),
      );
      for (const socket of some) socket?.destroy();
      if (done % 100 === 0) await operator.isServed();
    }
    const { megabytes } = target.takes('redfish-server');
    figure(area, 'handshakes, each with a new key: done', storm);
    figure(area, 'handshakes: memory over that at rest, MB', megabytes - before);
    assert.ok(megabytes - before < 120, `${before} to ${megabytes} MB`);
    await release();
  });

  const dialects: Readonly<Record<string, readonly string[]>> = {
    'TLS 1.0': ['-tls1', '-cipher', 'ALL@SECLEVEL=0'],
    'TLS 1.1': ['-tls1_1', '-cipher', 'ALL@SECLEVEL=0'],
    'a suite without forward secrecy': ['-tls1_2', '-cipher', 'AES128-GCM-SHA256'],
    'a suite without encryption': ['-tls1_2', '-cipher', 'NULL-SHA256@SECLEVEL=0'],
  };
  for (const [what, args] of Object.entries(dialects)) {
    it(`are refused ${what}`, async () => {
      const client = background('openssl', [...sClient(), ...args]);
      client.process.stdin.end();
      await until('its end', () => client.process.exitCode !== null);
      assert.match(client.output(), /Cipher is \(NONE\)/);
    });
  }

  it('are refused a renegotiation, which costs us more than them', async () => {
    const client = background('openssl', [...sClient(), '-tls1_2']);
    await until('the handshake', () => client.output().includes('Secure Renegotiation'));
    client.process.stdin.write('R\n');
    await until('the refusal', () => client.process.exitCode !== null);
    assert.match(client.output(), /RENEGOTIATING\n.*:no renegotiation:/);
    await operator.isServed();
  });

  it('may say anything in place of TLS, or name any server', async () => {
    const names = [
      '',
      'a'.repeat(255),
      'bmc\u0000.example.com',
      '../../etc',
      '<script>',
      '%n%s',
      'ü.de',
    ];
    for (const servername of names) {
      const socket = await shakeHands(target, '127.1.0.1', { servername }).catch(() => undefined);
      socket?.destroy();
    }
    let seed = 1;
    const byte = () => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed & 0xff;
    };
    for (let round = 0; round < extent({ quick: 24, long: 2000 }); round += 1) {
      const socket = silent(target, '127.1.0.2');
      const noise = Buffer.from(Array.from({ length: 1 + (byte() << 1) }, byte));
      // Half of them begin as a ClientHello does
      if (round % 2) Buffer.from([22, 3, 1, 1, 0, 1, 0, 0, 252, 3, 3]).copy(noise);
      await new Promise((resolve) => socket.end(noise, () => resolve(undefined)));
      socket.destroy();
    }
    const plain = silent(target, '127.1.0.3');
    plain.end(root);
    await until('the end', () => plain.resume().destroyed);
    await operator.isServed();
    await release();
  });

  it('leave the service as it was, with few lines in its log', async () => {
    await operator.isServed();
    const heard = await say(target, root, { answers: 1 });
    assert.deepEqual(heard.statuses, [200]);
    figure(area, 'connections: longest wait of the operator, ms', operator.longestWait());
    figure(area, 'connections: lines of log', target.output().split('\n').length);
    assert.doesNotMatch(target.output(), /program ended|unexpected error|request failed/);
    const full = target.output().match(/all connections are taken/g) ?? [];
    assert.ok(full.length > 0 && full.length <= extent({ quick: 200, long: 2000 }));
  });

  function sClient(): string[] {
    return ['s_client', '-connect', `127.0.0.1:${target.port}`, '-bind', '127.0.0.1:0'];
  }
});
