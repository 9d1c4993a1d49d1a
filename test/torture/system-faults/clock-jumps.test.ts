import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { resourceEventRegistry } from '../../../src/redfish/messages/resource-event-registry.ts';
import { signalIfThere, until } from '../../e2e/commands.ts';
import { removeDirectory, temporaryDirectory } from '../../e2e/stack.ts';
import { busCaller } from '../../fakes/bus-caller.ts';
import { type FakeClock, fakeClock } from '../../fakes/fake-clock.ts';
import { names, paths } from '../../fakes/manager-process.ts';
import { processesWith, type StackProcess, startUp } from '../../fakes/stack-process.ts';
import { extent, figure } from '../extent.ts';
import { HttpsClient } from '../soak/https-client.ts';
import { type Login, logIn } from '../soak/logins.ts';
import { childrenOf, pidOf } from '../soak/processes.ts';
import { type Receiver, startReceiver } from '../soak/receiver.ts';
import { type Device, startDevice } from './device.ts';

/** Years, each counted from the real time. */
const jumps = extent({ quick: [50, -50], long: [50, -50, 0, 50, 0, -50, 12, -12, 0] });
/** The clock is looked at each second. */
const noticed = 2500;

describe('a manager whose clock jumps', () => {
  const directory = mkdtempSync(join(tmpdir(), 'bmc-clock-'));
  let clock: FakeClock;
  let device: Device;

  before(async () => {
    clock = fakeClock(directory);
    device = await startDevice({}, clock.environment);
  });
  after(async () => {
    await device?.stop();
    removeDirectory(directory);
  });

  it('keeps the keys of its requests, and takes their certificates afterwards', async () => {
    const requests = [await device.request()];
    for (const years of jumps) {
      clock.setAhead(years);
      const logged = () => device.manager.output().split('the clock was set').length;
      const before = logged();
      await until('it notices', () => logged() > before);
      await sleep(noticed - 1000);
      requests.push(await device.request());
    }
    clock.setAhead(0);
    for (const request of requests) {
      const { pem, fingerprint } = device.issuer.answer(request);
      await device.installClient(pem);
      assert.equal(device.onDisk('ldap/cert.pem'), fingerprint);
      await device.removeClient();
    }
    figure('system-faults', 'jumps of the clock of the manager, in years', jumps.join(', '));
  });

  it('makes a request during which the clock jumps', async () => {
    for (const years of jumps) {
      const asked = device.request();
      const worker = await until(
        'there is a worker',
        () => [...childrenOf(device.manager.pid).keys()][0],
      );
      process.kill(worker, 'SIGSTOP');
      clock.setAhead(years);
      process.kill(worker, 'SIGCONT');
      const { pem } = device.issuer.answer(await asked);
      clock.setAhead(0);
      await device.installClient(pem);
      await device.removeClient();
    }
  });

  it('has what it acknowledged last, though the clock jumped in the midst of every change', async () => {
    let last = await device.replaceServer();
    for (const years of jumps) {
      const restless = setInterval(() => clock.setAhead(Math.random() < 0.5 ? years : 0), 2);
      try {
        for (let change = 0; change < extent({ quick: 10, long: 100 }); change += 1) {
          last = await device.replaceServer();
          assert.equal(device.onDisk(), last);
        }
      } finally {
        clearInterval(restless);
        clock.setAhead(0);
      }
    }
    await device.manager.stop();
    await device.restart();
    assert.equal(device.onDisk(), last);
  });

  it('keeps a certificate that somebody installed, and a staged replacement until its own time', async () => {
    const installed = await device.replaceServer();
    const caller = await busCaller(device.bus.address, names.server);
    const replacement = 'xyz.openbmc_project.Certs.Extension.Replacement';
    const { pem, fingerprint } = device.issuer.pair();
    const content = [Buffer.from(pem), 'PEM', '', '', Buffer.alloc(0), 'PEM', 60];
    const id = await caller.call(paths.server, `${replacement}.Stage`, 'aysssaysu', ...content);
    await caller.call(paths.server, `${replacement}.Activate`, 'su', id, 60);
    for (const years of jumps) {
      clock.setAhead(years);
      await sleep(noticed);
      assert.equal(device.onDisk(), fingerprint);
    }
    await caller.call(paths.server, `${replacement}.Rollback`, 's', id);
    caller.leave();
    assert.equal(device.onDisk(), installed);
  });
});

