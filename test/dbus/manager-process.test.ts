import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { busNamespace } from '../../src/dbus/certs/endpoint-names.ts';
import { connectBus } from '../../src/dbus/transport/bus.ts';
import { busDaemon } from '../../src/dbus/transport/bus-driver.ts';
import { until } from '../e2e/commands.ts';
import { removeDirectory, temporaryDirectory } from '../e2e/stack.ts';
import { busTools } from '../fakes/bus-tools.ts';
import { startFakeSystemd } from '../fakes/fake-systemd.ts';
import {
  type Ending,
  names,
  paths,
  runManager,
  startManager,
  untilReady,
} from '../fakes/manager-process.ts';
import { type PrivateBus, startPrivateBus } from '../fakes/private-bus.ts';

describe('the manager', () => {
  let bus: PrivateBus;

  before(async () => {
    bus = await startPrivateBus();
  });
  after(() => bus?.stop());

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`ends with status 0 after ${signal}`, async () => {
      const manager = await startManager(bus);
      assert.deepEqual(await manager.stop(signal), { status: 0, signal: null });
    });
  }

  it('gives the name of its unit up in one step: systemd takes any further owner for the next manager', async () => {
    // With each the bus has a further connection to drop, in whatever order
    const endpoints = Array.from({ length: 40 }, (_, at) => ({ type: 'client', name: `c${at}` }));
    const manager = await startManager(bus, { endpoints });
    const watcher = await connectBus(bus.address);
    const owners: unknown[] = [];
    watcher.onSignal(({ member, body: [name, , owner] }) => {
      if (member === 'NameOwnerChanged' && name === busNamespace) owners.push(owner);
    });
    const rule = `type='signal',sender='${busDaemon.destination}',arg0='${busNamespace}'`;
    await watcher.call({ ...busDaemon, member: 'AddMatch', signature: 's', body: [rule] });
    await manager.stop();
    await until('it has no owner', () => owners.includes(''));
    watcher.close();
    assert.deepEqual(owners, ['']);
  });

  it('ends with status 0 when the program that started it is gone', async () => {
    const file = join(bus.directory, 'manager.json');
    const manager = await untilReady(runManager(['--config', file]));
    let ending: Ending | undefined;
    void manager.ended.then((one) => {
      ending = one;
    });
    manager.child.disconnect();
    try {
      assert.deepEqual(await until('it ends', () => ending), { status: 0, signal: null });
    } finally {
      await manager.stop('SIGKILL');
    }
  });

  it('ends with status 1 and says why when another process has its name', async () => {
    const first = await startManager(bus);
    const other = temporaryDirectory();
    try {
      const second = startManager({ address: bus.address, directory: other });
      await assert.rejects(second, (error: Error) => {
        assert.match(error.message, /cannot start reason="the bus name .* belongs to another/);
        assert.doesNotMatch(error.message, /\n\s+at /);
        return true;
      });
      const tools = busTools({ address: bus.address, destination: names.server });
      await tools.call(paths.server, 'org.freedesktop.DBus.Peer.Ping');
    } finally {
      await first.stop();
      removeDirectory(other);
    }
  });

  it('ends with status 1 and a line in its log when the bus dies', async () => {
    const mortal = await startPrivateBus();
    try {
      const manager = await startManager(mortal);
      await mortal.kill();
      assert.deepEqual(await manager.ended, { status: 1, signal: null });
      assert.match(
        manager.output(),
        /error certificate-manager: .*connection to the D-Bus is lost/,
      );
      assert.doesNotMatch(manager.output(), /\n\s+at /);
    } finally {
      await mortal.stop();
    }
  });

  it('ends with status 1 when there is no bus', async () => {
    const place = { address: 'unix:path=/nowhere/bus', directory: bus.directory };
    await assert.rejects(startManager(place), /the D-Bus cannot be reached/);
  });
});

