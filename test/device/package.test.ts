import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { commandBlocks } from '../../scripts/command-blocks.ts';
import { type UnitState, units } from '../../scripts/package/units.ts';
import { until } from '../e2e/commands.ts';
import { clone } from '../e2e/stack.ts';
import { opensslAuthority } from '../fakes/openssl-authority.ts';
import { documented } from '../how-to/blocks.ts';
import { startDebian } from './debian.ts';
import { type Device, whyNoDevice } from './device.ts';
import {
  ask,
  configuration,
  password,
  putPackage,
  releaseDirectory,
  runBlocks,
} from './installation.ts';

const state = '/var/lib/bmc-certificate-manager';
const https = '/etc/ssl/certs/https/server.pem';
const sessions = '/redfish/v1/SessionService/Sessions';
const services = ['bmc-certificate-manager', 'bmc-account-manager', 'bmc-redfish'];

/** What systemctl says of a unit that is enabled, and active. */
const expectedStates: Readonly<Record<UnitState, readonly string[]>> = {
  enabled: ['enabled', 'active'],
  activated: ['static', 'active'],
  disabled: ['disabled', 'inactive'],
};

/** The life of the package, in its order. */
for (const debian of [12, 13] as const) {
  describe(`the package on Debian ${debian}`, { skip: whyNoDevice() ?? false }, () => {
    const authority = opensslAuthority();
    const ca = authority.issueCa({ subject: '/CN=CA of the device' });
    let device: Device;
    let token: string;
    let fingerprint: string;

    before(async () => {
      device = await startDebian(debian);
      putPackage(device.root);
    });
    after(async () => {
      await device?.stop();
      authority.remove();
    });

    const at = (path: string) => join(device.root, path);
    const shell = (script: string) => device.must('sh', '-e', '-c', script);
    const served = () =>
      shell(
        'openssl s_client -connect 127.0.0.1:443 </dev/null 2>/dev/null | openssl x509 -noout -subject -fingerprint',
      );
    const unitState = async (question: string, unit: string) =>
      (await device.run('systemctl', question, unit)).stdout.trim();
    const isServed = () =>
      until('Redfish answers', async () => (await ask(device, '/redfish/v1')).status === 200);
    const sessionStatus = async () => {
      const options = ['--user', '', '--header', `X-Auth-Token: ${token}`];
      return (await ask(device, sessions, ...options)).status;
    };
    const pidOf = (unit: string) =>
      device.must('systemctl', 'show', '--property=MainPID', '--value', unit);

    it('leads from nothing to a certificate of a CA, as README.md says', async () => {
      const page = readFileSync(join(clone, 'README.md'), 'utf8');
      const blocks = commandBlocks(page).filter(({ heading }) => heading === 'On a device');
      const [first = [], last = []] = [blocks.slice(0, -1), blocks.slice(-1)];
      const printed = await runBlocks(device, releaseDirectory, first, password);
      assert.match(printed[0] ?? '', /"bmc-certs set-password" makes the administrator/);
      const request = readFileSync(at(`${releaseDirectory}/request.pem`), 'utf8');
      writeFileSync(at(`${releaseDirectory}/certificate.pem`), authority.sign(request, ca));
      await runBlocks(device, releaseDirectory, last, '');
      await isServed();
      fingerprint = await served();
      assert.match(fingerprint, /bmc\.example\.com/);
      const log = await device.must('journalctl', '--unit=bmc-certificate-manager');
      assert.match(log, /service reloaded/);
      assert.doesNotMatch(log, /could not be reloaded/);
    });

    for (const [unit, state] of Object.entries(units)) {
      it(`has ${unit} ${state} now and at each boot`, async () => {
        const found = [await unitState('is-enabled', unit), await unitState('is-active', unit)];
        assert.deepEqual(found, expectedStates[state]);
      });
    }

    it('keeps certificate, sessions and a changed configuration through an upgrade', async () => {
      const body = JSON.stringify({ UserName: 'admin', Password: password });
      const login = await ask(device, sessions, '--user', '', '--include', '--json', body);
      token = /^x-auth-token: (.*?)\r?$/im.exec(login.text)?.[1] ?? '';
      assert.equal(await sessionStatus(), 200);
      await shell(`sed -i 's/"maxCertificates": 1000/"maxCertificates": 999/' ${configuration}`);
      const changed = readFileSync(at(configuration), 'utf8');
      const before = await Promise.all(services.map(pidOf));

      putPackage(device.root, '99.0.0');
      await runBlocks(device, '/', documented('upgrade', 'Install the new package'), '');

      const version = await device.must('dpkg-query', '--show', 'bmc-certificate-manager');
      assert.equal(version, 'bmc-certificate-manager\t99.0.0-1\n');
      await isServed();
      const pids = await Promise.all(services.map(pidOf));
      for (const [index, pid] of pids.entries()) assert.notEqual(pid, before[index]);
      assert.equal(await served(), fingerprint);
      assert.equal(await sessionStatus(), 200);
      assert.equal(readFileSync(at(configuration), 'utf8'), changed);
    });

    it('leaves it to the operator which services are enabled', async () => {
      await device.must('systemctl', 'disable', '--now', 'bmc-redfish');
      await device.must('systemctl', 'enable', 'bmc-cmp');
      putPackage(device.root, '99.0.1');
      await runBlocks(device, '/', documented('upgrade', 'Install the new package'), '');
      assert.equal(await unitState('is-enabled', 'bmc-redfish'), 'disabled');
      assert.equal(await unitState('is-active', 'bmc-redfish'), 'inactive');
      assert.equal(await unitState('is-enabled', 'bmc-cmp'), 'enabled');
      await device.must('systemctl', 'disable', '--now', 'bmc-cmp');
      await device.must('systemctl', 'enable', '--now', 'bmc-redfish');
      await isServed();
    });

    it('stops its services when it is removed, and goes on where it ended', async () => {
      await device.must('apt-get', 'remove', '-y', 'bmc-certificate-manager');
      for (const unit of services) assert.equal(await unitState('is-active', unit), 'inactive');
      assert.ok(!existsSync(at('usr/bin/bmc-certs')));
      for (const path of [configuration, https, `${state}/accounts/accounts.json`])
        assert.ok(existsSync(at(path)), path);
      await runBlocks(device, releaseDirectory, documented('install', 'Install the package'), '');
      await isServed();
      assert.equal(await served(), fingerprint);
      assert.equal(await sessionStatus(), 200);
    });

    it('leaves nothing when it is purged but what it names, and the users', async () => {
      const printed = await device.must('apt-get', 'purge', '-y', 'bmc-certificate-manager');
      assert.match(
        printed,
        /Left for the services that read it: \/etc\/ssl\/certs\/https, with its/,
      );
      assert.ok(existsSync(at(https)));
      const gone = [state, '/etc/bmc-certificate-manager', '/usr/lib/bmc-certificate-manager'];
      for (const path of [...gone, '/run/bmc-certificates', '/etc/nslcd'])
        assert.ok(!existsSync(at(path)), path);
      const left = ['etc/systemd/system', 'var/lib/systemd'].flatMap((folder) =>
        readdirSync(at(folder), { recursive: true }).filter((name) => /bmc-/.test(String(name))),
      );
      assert.deepEqual(left, []);
      const users = readFileSync(at('etc/passwd'), 'utf8').match(/^bmc-.*nologin$/gm);
      const declared = readFileSync(
        join(clone, 'systemd/bmc-certificate-manager.sysusers'),
        'utf8',
      );
      assert.equal(users?.length, declared.match(/^u /gm)?.length);
    });
  });
}
