import assert from 'node:assert/strict';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { type Bus, type Call, connectBus } from '../../../src/dbus/transport/bus.ts';
import { must, until } from '../../e2e/commands.ts';
import { type Jobs, jobsOf, requestName } from '../../fakes/fake-systemd.ts';
import { figure } from '../extent.ts';
import { bystander, type Device, startDevice } from './device.ts';

describe('a service that cannot be told of a change', () => {
  let device: Device;
  let path: string;
  const put = async () => {
    const { pem, fingerprint } = device.issuer.pair();
    await device.installClient(pem);
    assert.equal(device.onDisk('ldap/cert.pem'), fingerprint);
  };
  const outcome = async () => (await device.reloads())[0]?.slice(1) ?? [];
  const becomes = (wanted: string) =>
    until(`the outcome is ${wanted}`, async () => (await outcome())[0] === wanted);

  before(async () => {
    device = await startDevice({
      reload: { attemptSeconds: 1, attempts: 20, replyMilliseconds: 60_000 },
      endpoints: [
        { type: 'server', name: 'https', path: 'https/server.pem', reload: [] },
        { type: 'client', name: 'ldap', path: 'ldap/cert.pem', reload: [{ pidFile: 'slapd.pid' }] },
      ],
    });
    path = join(device.bus.directory, 'run', 'slapd.pid');
    mkdirSync(join(device.bus.directory, 'run'), { recursive: true });
  });
  afterEach(async () => {
    rmSync(path, { recursive: true, force: true });
    await device.removeClient();
  });
  after(() => device?.stop());

  const files: Record<string, () => unknown> = {
    'with garbage': () => writeFileSync(path, '\u0000\u0001 4711 no pid'),
    'with a number in another form': () => writeFileSync(path, '4e3'),
    'with the number of init': () => writeFileSync(path, '1\n'),
    'that is empty': () => writeFileSync(path, ''),
    'that is a directory': () => mkdirSync(path),
    'that never ends': () => symlinkSync('/dev/zero', path),
    'that is a pipe which nobody writes': () => must('mkfifo', [path]),
  };
  for (const [what, make] of Object.entries(files)) {
    it(`is tried again when its pid file is one ${what}, and the change is done`, async () => {
      await make();
      await put();
      assert.equal((await outcome())[0], 'Retrying');
      rmSync(path, { recursive: true, force: true });
      const service = await bystander('caught');
      writeFileSync(path, `${service.pid}\n`);
      await becomes('Reloaded');
      await until('it was told', () => service.output().includes('told'));
      await service.stop();
    });
  }

  it('is not running when the process of the file is gone', async () => {
    const service = await bystander('caught');
    await service.stop();
    writeFileSync(path, `${service.pid}`);
    await put();
    assert.deepEqual(await outcome(), ['NotRunning', '']);
  });

  it('ends no other program that has got its number', async () => {
    const other = await bystander('default');
    writeFileSync(path, `${other.pid}`);
    await put();
    assert.deepEqual(await outcome(), [
      'Retrying',
      'the process does not take SIGHUP, which would end it',
    ]);
    assert.ok(other.isAlive());
    await other.stop();
    await becomes('NotRunning');
  });

  it('is not said to have reloaded when it ignores the signal', async () => {
    const deaf = await bystander('ignored');
    writeFileSync(path, `${deaf.pid}`);
    await put();
    assert.deepEqual(await outcome(), ['Retrying', 'the process ignores SIGHUP']);
    assert.ok(deaf.isAlive());
    await deaf.stop();
    figure('system-faults', 'kinds of pid files and processes', Object.keys(files).length + 3);
  });
});

