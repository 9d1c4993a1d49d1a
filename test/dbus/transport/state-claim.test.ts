import assert from 'node:assert/strict';
import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { claimState } from '../../../src/dbus/transport/state-claim.ts';
import { until } from '../../e2e/commands.ts';
import { clone } from '../../e2e/stack.ts';
import { type PrivateBus, startPrivateBus } from '../../fakes/private-bus.ts';
import { scratchDirectory } from '../../storage/scratch.ts';

describe('a state directory', () => {
  const directory = scratchDirectory();
  let bus: PrivateBus;
  const lines: string[] = [];
  const note = (message: string) => lines.push(message);
  const log = { debug: note, info: note, warn: note, error: note };
  const held: (() => void)[] = [];
  const claim = async (path: string, lost: (error: Error) => void = () => undefined, on = bus) => {
    const release = await claimState({ busAddress: on.address, directory: path, log, lost });
    held.push(release);
    return release;
  };
  const taken = (path: string) => ({
    name: 'SetupError',
    message: `The state directory ${path} belongs to another Redfish service.`,
  });

  before(async () => {
    bus = await startPrivateBus();
  });
  afterEach(() => {
    for (const release of held.splice(0)) release();
    lines.splice(0);
  });
  after(() => bus?.stop());

  it('belongs to one service of a bus at a time, whatever path leads to it', async () => {
    const link = join(directory(), 'link');
    symlinkSync(directory(), link);
    const release = await claim(directory());
    await assert.rejects(claim(directory()), taken(directory()));
    await assert.rejects(claim(link), taken(link));
    release();
    await until('it is free', () => claim(directory()).catch(() => false as const));
  });

  it('is taken again when the bus comes back, and given up where another service was faster', async () => {
    const other = await startPrivateBus();
    try {
      const lost: string[] = [];
      const note = ({ message }: Error) => void lost.push(message);
      await claim(directory(), note, other);
      await other.kill();
      // It finds no bus, and goes on without
      await claim(directory(), note, other);
      assert.deepEqual(lost, []);
      await other.start();
      await until('one of them gives up', () => lost.length > 0, 60_000);
      assert.deepEqual(lost, [taken(directory()).message]);
    } finally {
      await other.stop();
    }
  });

  it('is used with a warning where the policy of the bus is from before', async () => {
    const closed = await startPrivateBus('bus', join(clone, 'systemd', 'bmc-redfish-users.conf'));
    try {
      await claim(directory(), undefined, closed);
      assert.deepEqual(lines, ['the state directory is not kept from other services']);
    } finally {
      for (const release of held.splice(0)) release();
      await closed.stop();
    }
  });

  it('may be claimed by the user of the unit', () => {
    const policy = readFileSync(join(clone, 'systemd', 'bmc-certificate-manager.conf'), 'utf8');
    const [own] = /<policy user="bmc-redfish">.*?<\/policy>/s.exec(policy) ?? [];
    assert.match(own ?? '', /<allow own_prefix="xyz\.openbmc_project\.Certs\.Redfish"\/>/);
  });
});
