import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { signalIfThere, until } from '../../e2e/commands.ts';
import { removeDirectory, temporaryDirectory } from '../../e2e/stack.ts';
import { processesWith, startUp } from '../../fakes/stack-process.ts';
import { extent, figure } from '../extent.ts';
import { HttpsClient } from '../soak/https-client.ts';
import { logIn } from '../soak/logins.ts';
import { pidOf } from '../soak/processes.ts';
import { type Device, startDevice } from './device.ts';

const rounds = extent({ quick: 1, long: 12 });
const changes = extent({ quick: 10, long: 100 });

/** Sends signals until it is stopped, some of them together. */
function storm(pid: () => number | undefined, signals: readonly NodeJS.Signals[]) {
  let sent = 0;
  const timer = setInterval(() => {
    for (const signal of signals) {
      try {
        const target = pid();
        if (target !== undefined) process.kill(target, signal);
        sent += 1;
      } catch {
        // it has ended
      }
    }
  }, 3);
  return () => {
    clearInterval(timer);
    return sent;
  };
}

describe('a manager in a storm of signals', () => {
  let device: Device;
  before(async () => {
    device = await startDevice();
  });
  after(() => device?.stop());

  it('makes every change while it is told to reload', async () => {
    const end = storm(() => device.manager.pid, ['SIGHUP', 'SIGHUP']);
    for (let at = 0; at < changes; at += 1)
      assert.equal(await device.replaceServer(), device.onDisk());
    assert.match(await device.request(), /BEGIN CERTIFICATE REQUEST/);
    figure('system-faults', 'SIGHUP to the manager during changes', end());
  });

  it('ends well, and keeps what it has acknowledged', async () => {
    for (let round = 0; round < rounds; round += 1) {
      let acknowledged = device.onDisk();
      let attempted = '';
      const changing = (async () => {
        for (;;) {
          const { pem, fingerprint } = device.issuer.pair();
          attempted = fingerprint;
          acknowledged = await device.replaceServer(pem);
        }
      })().catch(() => undefined);
      await sleep(100);
      const { manager } = device;
      const end = storm(() => manager.pid, ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGTERM']);
      assert.deepEqual(await manager.ended, { status: 0, signal: null });
      end();
      await changing;
      assert.ok([acknowledged, attempted].includes(device.onDisk()));
      await device.restart();
      assert.ok([acknowledged, attempted].includes(device.onDisk()));
    }
    figure('system-faults', 'ends of a manager in a storm of SIGTERM, SIGINT and SIGHUP', rounds);
  });
});

describe('a Redfish service in a storm of signals', () => {
  const state = temporaryDirectory();
  after(() => {
    for (const pid of processesWith(state).keys()) signalIfThere(pid, 'SIGKILL');
    removeDirectory(state);
  });

  it('answers while it is told to reload, and comes back when it is told to end', async () => {
    const password = 'correct-horse-battery';
    writeFileSync(join(state, 'password'), password);
    const stack = await startUp([
      ...['--state-dir', state, '--password-file', join(state, 'password')],
    ]);
    const client = new HttpsClient(stack.ready.url ?? '', () => undefined);
    const login = await logIn(client, password);
    const service = pidOf(state, 'service');
    const endReloads = storm(() => service, ['SIGHUP', 'SIGHUP']);
    for (let at = 0; at < changes; at += 1) {
      const { status } = await client.ask(login?.uri ?? '', { token: login?.token ?? '' });
      assert.equal(status, 200);
    }
    figure('system-faults', 'SIGHUP to the Redfish service during requests', endReloads());
    assert.equal(pidOf(state, 'service'), service);
    const end = storm(() => service, ['SIGTERM', 'SIGINT']);
    await until('another one runs', () => {
      const next = pidOf(state, 'service');
      return next !== undefined && next !== service;
    });
    end();
    client.reconnect();
    await until('it answers', async () => {
      const answer = await client.ask('/redfish/v1').catch(() => undefined);
      return answer?.status === 200;
    });
    const inLog = /program ended, starting it again.*how="status 0"/;
    await until('the log says so', () => inLog.test(stack.output()));
    client.close();
    stack.kill('SIGTERM');
    stack.kill('SIGINT');
    stack.kill('SIGTERM');
    assert.equal(await stack.ended, 0);
    assert.deepEqual([...processesWith(state)], []);
  });
});
