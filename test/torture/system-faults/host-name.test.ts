import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Bus, connectBus } from '../../../src/dbus/transport/bus.ts';
import { requestName } from '../../fakes/fake-systemd.ts';
import { extent, figure } from '../extent.ts';
import { type Device, startDevice } from './device.ts';

const rounds = extent({ quick: 5, long: 200 });

describe('a manager whose host gets another name', () => {
  let device: Device;
  let hostnamed: Bus;

  before(async () => {
    device = await startDevice();
    hostnamed = await connectBus(device.bus.address);
    await requestName(hostnamed, 'org.freedesktop.hostname1');
  });
  after(async () => {
    hostnamed?.close();
    await device?.stop();
  });

  const announce = (signature: string, body: readonly unknown[]) =>
    hostnamed.signal(
      '/org/freedesktop/hostname1',
      'org.freedesktop.DBus.Properties',
      'PropertiesChanged',
      signature,
      body,
    );
  const rename = (value: unknown, signature = 's') =>
    announce('sa{sv}as', ['org.freedesktop.hostname1', { Hostname: { signature, value } }, []]);

  it('keeps a certificate that is installed while the name changes', async () => {
    for (let round = 0; round < rounds; round += 1) {
      const change = device.replaceServer();
      rename(`bmc-${round}`);
      const fingerprint = await change;
      rename(`bmc-${round}-again`);
      assert.equal(device.onDisk(), fingerprint);
    }
    figure('system-faults', 'names of the host during installations', rounds * 2);
  });

  const garbage: Record<string, () => void> = {
    'an empty name': () => rename(''),
    'a name of many lines': () => rename('bmc\nCN=other'),
    'a very long name': () => rename('x'.repeat(100_000)),
    'a number': () => rename(7, 'u'),
    nothing: () => announce('', []),
    'numbers only': () => announce('uu', [1, 2]),
    'a property of another kind': () =>
      announce('sa{sv}as', [
        'org.freedesktop.hostname1',
        { Other: { signature: 's', value: 'x' } },
        [],
      ]),
  };
  it('takes no harm from what is no announcement', async () => {
    const before = device.onDisk();
    for (const send of Object.values(garbage)) send();
    const fingerprint = await device.replaceServer();
    assert.notEqual(fingerprint, before);
    assert.equal(device.onDisk(), fingerprint);
    assert.doesNotMatch(device.manager.output(), /unexpected error|CN=other/);
    figure('system-faults', 'kinds of garbage of hostnamed', Object.keys(garbage).length);
  });

  it('goes on when hostnamed leaves in the midst of it', async () => {
    rename('bmc-last');
    hostnamed.close();
    assert.equal(await device.replaceServer(), device.onDisk());
  });
});
