import assert from 'node:assert/strict';
import { connect as connectTcp, createServer, type Socket } from 'node:net';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type TLSSocket } from 'node:tls';
import { refusals } from '../../src/identity/peer-certificates/refusal.ts';
import { type HeavyChain, heavyChain } from '../fakes/heavy-chain.ts';
import {
  type Issued,
  type OpensslAuthority,
  opensslAuthority,
} from '../fakes/openssl-authority.ts';
import {
  startTlsService,
  type TlsService,
  truststore,
} from '../redfish/client-certificates/tls-service.ts';

const sessions = '/redfish/v1/SessionService/Sessions';
const always = { from: '20200101000000Z', until: '20990101000000Z' };
const password = 'admin:admin-pw';
const limits = {
  handshakeBytes: 50_000,
  largeHandshakeBytes: 20_000,
  turnMilliseconds: 200,
  stalledHandshakes: 2,
  addresses: 10,
};
const request = 'GET /redfish/v1 HTTP/1.1\r\nHost: bmc\r\nConnection: close\r\n\r\n';
const operator = '127.0.0.2';
const attacker = '127.0.0.3';

describe('handshakes with client certificates', () => {
  let authority: OpensslAuthority;
  let service: TlsService;
  let root: Issued;
  let good: Issued;
  let stranger: Issued;
  const heavy = heavyChain(30);

  before(() => {
    authority = opensslAuthority();
    root = authority.issueCa({ ...always, subject: '/CN=Root' });
    good = authority.issue({ ...always, subject: '/CN=admin', issuer: root });
    stranger = authority.issue({ ...always, subject: '/CN=admin' });
  });

  after(() => authority.remove());

  beforeEach(async () => {
    service = await startTlsService(authority, limits);
    service.client.put(truststore, '1', root.pem);
    await service.setLogin({});
  });

  afterEach(() => service.close());

  const ask = (localAddress: string, how: Parameters<TlsService['ask']>[1]) =>
    service.ask(sessions, { ...how, tls: { localAddress } });
  /** How many chains of clients OpenSSL verified and refused. */
  const refused = () =>
    service.log.filter((line) => line.startsWith('client certificate refused')).length;
  const suspensions = () =>
    service.log.filter((line) => line.startsWith('an address is not asked')).length;
  /** Shows a heavy chain. @returns when the connection is closed */
  const attack = (port = service.port, localAddress = attacker) =>
    closed(shake(port, heavy, localAddress).end(request));

  it('are one of an address at a time, so eight heavy chains at once cost one verification', async () => {
    const attacks = Array.from({ length: 8 }, () => attack());
    const { status } = await ask(operator, { show: good });
    assert.equal(status, 200);
    await Promise.all(attacks);
    assert.equal(refused(), 1);
    assert.equal(suspensions(), 1);
  });

  it('of a suspended address show no certificate, and its clients are told why', async () => {
    await attack();
    const { status, text } = await ask(attacker, { show: good });
    assert.equal(status, 401);
    assert.ok(text.includes(refusals.suspended), text);
    assert.equal((await ask(attacker, { show: good, as: password })).status, 200);
    assert.equal((await ask(operator, { show: good })).status, 200);
  });

  it('show certificates again when the time of the suspension is over', async () => {
    await attack();
    service.elapsed = 299_000;
    assert.equal((await ask(attacker, { show: good })).status, 401);
    service.elapsed = 301_000;
    assert.equal((await ask(attacker, { show: good })).status, 200);
  });

  it('show certificates again when the truststore has changed', async () => {
    await attack();
    assert.equal((await ask(attacker, { show: stranger })).status, 401);
    service.client.put(truststore, '2', stranger.pem);
    assert.equal((await ask(attacker, { show: stranger })).status, 200);
  });

  it('of many small chains that are refused count together', async () => {
    while (suspensions() === 0) await ask(attacker, { show: stranger });
    assert.ok(refused() > 10, `${refused()} chains before the suspension`);
    assert.equal((await ask(attacker, { show: good })).status, 401);
  });

  it('with accepted certificates, or without any, count for nothing', async () => {
    for (let at = 0; at < 40; at += 1) {
      assert.equal((await ask(attacker, { show: good })).status, 200);
      await ask(attacker, {});
    }
    assert.equal(suspensions(), 0);
  });

  it('that never end suspend their address when their chains are large', async () => {
    const proxy = await withholdingProxy(service.port, attacker);
    const unfinished = [1, 2, 3].map(() => closed(shake(proxy.port, heavy)));
    while (suspensions() === 0) await sleep(5);
    assert.equal((await ask(attacker, { as: password })).status, 200);
    proxy.close();
    await Promise.all(unfinished);
    assert.equal(refused(), 0, 'no handshake ended');
  });

  it('leave their turns to others while connections of their address send nothing', async () => {
    const silent = Array.from({ length: 20 }, () => silence(service.port, attacker));
    await Promise.all(silent.map(connected));
    for (let at = 0; at < 5; at += 1)
      assert.equal((await ask(attacker, { show: good })).status, 200);
    assert.equal(silent.filter(({ closed }) => closed).length, 0, 'nobody waited for a turn');
    for (const socket of silent) socket.destroy();
  });

  it('begin with what a client sends after a while, or in two pieces', async () => {
    const proxy = await hesitantProxy(service.port);
    const { status } = await service.ask(sessions, {
      show: good,
      tls: { port: proxy.port },
    });
    assert.equal(status, 200);
    proxy.close();
  });

  it('that never come end at the time of a handshake, or with the client', async () => {
    const hasty = await startTlsService(authority, limits, undefined, 300);
    hasty.client.put(truststore, '1', root.pem);
    await hasty.setLogin({});
    const halfOpen = connectTcp({ port: hasty.port, host: '127.0.0.1', allowHalfOpen: true });
    halfOpen.on('error', () => undefined).end();
    await Promise.all([closed(silence(hasty.port, attacker)), closed(halfOpen)]);
    await hasty.close();
  });

  it('that stall go on unasked beside others after a few, and suspend nobody', async () => {
    const stalling: Socket[] = [];
    const stall = async () => {
      const socket = silence(service.port, attacker);
      await connected(socket);
      socket.write(Buffer.of(0x16, 3, 1));
      stalling.push(socket);
      return socket;
    };
    await stall();
    // Each of them is ended by the one that waits behind it
    for (let at = 0; at <= limits.stalledHandshakes; at += 1) {
      const gone = stalling.at(-1);
      await Promise.all([closed(gone ?? (await stall())), stall()]);
    }
    const unasked = await ask(attacker, { show: good });
    assert.equal(unasked.status, 401);
    assert.ok(unasked.text.includes(refusals.suspended), unasked.text);
    assert.equal((await ask(attacker, { as: password })).status, 200);
    for (const socket of stalling) socket.destroy();
    while ((await ask(attacker, { show: good })).status !== 200) await sleep(5);
    assert.equal(suspensions(), 0);
  });

  it('of an insider whose accepted chains are large count together', async () => {
    const names = Array.from({ length: 900 }, (_, at) => `DNS:client-${at}.example.com`).join();
    const large = authority.issue({
      ...always,
      subject: '/CN=admin',
      issuer: root,
      extensions: ['basicConstraints=CA:FALSE', `subjectAltName=${names}`],
    });
    assert.ok(large.certificate.der.length > 16_000);
    const exposed = await startTlsService(authority, { ...limits, largeHandshakeBytes: 16_000 });
    exposed.client.put(truststore, '1', root.pem);
    await exposed.setLogin({});
    const statuses: number[] = [];
    for (let at = 0; at < 5; at += 1)
      statuses.push((await exposed.ask(sessions, { show: large })).status);
    assert.deepEqual(statuses, [200, 200, 200, 401, 401]);
    await exposed.close();
  });

  it('survive clients that reset while they wait', async () => {
    const first = silence(service.port, attacker);
    await connected(first);
    first.write(Buffer.of(0x16));
    for (let at = 0; at < 5; at += 1) {
      const socket = silence(service.port, attacker);
      await connected(socket);
      socket.write(Buffer.of(0x16));
      socket.resetAndDestroy();
    }
    assert.equal((await ask(attacker, { as: password })).status, 200);
    first.destroy();
  });

  it('are remembered of as many addresses as configured, the last ones', async () => {
    await attack(service.port, '127.0.1.1');
    await attack(service.port, '127.0.1.2');
    for (let at = 1; at <= 9; at += 1) await ask(`127.0.2.${at}`, { show: good });
    assert.equal((await ask('127.0.1.2', { show: good })).status, 401);
    assert.equal((await ask('127.0.1.1', { show: good })).status, 200);
  });
});

