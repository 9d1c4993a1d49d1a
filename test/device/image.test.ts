import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { until } from '../e2e/commands.ts';
import { startDebian } from './debian.ts';
import { type Device, runSwitchedOff, whyNoDevice } from './device.ts';
import { ask, putPackage, releaseDirectory } from './installation.ts';

describe('an image of Debian 13 into which the package was installed', {
  skip: whyNoDevice() ?? false,
}, () => {
  let device: Device;

  before(async () => {
    device = await startDebian(13, (root) => {
      putPackage(root);
      const installation = `apt-get install -y ${releaseDirectory}/*.deb`;
      runSwitchedOff(root, 'sh', '-c', installation);
    });
  });
  after(() => device?.stop());

  it('has the services with the first boot of a device', async () => {
    await device.must('systemctl', 'start', 'multi-user.target');
    // Without an account there is no login, but the root of the service is for all
    const isServed = async () => (await ask(device, '/redfish/v1', '--user', '')).status === 200;
    await until('Redfish answers', isServed);
    assert.match(await device.must('bmc-certs', 'list'), /server\/https/);
  });

  it('makes no certificate and no key before, which all devices would share', async () => {
    const log = await device.must('journalctl', '--unit=bmc-certificate-manager');
    assert.match(log, /self-signed certificate generated/);
  });
});
