import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type OperatorWorld, operatorWorld } from '../fakes/operator-world.ts';

let world: OperatorWorld;
beforeEach(async () => {
  world = await operatorWorld();
});
afterEach(() => world?.close());

describe('a command without a manager', () => {
  const says = async (words: readonly string[], expected: RegExp) => {
    const { status, stdout, stderr } = await world.run(words);
    assert.match(stderr, expected);
    assert.deepEqual([status, stdout], [7, '']);
  };

  it('says that no manager is on the bus, and where to look', async () => {
    await world.manager.stop();
    const expected = /^unavailable: there is no certificate manager on the bus; look at systemctl /;
    await says(['list'], expected);
  });

  it('says that there is no bus, and which', async () => {
    const address = 'unix:path=/nowhere/bus';
    const expected = /^unavailable: the D-Bus at unix:path=\/nowhere\/bus cannot be reached; /;
    await says(['--bus', address, 'list'], expected);
    await world.bus.kill();
    await says(['list'], /^unavailable: the D-Bus cannot be reached; /);
  });

  it('says it in JSON where JSON is asked for', async () => {
    await world.manager.stop();
    const { stderr } = await world.run(['list', '--json']);
    const { error, status, message } = JSON.parse(stderr);
    assert.deepEqual([error, status], ['unavailable', 7]);
    assert.match(message, /^unavailable: there is no certificate manager on the bus/);
  });
});