function shake(port: number, { key, pem }: HeavyChain, localAddress?: string): TLSSocket {
  const socket = connect({
    ...{ port, host: '127.0.0.1', rejectUnauthorized: false, key, cert: pem },
    ...(localAddress !== undefined && { localAddress }),
  });
  return socket.on('error', () => undefined);
}

function closed(socket: Socket): Promise<void> {
  socket.resume();
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

function silence(port: number, localAddress: string): Socket {
  const socket = connectTcp({ port, host: '127.0.0.1', localAddress });
  return socket.on('error', () => undefined);
}

function connected(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('connect', () => resolve()));
}

/** Passes what clients send on after a while, and the first of it in two pieces. */
async function hesitantProxy(port: number) {
  return proxyTo(port, undefined, (client, upstream) => {
    let isFirst = true;
    client.on('data', (chunk) => {
      const pieces = isFirst ? [chunk.subarray(0, 3), chunk.subarray(3)] : [chunk];
      isFirst = false;
      for (const [at, piece] of pieces.entries())
        setTimeout(() => upstream.write(piece), 50 * (at + 1));
    });
  });
}

/** Keeps the last bytes of each client's second flight back, so that its Finished never arrives. */
async function withholdingProxy(port: number, localAddress: string) {
  return proxyTo(port, localAddress, (client, upstream) => {
    let flight: Buffer | undefined;
    client.on('data', (chunk) => {
      const bytes = flight ? Buffer.concat([flight, chunk]) : chunk;
      const passed = flight ? Math.max(0, bytes.length - 10) : bytes.length;
      upstream.write(bytes.subarray(0, passed));
      flight = bytes.subarray(passed);
    });
  });
}

async function proxyTo(
  port: number,
  localAddress: string | undefined,
  pass: (client: Socket, upstream: Socket) => void,
) {
  const server = createServer((client) => {
    const upstream = connectTcp({
      ...{ port, host: '127.0.0.1' },
      ...(localAddress !== undefined && { localAddress }),
    });
    pass(client, upstream);
    upstream.on('data', (chunk) => client.write(chunk));
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on('error', () => undefined);
      one.on('close', () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || !address) throw new Error('the proxy does not listen');
  return { port: address.port, close: () => server.close() };
}
