import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { busTools } from '../../fakes/bus-tools.ts';
import { type ManagerProcess, names, paths, startManager } from '../../fakes/manager-process.ts';
import { type PrivateBus, startPrivateBus } from '../../fakes/private-bus.ts';

// libuv of Node 20 fills a name up with NUL bytes, which makes it another name
const skip = Number.parseInt(process.versions.node, 10) < 22 && 'needs Node 22 or later';

describe('a bus at an abstract address', { skip }, () => {
  let bus: PrivateBus;
  let manager: ManagerProcess;

  before(async () => {
    bus = await startPrivateBus('bus', undefined, 'abstract');
    manager = await startManager(bus);
  });
  after(async () => {
    await manager?.stop();
    await bus?.stop();
  });

  it('carries the manager as one with a path does', async () => {
    assert.equal(existsSync(join(bus.directory, 'bus')), false);
    const tools = busTools({ address: bus.address, destination: names.server });
    assert.match(await tools.busctl('tree', names.server), new RegExp(`${paths.server}/1`));
  });
});