describe('a Redfish service whose clock jumps', () => {
  const state = temporaryDirectory();
  const password = 'correct-horse-battery';
  let clock: FakeClock;
  let stack: StackProcess;
  let client: HttpsClient;
  let receiver: Receiver;
  let login: Login | undefined;

  before(async () => {
    clock = fakeClock(state);
    writeFileSync(join(state, 'password'), password);
    const events = { allowLoopback: true, retryAttempts: 1, retryIntervalSeconds: 1 };
    const policy = { lockoutThreshold: 3, lockoutSeconds: 4, lockoutResetSeconds: 4 };
    const configuration = { redfish: { events }, users: { policy } };
    writeFileSync(join(state, 'given.json'), JSON.stringify(configuration));
    stack = await startUp(
      [
        ...['--state-dir', state, '--password-file', join(state, 'password')],
        ...['--config', join(state, 'given.json')],
      ],
      { env: { ...process.env, ...clock.environment } },
    );
    client = new HttpsClient(stack.ready.url ?? '', () => undefined);
    login = await logIn(client, password);
    receiver = await startReceiver();
  });
  after(async () => {
    client?.close();
    receiver?.close();
    stack?.kill('SIGTERM');
    await stack?.ended;
    for (const pid of processesWith(state).keys()) signalIfThere(pid, 'SIGKILL');
    removeDirectory(state);
  });

  const get = (path: string) => client.ask(path, { token: login?.token ?? '' });
  const tell = (path: string, body: object) =>
    client.ask(path, { method: 'POST', token: login?.token ?? '', body });

  it('shows its time, and keeps the sessions', async () => {
    for (const years of jumps) {
      clock.setAhead(years);
      const { status, text } = await get('/redfish/v1/Managers/bmc');
      assert.equal(status, 200);
      const told = new Date(JSON.parse(text).DateTime).getUTCFullYear();
      assert.ok(Math.abs(told - new Date().getUTCFullYear() - years) <= 1, `${told}`);
      assert.equal((await get(login?.uri ?? '')).status, 200);
    }
    figure('system-faults', 'jumps of the clock of the service, in years', jumps.join(', '));
  });

  it('neither lifts a lock by a jump ahead nor keeps it by one back', async () => {
    const attempt = (given: string) =>
      client.ask('/redfish/v1/SessionService/Sessions', {
        method: 'POST',
        body: { UserName: 'admin', Password: given },
      });
    for (const years of [50, -50]) {
      clock.setAhead(0);
      for (let tries = 0; tries < 3; tries += 1) await attempt('wrong');
      clock.setAhead(years);
      assert.notEqual((await attempt(password)).status, 201, `locked at ${years} years`);
      await until('the lock is over', async () => (await attempt(password)).status === 201);
    }
    clock.setAhead(0);
  });

  it('makes a request as a task, and tells of it in any order of times', async () => {
    const uri = '/redfish/v1/CertificateService/Actions/CertificateService.GenerateCSR';
    for (const years of [50, -50]) {
      clock.setAhead(0);
      const asked = await client.ask(uri, {
        method: 'POST',
        token: login?.token ?? '',
        headers: { Prefer: 'respond-async; wait=0' },
        body: {
          CertificateCollection: { '@odata.id': '/redfish/v1/AccountService/LDAP/Certificates' },
          ...{ City: 'T', CommonName: 'bmc.example.com', Country: 'DE' },
          ...{ Organization: 'T', OrganizationalUnit: 'T', State: 'T' },
        },
      });
      assert.equal(asked.status, 202, asked.text);
      clock.setAhead(years);
      const task = JSON.parse(asked.text)['@odata.id'];
      await until('it is done', async () => {
        const { status, text } = await get(task);
        assert.equal(status, 200);
        return JSON.parse(text).TaskState === 'Completed';
      });
      // Its key waits for a certificate: nobody's clock gives it up
      const { status, text } = await client.ask(task, {
        method: 'DELETE',
        token: login?.token ?? '',
      });
      assert.equal(status, 409, text);
    }
    clock.setAhead(0);
  });

  it('goes on to push events, and numbers them upwards over a restart in the past', async () => {
    const path = '/redfish/v1/EventService/Subscriptions';
    const body = { Destination: receiver.lasting, Protocol: 'Redfish', Context: 'c' };
    assert.equal((await tell(path, body)).status, 201);
    const push = async () => {
      const before = receiver.received.length;
      const action = '/redfish/v1/EventService/Actions/EventService.SubmitTestEvent';
      const { status, text } = await tell(action, {
        MessageId: `${resourceEventRegistry.name}.TestMessage`,
      });
      assert.equal(status, 204, text);
      await until('it is pushed', () => receiver.received.length > before);
    };
    for (const years of [50, -50, 0]) {
      clock.setAhead(years);
      await push();
    }
    clock.setAhead(-50);
    const service = pidOf(state, 'service');
    assert.ok(service !== undefined);
    process.kill(service, 'SIGTERM');
    await until('another service runs', () => {
      const next = pidOf(state, 'service');
      return next !== undefined && next !== service;
    });
    client.reconnect();
    await until('the service is back, with the session', async () => {
      const answer = await get(login?.uri ?? '').catch(() => undefined);
      return answer?.status === 200;
    });
    await push();
    const { received } = receiver;
    for (const [at, id] of received.entries()) assert.ok(at === 0 || id > (received[at - 1] ?? 0));
    clock.setAhead(0);
  });
});
