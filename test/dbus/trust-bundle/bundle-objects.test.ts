import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { connectBus } from '../../../src/dbus/transport/bus.ts';
import {
  administerBundle,
  type BundleAdministration,
  BundleRefusal,
} from '../../../src/dbus/trust-bundle/bundle-client.ts';
import {
  codeOfErrorName,
  errorNameOfCode,
} from '../../../src/dbus/trust-bundle/bundle-interface.ts';
import { bundleFaults } from '../../../src/trust-bundle/bundle-fault.ts';
import { until } from '../../e2e/commands.ts';
import { type PrivateBus, startPrivateBus } from '../../fakes/private-bus.ts';
import { refusal } from '../../fakes/refusal.ts';
import {
  type BundlesOnBus,
  bundlesOnBus,
  CodedFault,
  emptyBundle,
} from '../../fakes/served-bundle.ts';

const { Name: name } = emptyBundle;

describe('a bundle on the bus', () => {
  let bus: PrivateBus;
  let bundles: BundlesOnBus;
  let bundle: BundleAdministration;
  before(async () => {
    bus = await startPrivateBus();
    bundles = await bundlesOnBus(bus.address);
    bundle = await administerBundle(bus.address, name);
  });
  after(async () => {
    bundle?.close();
    bundles?.objects.close();
    await bus?.stop();
  });

  it('tells how it stands', async () => {
    assert.deepEqual(await bundle.status(), emptyBundle);
    const told = {
      ...emptyBundle,
      ...{ State: 'error', Failure: ['rollback', 'it is older', 5n] as [string, string, bigint] },
      Downloads: [[5n, 'timer', 3n, 4n, 'rollback'] as [bigint, string, bigint, bigint, string]],
    };
    bundles.told.set(name, told);
    assert.deepEqual(await bundle.status(), told);
    bundles.told.set(name, emptyBundle);
  });

  it('does what it is asked', async () => {
    assert.deepEqual(await bundle.checkServer(), [7n, 1_700_000_000n]);
    assert.deepEqual((await bundle.download()).slice(1), [
      'command',
      7n,
      1_700_000_000n,
      'updated',
    ]);
    await bundle.load('one');
    await bundle.loadFile('two', Buffer.alloc(300_000));
    await bundle.set('IntervalHours', 48);
    assert.deepEqual((await bundle.status()).SetAtRunTime, ['IntervalHours']);
    await bundle.reset('IntervalHours');
    assert.equal((await bundle.status()).IntervalHours, 24);
    assert.deepEqual(
      (await bundle.members('there')).map(([member]) => member),
      ['One', 'Two'],
    );
    const lines = ['load one', 'load two 300000', 'set IntervalHours 48', 'reset IntervalHours'];
    assert.deepEqual(bundles.asked, ['check', 'download', ...lines]);
  });

  it('says with a code why it did not', async () => {
    bundles.fault = new CodedFault('hash-mismatch', 'the target is another');
    await assert.rejects(bundle.download(), (error: unknown) => {
      assert.ok(error instanceof BundleRefusal);
      assert.deepEqual([error.code, error.message], ['hash-mismatch', 'the target is another']);
      return true;
    });
    await assert.rejects(bundle.members('other'), refusal('not-found'));
  });

  it('takes no value of another type, and no setting that is none', async () => {
    const connection = await connectBus(bus.address);
    const set = (setting: string, signature: string, value: unknown) =>
      connection.call({
        ...{ destination: 'xyz.openbmc_project.Certs.TrustBundles', member: 'Set' },
        path: '/xyz/openbmc_project/certs/trust_bundles/default_2dtrusted_2dca_2dcerts',
        ...{ interface: 'xyz.openbmc_project.Certs.Extension.TrustBundle', signature: 'sv' },
        body: [setting, { signature, value }],
      });
    await assert.rejects(
      set('IntervalHours', 's', '48'),
      refusal('argument-invalid', /signature u/),
    );
    await assert.rejects(set('Name', 's', 'x'), refusal('argument-invalid', /none of Enabled/));
    connection.close();
  });

  it('is there as long as the configuration has it', async () => {
    const missing = await administerBundle(bus.address, 'other');
    await assert.rejects(missing.status(), refusal('not-found', /no bundle other/));
    bundles.told.set('other', { ...emptyBundle, Name: 'other' });
    bundles.objects.changed();
    assert.equal((await missing.status()).Name, 'other');
    bundles.told.delete('other');
    bundles.objects.changed();
    await assert.rejects(missing.status(), refusal('not-found'));
    missing.close();
  });

  it('announces what is another, and that a poll ended', async () => {
    const connection = await connectBus(bus.address);
    const seen: string[] = [];
    const rule = "type='signal',path_namespace='/xyz/openbmc_project/certs/trust_bundles'";
    connection.onSignal(({ member, body }) => {
      seen.push(`${member} ${Object.keys(Object(body[1])).join(' ')}`);
    });
    await connection.call({
      ...{ destination: 'org.freedesktop.DBus', path: '/org/freedesktop/DBus' },
      ...{ interface: 'org.freedesktop.DBus', member: 'AddMatch', signature: 's', body: [rule] },
    });
    bundles.told.set(name, { ...emptyBundle, Revision: 8n, Count: 3 });
    bundles.objects.changed();
    bundles.objects.updated(name, 7, 8, ['aa'], []);
    bundles.objects.failed(name, 'rollback', 'it is older');
    await until('all are there', () => seen.some((line) => line.startsWith('UpdateFailed')));
    assert.deepEqual(
      seen.map((line) => line.replace(/^(Upda\w+).*/, '$1')),
      ['PropertiesChanged Revision', 'PropertiesChanged Count', 'Updated', 'UpdateFailed'],
    );
    connection.close();
  });

  it('is there again after the bus was away', async () => {
    await bus.kill();
    await bus.start();
    const again = await until('it is there', async () => {
      const asked = await administerBundle(bus.address, name).catch(() => undefined);
      const status = await asked?.status().catch(() => undefined);
      asked?.close();
      return status;
    });
    assert.equal(again.Name, name);
  });
});

describe('the code of a refusal', () => {
  it('comes back from the name of the error, for each of them', () => {
    for (const code of Object.keys(bundleFaults))
      assert.equal(codeOfErrorName(errorNameOfCode(code)), code);
    assert.equal(codeOfErrorName('org.freedesktop.DBus.Error.NoReply'), undefined);
  });
});
