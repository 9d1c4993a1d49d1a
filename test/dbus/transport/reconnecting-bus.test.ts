import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ManagerWatch } from '../../../src/dbus/client/manager-watch.ts';
import { ReconnectingBus } from '../../../src/dbus/transport/reconnecting-bus.ts';
import { until } from '../../e2e/commands.ts';
import { type PrivateBus, startPrivateBus } from '../../fakes/private-bus.ts';

const silent = () => undefined;
const log = { debug: silent, info: silent, warn: silent, error: silent };
const nowhere = 'unix:path=/nonexistent/bus';

/** Timers that keep the process alive. */
const timers = () => process.getActiveResourcesInfo().filter((one) => one === 'Timeout').length;

describe('a connection that lasts', () => {
  let bus: PrivateBus;
  const heard: string[] = [];
  const make = (busAddress: string, begin: () => Promise<void> = async () => undefined) =>
    new ReconnectingBus({
      busAddress,
      log,
      begin: async () => {
        heard.push('begin');
        await begin();
      },
      ended: () => heard.push('ended'),
    });

  before(async () => {
    bus = await startPrivateBus();
  });
  after(() => bus?.stop());

  it('leaves no timer behind when it is closed while there is no bus', async () => {
    for (const waiting of [make(nowhere), new ManagerWatch(nowhere, log)]) {
      const others = timers();
      await waiting.start();
      assert.equal(timers(), others + 1);
      waiting.close();
      assert.equal(timers(), others);
    }
  });

  it('does not try again when it is closed while it begins', async () => {
    heard.length = 0;
    const connection: ReconnectingBus = make(bus.address, async () => {
      connection.close();
      throw new Error('closed');
    });
    const others = timers();
    await connection.start();
    assert.equal(timers(), others);
    assert.deepEqual(heard, ['begin']);
  });

  it('does not try again when it is closed while it connects', async () => {
    heard.length = 0;
    for (const address of [nowhere, bus.address]) {
      const connection = make(address);
      const others = timers();
      const started = connection.start();
      connection.close();
      await started;
      assert.equal(timers(), others);
      assert.equal(connection.bus, undefined);
    }
    assert.deepEqual(heard, []);
  });

  it('gives up a connection that cannot be set up, and makes another', async () => {
    heard.length = 0;
    let failures = 1;
    const connection = make(bus.address, async () => {
      if (failures-- > 0) throw new Error('not now');
    });
    await connection.start();
    assert.equal(connection.bus, undefined);
    await until('it is there', () => heard.length === 3);
    assert.deepEqual(heard, ['begin', 'ended', 'begin']);
    assert.ok(connection.bus);
    connection.close();
  });

  it('comes back after the bus was away', async () => {
    heard.length = 0;
    const connection = make(bus.address);
    await connection.start();
    await bus.kill();
    await until('the loss is seen', () => connection.bus === undefined);
    await bus.start();
    await until('it is back', () => connection.bus !== undefined);
    assert.equal(heard.at(0), 'begin');
    assert.equal(heard.at(1), 'ended');
    assert.equal(heard.at(-1), 'begin');
    connection.close();
  });
});
