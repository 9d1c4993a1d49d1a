import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connectBus } from '../../../src/dbus/transport/bus.ts';
import { until } from '../../e2e/commands.ts';
import { busCaller } from '../../fakes/bus-caller.ts';
import { names, paths, runManager, untilReady } from '../../fakes/manager-process.ts';
import { type PrivateBus, startPrivateBus } from '../../fakes/private-bus.ts';
import { extent, figure } from '../extent.ts';
import { childrenOf } from '../soak/processes.ts';
import { type Device, startDevice } from './device.ts';

const rounds = extent({ quick: 1, long: 15 });

describe('a second manager for the same files', () => {
  let device: Device;
  const args = () => ['--config', join(device.bus.directory, 'manager.json')];

  before(async () => {
    device = await startDevice({ limits: { requestSeconds: 60 } });
  });
  after(() => device?.stop());

  it('ends without touching them: neither a staged replacement of the first nor its request is disturbed', async () => {
    const caller = await busCaller(device.bus.address, names.server);
    const replacement = 'xyz.openbmc_project.Certs.Extension.Replacement';
    const { pem, fingerprint } = device.issuer.pair();
    const id = await caller.call(
      ...([paths.server, `${replacement}.Stage`, 'aysssaysu'] as const),
      ...[Buffer.from(pem), 'PEM', '', '', Buffer.alloc(0), 'PEM', 0],
    );
    await caller.call(paths.server, `${replacement}.Activate`, 'su', id, 0);
    assert.equal(device.onDisk(), fingerprint);
    const request = device.request();
    const worker = await until(
      'there is a worker',
      () => [...childrenOf(device.manager.pid).keys()][0],
    );
    process.kill(worker, 'SIGSTOP');
    for (let round = 0; round < rounds; round += 1) {
      const second = runManager(args());
      const ending = await second.ended;
      // The caller does not wait for ever
      if (round === 0) process.kill(worker, 'SIGCONT');
      assert.deepEqual(ending, { status: 1, signal: null });
      assert.match(second.output(), /the bus name .* belongs to another process/);
      assert.equal(device.onDisk(), fingerprint);
    }
    assert.match(await request, /BEGIN CERTIFICATE REQUEST/);
    await caller.call(paths.server, `${replacement}.Commit`, 's', id);
    caller.leave();
    assert.equal(device.onDisk(), fingerprint);
    figure('system-faults', 'second managers', rounds);
  });
});

describe('two managers that start at once', () => {
  let bus: PrivateBus;
  before(async () => {
    bus = await startPrivateBus();
    const configuration = {
      stateDirectory: bus.directory,
      runtimeDirectory: join(bus.directory, 'run'),
      bus: bus.address,
      endpoints: [
        { type: 'server', name: 'https', path: 'https/server.pem', reload: [] },
        { type: 'authority', name: 'truststore', path: 'authority', reload: [] },
      ],
    };
    writeFileSync(join(bus.directory, 'both.json'), JSON.stringify(configuration));
  });
  after(() => bus?.stop());

  it('come to one that serves everything and one that ends', async () => {
    for (let round = 0; round < rounds; round += 1) {
      const args = ['--config', join(bus.directory, 'both.json')];
      const both = [runManager(args), runManager(args)];
      const serving = await Promise.any(both.map(untilReady));
      const other = both.find((one) => one !== serving);
      assert.deepEqual(await other?.ended, { status: 1, signal: null });
      const client = await connectBus(bus.address);
      for (const [type, path] of [
        ['server', paths.server],
        ['authority', paths.authority],
      ] as const) {
        await client.call({
          ...{ destination: names[type], path, member: 'GetManagedObjects' },
          interface: 'org.freedesktop.DBus.ObjectManager',
        });
      }
      client.close();
      await serving.stop();
    }
    figure('system-faults', 'pairs of managers that started at once', rounds);
  });
});
