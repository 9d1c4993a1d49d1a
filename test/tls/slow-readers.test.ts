import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type TLSSocket } from 'node:tls';
import { generateCertificate } from '../../src/manager/credential/generated-certificate.ts';
import { writePieces } from '../../src/redfish/http/send.ts';
import { makeServer } from '../../src/redfish/http/server.ts';
import { exportPrivateKey } from '../../src/x509/keys.ts';
import { fixedIdentity } from '../fakes/fixed-identity.ts';
import { eventually } from '../redfish/events/manual-clock.ts';

const megabyte = 1 << 20;
const large = Buffer.alloc(48 * megabyte);
const limits = {
  headerBytes: 2048,
  connections: 5,
  requestMilliseconds: 60_000,
  idleMilliseconds: 60_000,
  handshakeMilliseconds: 60_000,
  sendMilliseconds: 40,
  connectionsPerAddress: 50,
  unansweredRequests: 8,
};

describe('a client that takes its time over an answer', () => {
  const directory = mkdtempSync(join(tmpdir(), 'slow-'));
  const lines: string[] = [];
  let server: Server;
  let now = 0;

  before(async () => {
    const certificatePath = join(directory, 'server.pem');
    const { key, leaf } = generateCertificate(
      { hostName: 'bmc', addresses: [] },
      { validDays: 5, renewBeforeDays: 1, curve: 'prime256v1', organization: 'x' },
      Date.now(),
    );
    writeFileSync(certificatePath, exportPrivateKey(key) + leaf.pem);
    const note = (line: string) => lines.push(line);
    const log = { debug: note, info: note, warn: note, error: note };
    server = makeServer(
      { identity: fixedIdentity(certificatePath), limits, log, monotonic: () => now },
      {
        handler: (req, res) => {
          if (req.url === '/stream') res.write('open');
          else void writePieces(res, large);
        },
        allowedAt: () => [],
      },
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });

  after(() => {
    server.close();
    server.closeAllConnections();
    rmSync(directory, { recursive: true });
  });

  /** Asks and reads what begins the answer, and nothing more. */
  async function ask(path: string): Promise<TLSSocket> {
    const { port } = server.address() as AddressInfo;
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    socket.on('error', () => undefined);
    socket.write(`GET ${path} HTTP/1.1\r\nHost: bmc\r\n\r\n`);
    await new Promise((resolve) => socket.once('readable', resolve));
    return socket;
  }

  const connections = () =>
    new Promise<number>((resolve) => server.getConnections((_, count) => resolve(count)));

  it('is dropped when it takes nothing, though it goes on sending', async () => {
    const socket = await ask('/large');
    for (let round = 0; (await connections()) > 0; round += 1) {
      assert.ok(round < 500, 'the connection is still there');
      now += 5;
      socket.write('\r\n');
      await sleep(5);
    }
    assert.ok(lines.some((line) => line.includes('does not read')));
    socket.destroy();
  });

  it('gets all of it as long as it takes some', async () => {
    const socket = await ask('/large');
    const begin = now;
    let taken = 0;
    let goal = 0;
    while (taken < large.length) {
      const chunk: Buffer | null = socket.read();
      if (chunk) taken += chunk.length;
      else await Promise.race([new Promise((next) => socket.once('readable', next)), sleep(50)]);
      assert.equal(socket.destroyed, false, `cut off after ${taken} bytes`);
      if (taken < goal) continue;
      goal += 12 * megabyte;
      // Some looks at the clock while nothing is read
      now += 30;
      await sleep(50);
    }
    assert.ok(now - begin > limits.sendMilliseconds);
    socket.destroy();
    for (let round = 0; (await connections()) > 0 && round < 500; round += 1) await sleep(5);
  });

  it('may wait as long as it likes where there is nothing to take', async () => {
    const socket = await ask('/stream');
    let closed = false;
    socket.resume().once('close', () => {
      closed = true;
    });
    now += 1e6;
    await sleep(60);
    assert.equal(closed, false);
    socket.destroy();
    await eventually('its end', () => closed);
  });
});