describe('a unit', () => {
  const unit = 'slapd.service';
  let device: Device;
  let systemd: Bus;
  let jobs: Jobs;
  let answer: (call: Call) => void;
  let asked = 0;

  before(async () => {
    device = await startDevice({
      reload: { attemptSeconds: 1, attempts: 20, replyMilliseconds: 60_000 },
      endpoints: [
        { type: 'server', name: 'https', path: 'https/server.pem', reload: [] },
        { type: 'client', name: 'ldap', path: 'ldap/cert.pem', reload: [{ unit }] },
      ],
    });
    systemd = await connectBus(device.bus.address);
    jobs = jobsOf(systemd);
    systemd.handleCalls((call) => {
      if (call.member === 'Subscribe') jobs.subscribe(call);
      if (call.member === 'LoadUnit') call.fail({ name: 'org.example.E', text: 'not told' });
      if (call.member !== 'ReloadOrRestartUnit') return;
      asked += 1;
      answer(call);
    });
    await requestName(systemd, 'org.freedesktop.systemd1');
  });
  afterEach(() => device.removeClient());
  after(async () => {
    systemd?.close();
    await device?.stop();
  });

  const obey = (call: Call) => jobs.begin(call, 'done');
  const garbage: Record<string, (call: Call) => void> = {
    'nothing where a job should be': (call) => call.answer('', []),
    numbers: (call) => call.answer('uat', [7, [1n, 2n]]),
    'an error without a text': (call) => call.fail({ name: 'org.example.E', text: '' }),
    'an error with a text of many lines': (call) =>
      call.fail({ name: 'org.example.E', text: `one\ntwo${'x'.repeat(100_000)}` }),
    'two answers': (call) => {
      call.fail({ name: 'org.example.E', text: 'no' });
      obey(call);
    },
    'nothing at all': () => undefined,
    'a job that fails': (call) => jobs.begin(call, 'failed'),
    'a job that somebody cancels': (call) => jobs.begin(call, 'canceled'),
    'a job that never ends': (call) => jobs.begin(call),
    'a job that ends as no job does': (call) => jobs.begin(call, `x\n${'y'.repeat(50_000)}`),
    'the end of another job': (call) => {
      jobs.begin({ ...call, answer: () => undefined }, 'done');
      jobs.begin(call);
    },
  };
  for (const [what, how] of Object.entries(garbage)) {
    it(`that systemd answers for with ${what} makes no done change look refused`, async () => {
      answer = how;
      const { pem, fingerprint } = device.issuer.pair();
      await device.installClient(pem);
      assert.equal(device.onDisk('ldap/cert.pem'), fingerprint);
      // Of two answers the second may be as good as the first
      if (what !== 'two answers') assert.equal((await device.reloads())[0]?.[1], 'Retrying');
      answer = obey;
      await until('it is reloaded', async () => (await device.reloads())[0]?.[1] === 'Reloaded');
      const longest = Math.max(
        ...device.manager
          .output()
          .split('\n')
          .map(({ length }) => length),
      );
      assert.ok(longest < 2500, `a line of the log has ${longest} characters`);
    });
  }

  it('is reloaded by the next manager when the last one was killed before it could be', async () => {
    answer = () => undefined;
    const before = asked;
    const { pem, fingerprint } = device.issuer.pair();
    const installed = device.installClient(pem).catch(() => undefined);
    await until('systemd is asked', () => asked > before);
    device.manager.stop('SIGKILL');
    await installed;
    answer = obey;
    const again = asked;
    await device.restart();
    assert.equal(device.onDisk('ldap/cert.pem'), fingerprint);
    await until('systemd is asked again', () => asked > again);
    await until('it is reloaded', async () => (await device.reloads())[0]?.[1] === 'Reloaded');
  });

  it('is left alone by a manager that starts when nothing is owed', async () => {
    await device.installClient(device.issuer.pair().pem);
    await until('it is reloaded', async () => (await device.reloads())[0]?.[1] === 'Reloaded');
    const before = asked;
    device.manager.stop('SIGKILL');
    await device.restart();
    await device.replaceServer();
    assert.equal(asked, before);
  });

  it('is reloaded by the next manager when the last one heard only that its job failed', async () => {
    answer = (call) => jobs.begin(call, 'failed');
    await device.installClient(device.issuer.pair().pem);
    device.manager.stop('SIGKILL');
    answer = obey;
    const before = asked;
    await device.restart();
    await until('systemd is asked', () => asked > before);
    await until('it is reloaded', async () => (await device.reloads())[0]?.[1] === 'Reloaded');
  });

  it('is reloaded by the next manager when systemd came only after the last one gave up', async () => {
    answer = (call) => call.fail({ name: 'org.example.E', text: 'not now' });
    await device.installClient(device.issuer.pair().pem);
    await device.manager.stop('SIGTERM');
    answer = obey;
    const before = asked;
    await device.restart();
    await until('systemd is asked', () => asked > before);
    figure('system-faults', 'kinds of answers of systemd', Object.keys(garbage).length);
  });
});
