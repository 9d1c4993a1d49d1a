import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { makeAuthority, type TestAuthority, writeText } from '../../e2e/certificate-authority.ts';
import { until } from '../../e2e/commands.ts';
import { type BusTools, busTools } from '../../fakes/bus-tools.ts';
import { type FakeSystemd, startFakeSystemd } from '../../fakes/fake-systemd.ts';
import {
  type ManagerProcess,
  names,
  paths,
  startManager,
  writeConfiguration,
} from '../../fakes/manager-process.ts';
import { type PrivateBus, startPrivateBus } from '../../fakes/private-bus.ts';
import { rawMember, wireMessage } from '../../fakes/raw-bus.ts';

const root = paths.authority;
const install = 'xyz.openbmc_project.Certs.Install.Install';
const remove = 'xyz.openbmc_project.Object.Delete.Delete';
const unit = { unit: 'bmc-redfish.service' };
const order = ['bmc-redfish.service', 'replace'];
const configuration = {
  reload: { attemptSeconds: 1, attempts: 4, replyMilliseconds: 60_000 },
  endpoints: [{ type: 'authority', name: 'truststore', path: 'authority', reload: [unit] }],
};

describe('the unit of an endpoint', () => {
  let bus: PrivateBus;
  let manager: ManagerProcess;
  let systemd: FakeSystemd;
  let tools: BusTools;
  let ca: TestAuthority;
  let second: TestAuthority;

  before(async () => {
    bus = await startPrivateBus();
    ca = await makeAuthority(bus.directory, 'Test CA');
    second = await makeAuthority(bus.directory, 'Second CA');
    manager = await startManager(bus, configuration);
    tools = busTools({ address: bus.address, destination: names.authority });
  });
  after(async () => {
    await manager?.stop();
    await bus?.stop();
  });
  beforeEach(async () => {
    systemd = await startFakeSystemd(bus.address);
  });
  afterEach(async () => {
    systemd.behave('obey');
    await tools.call(root, 'xyz.openbmc_project.Collection.DeleteAll.DeleteAll');
    systemd.leave();
  });

  const outcome = async () => {
    const name = 'xyz.openbmc_project.Certs.Extension.Reload';
    const get = ['--json=short', 'get-property', names.authority, root, name, 'Services'];
    return JSON.parse(await tools.busctl(...get)).data[0].slice(0, 3);
  };
  const installed = async () => {
    const nodes = await tools.introspect(root);
    return [...nodes.matchAll(/<node name="(\d+)"/g)].length;
  };

  it('is reloaded once for each change, before the reply', async () => {
    const { 0: path } = await tools.call(root, install, 's', ca.path);
    assert.deepEqual(systemd.asked, [order]);
    await tools.call(String(path), 'xyz.openbmc_project.Certs.Replace.Replace', 's', second.path);
    assert.deepEqual(systemd.asked, [order, order]);
    await tools.call(String(path), remove);
    assert.deepEqual(systemd.asked, [order, order, order]);
    const bundle = writeText(bus.directory, 'bundle.pem', `${ca.pem}${second.pem}`);
    await tools.call(root, 'xyz.openbmc_project.Certs.InstallAll.InstallAll', 's', bundle);
    await tools.call(root, 'xyz.openbmc_project.Certs.ReplaceAll.ReplaceAll', 's', ca.path);
    assert.equal(systemd.asked.length, 5);
  });

  it('is left alone when the change is refused', async () => {
    const garbage = writeText(bus.directory, 'garbage.pem', 'garbage');
    await tools.refusal(root, install, `string:${garbage}`);
    await tools.refusal(`${root}/99`, remove);
    assert.deepEqual(systemd.asked, []);
  });

  for (const state of ['inactive', 'deactivating', 'not-found'])
    it(`is left alone while systemd says of it ${state}, and nothing warns of it`, async () => {
      systemd.leave();
      systemd = await startFakeSystemd(bus.address, { [unit.unit]: state });
      const before = manager.output().length;
      await tools.call(root, install, 's', ca.path);
      assert.deepEqual(await outcome(), [unit.unit, 'NotRunning', '']);
      assert.deepEqual(systemd.asked, []);
      const said = manager.output().slice(before);
      assert.match(said, /service does not run service=bmc-redfish.service/);
      assert.doesNotMatch(said, /warn|could not be reloaded/);
    });

  for (const state of ['active', 'reloading', 'activating', 'failed', 'maintenance'])
    it(`is reloaded while systemd says of it ${state}`, async () => {
      systemd.leave();
      systemd = await startFakeSystemd(bus.address, { [unit.unit]: state });
      await tools.call(root, install, 's', ca.path);
      assert.deepEqual(systemd.asked, [order]);
      assert.deepEqual(await outcome(), [unit.unit, 'Reloaded', '']);
    });

  for (const behaviour of ['tell no state', 'hang when asked for a state'] as const)
    it(`is reloaded by a systemd that does ${behaviour}`, async () => {
      systemd.behave(behaviour);
      await tools.call(root, install, 's', ca.path);
      assert.deepEqual(systemd.asked, [order]);
    });

  const troubles = ['fail', 'hang', 'fail the job', 'never end the job'] as const;
  for (const behaviour of troubles) {
    it(`makes no done change look refused when systemd does ${behaviour}, and is tried again`, async () => {
      systemd.behave(behaviour);
      await tools.call(root, install, 's', ca.path);
      assert.equal(await installed(), 1);
      await until('a second attempt', () => systemd.asked.length >= 2);
      const before = manager.output().split('service reloaded').length;
      systemd.behave('obey');
      await until(
        'it is reloaded in the end',
        () => manager.output().split('service reloaded').length > before,
      );
    });
  }

  it('holds up no start of a manager whose service systemd starts after it', async () => {
    systemd.behave('never end the job');
    const directory = join(bus.directory, 'starting');
    mkdirSync(directory);
    const starting = await startManager(
      { address: bus.address, directory },
      {
        reload: { attemptSeconds: 60, attempts: 1 },
        endpoints: [{ type: 'server', name: 'https', path: 'https/server.pem', reload: [unit] }],
      },
    );
    // A start that is held up goes on when the attempt has failed
    assert.doesNotMatch(starting.output(), /could not be reloaded/);
    await starting.stop();
    await until('systemd is asked', () => systemd.asked.length > 0);
    assert.deepEqual(systemd.asked, [order]);
  });

  it('is not taken for reloaded because a stranger says so', async () => {
    systemd.behave('never end the job');
    const before = manager.output().split('service reloaded').length;
    const done = tools.call(root, install, 's', ca.path);
    await until('systemd is asked', () => systemd.asked.length === 1);
    const stranger = await rawMember(bus.address);
    stranger.send(
      wireMessage({
        type: 4,
        serial: 3,
        destination: systemd.asker,
        path: '/org/freedesktop/systemd1',
        interface: 'org.freedesktop.systemd1.Manager',
        member: 'JobRemoved',
        signature: 'uoss',
        body: [1, '/org/freedesktop/systemd1/job/1', 'bmc-redfish.service', 'done'],
      }),
    );
    await stranger.sync();
    stranger.leave();
    await done;
    assert.equal(manager.output().split('service reloaded').length, before);
    assert.match(manager.output(), /service could not be reloaded/);
  });

  it('is not waited for by the reply longer than is configured, and its outcome is told when it ends', async () => {
    writeConfiguration(bus, { ...configuration, reload: { attemptSeconds: 60 } });
    process.kill(manager.pid, 'SIGHUP');
    await until('it is in force', () => manager.output().includes('configuration read again'));
    systemd.behave('never end the job');
    // A reply that waited for the attempt would come too late for the caller
    await tools.call(root, install, 's', ca.path);
    assert.equal(await installed(), 1);
    await until('the job is there', () => systemd.asked.length === 1);
    assert.deepEqual(await outcome(), [unit.unit, 'Reloading', '']);
    systemd.endJob();
    await until('its end is told', async () => (await outcome())[1] === 'Reloaded');
  });

  it('is tried again when there is no systemd yet', async () => {
    systemd.leave();
    await tools.call(root, install, 's', ca.path);
    assert.equal(await installed(), 1);
    systemd = await startFakeSystemd(bus.address);
    await until('systemd is asked', () => systemd.asked.length === 1);
  });
});