describe("phosphor's own options", () => {
  let bus: PrivateBus;

  before(async () => {
    bus = await startPrivateBus();
  });
  after(() => bus?.stop());

  const environment = () => ({
    DBUS_SYSTEM_BUS_ADDRESS: bus.address,
    RUNTIME_DIRECTORY: join(bus.directory, 'run'),
  });
  const spellings = [
    { form: 'long', words: ['--type', '--endpoint', '--path', '--unit'] },
    { form: 'short', words: ['-t', '-e', '-p', '-u'] },
  ];
  for (const { form, words } of spellings) {
    it(`in their ${form} form serve one endpoint on the system bus and reload its unit`, async () => {
      const values = ['authority', 'ldap', join(bus.directory, form), 'nslcd.service'];
      const args = words.flatMap((word, at) => [word, values[at] ?? '']);
      const systemd = await startFakeSystemd(bus.address);
      const manager = await untilReady(runManager(args, environment()));
      try {
        const destination = 'xyz.openbmc_project.Certs.Manager.Authority.Ldap';
        const tools = busTools({ address: bus.address, destination });
        const root = '/xyz/openbmc_project/certs/authority/ldap';
        await tools.call(root, 'xyz.openbmc_project.Collection.DeleteAll.DeleteAll');
        assert.deepEqual(systemd.asked, [['nslcd.service', 'replace']]);
        const { 0: owned } = await busTools({
          address: bus.address,
          destination: 'org.freedesktop.DBus',
        }).call('/org/freedesktop/DBus', 'org.freedesktop.DBus.ListNames');
        const managers = Object.values(owned ?? {}).map(String);
        assert.equal(
          managers.filter((name) => /Certs\.Manager\.(?!.*\.Files$)/.test(name)).length,
          1,
        );
      } finally {
        await manager.stop();
        systemd.leave();
      }
    });
  }

  it('do without a unit', async () => {
    const path = join(bus.directory, 'client', 'cert.pem');
    const manager = await untilReady(
      runManager(['--type=client', '--endpoint=ldap', `--path=${path}`], environment()),
    );
    const tools = busTools({ address: bus.address, destination: names.client });
    await until('it has its name', () =>
      tools.call(paths.client, 'org.freedesktop.DBus.Peer.Ping').then(() => true),
    );
    assert.deepEqual(await manager.stop(), { status: 0, signal: null });
  });
});

describe('a command line that the manager refuses', () => {
  const directory = temporaryDirectory();
  after(() => removeDirectory(directory));

  const absent = join(directory, 'absent.json');
  const broken = join(directory, 'broken.json');
  const unknown = join(directory, 'unknown.json');
  writeFileSync(broken, '{ "bus": ');
  writeFileSync(unknown, '{ "endpionts": [] }');
  const place = ['--endpoint', 'https', '--path', join(directory, 'server.pem')];
  const lines = [
    { what: 'nothing', args: [], says: /Give --config FILE, or all of/ },
    { what: 'no type', args: place, says: /Give --config FILE, or all of/ },
    {
      what: 'no path',
      args: ['-t', 'server', '-e', 'https'],
      says: /Give --config FILE, or all of/,
    },
    { what: 'an unknown type', args: ['-t', 'router', ...place], says: /\/endpoints\/0\/type/ },
    {
      what: 'an endpoint that no object path can have',
      args: ['-t', 'server', '-e', 'my-https', '-p', join(directory, 'x')],
      says: /\/endpoints\/0\/name/,
    },
    { what: 'an unknown option', args: ['--colour', 'red'], says: /'--colour'/ },
    { what: 'an option without its value', args: ['--type'], says: /--type/ },
    { what: 'a word', args: ['server'], says: /'server'/ },
    { what: 'a configuration that is absent', args: ['--config', absent], says: /absent\.json/ },
    { what: 'one that is no JSON', args: ['--config', broken], says: /broken\.json is not JSON/ },
    { what: 'one with a member misspelt', args: ['--config', unknown], says: /\/endpionts/ },
  ];
  for (const { what, args, says } of lines) {
    it(`has ${what}: status 1 and one line that says so`, async () => {
      const manager = runManager(args);
      assert.deepEqual(await manager.ended, { status: 1, signal: null });
      assert.match(manager.output(), says);
      assert.equal(manager.output().trim().split('\n').length, 1);
    });
  }
});
