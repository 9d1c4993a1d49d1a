import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { until } from '../e2e/commands.ts';
import { type Device, startDevice, whyNoDevice } from './device.ts';
import { ask, configuration, install } from './installation.ts';

const units = ['bmc-certificate-manager', 'bmc-account-manager', 'bmc-redfish'];
const name = 'xyz.openbmc_project.Certs.Manager.Server.Gnmi';
const collection = '/redfish/v1/Managers/bmc/CertificateEndpoints/server/gnmi/Certificates';
const file = '/var/lib/bmc-certificate-manager/endpoints/server-gnmi/server.pem';

describe('a configuration that systemctl reload reads again', {
  skip: whyNoDevice() ?? false,
}, () => {
  let device: Device;
  let shipped: string;
  const write = (text: string) => writeFileSync(join(device.root, configuration), text);
  const reload = (...which: string[]) => device.run('systemctl', 'reload', ...which);
  const pids = () => device.must('systemctl', 'show', '--property=MainPID', '--value', ...units);
  const objects = (user: string) =>
    device.run(
      ...(['runuser', '-u', user, '--', 'busctl', 'call', name] as const),
      ...['/xyz/openbmc_project/certs/server/gnmi', 'org.freedesktop.DBus.ObjectManager'],
      'GetManagedObjects',
    );

  before(async () => {
    device = await startDevice();
    await install(device);
    await until('Redfish answers', async () => (await ask(device, '/redfish/v1')).status === 200);
    shipped = readFileSync(join(device.root, configuration), 'utf8');
    await device.must('useradd', '--user-group', 'gnmi');
    await device.must('useradd', 'another');
  });
  after(() => device?.stop());

  it('has a further endpoint by one edit, on the bus, in Redfish, and for the group of its service', async () => {
    const before = await pids();
    const document = JSON.parse(shipped);
    document.endpoints.push({ type: 'server', name: 'gnmi', group: 'gnmi' });
    // For which every endpoint leaves the bus for a moment
    document.limits = { authorities: 50 };
    write(JSON.stringify(document));
    assert.equal((await reload(...units)).status, 0);
    await until('it is in Redfish', async () => (await ask(device, collection)).status === 200);
    assert.match((await ask(device, `${collection}/1`)).text, /BEGIN CERTIFICATE/);
    for (const user of ['root', 'bmc-redfish']) assert.equal((await objects(user)).status, 0, user);
    assert.notEqual((await objects('another')).status, 0);
    const read = (user: string) => device.run('runuser', '-u', user, '--', 'cat', file);
    assert.match((await read('gnmi')).stdout, /BEGIN CERTIFICATE/);
    for (const user of ['another', 'bmc-redfish']) assert.notEqual((await read(user)).status, 0);
    assert.equal(await pids(), before);
  });

  it('is refused with its bad line, and changes nothing', async () => {
    const before = await pids();
    write(shipped.replace('"port": 443', '"port": "https"'));
    for (const unit of ['bmc-certificate-manager', 'bmc-account-manager'])
      assert.notEqual((await reload(unit)).status, 0, unit);
    await reload('bmc-redfish');
    const line = shipped.split('\n').findIndex((text) => text.includes('"port": 443')) + 1;
    for (const unit of units) {
      await until(`${unit} says where`, async () => {
        const log = await device.must('journalctl', '--no-pager', '--output=cat', '--unit', unit);
        return log.includes(`/redfish/port (line ${line}, column `);
      });
    }
    assert.equal(await pids(), before);
    assert.equal((await ask(device, collection)).status, 200);
  });

  it('has an endpoint no more that is taken from it, whose files stay', async () => {
    write(shipped);
    assert.equal((await reload(...units)).status, 0);
    await until('it has left', async () => (await objects('root')).status !== 0);
    await until('Redfish knows', async () => (await ask(device, collection)).status === 404);
    await device.must('test', '-s', file);
  });
});
