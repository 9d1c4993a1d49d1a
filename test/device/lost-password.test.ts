import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { until } from '../e2e/commands.ts';
import { opensslAuthority } from '../fakes/openssl-authority.ts';
import { documented } from '../how-to/blocks.ts';
import { type Device, startDevice, whyNoDevice } from './device.ts';
import { ask, install, password, runBlocks } from './installation.ts';

const accounts = '/var/lib/bmc-certificate-manager/accounts/accounts.json';
const sessions = '/redfish/v1/SessionService/Sessions';

describe('an operator on the device who lost the password', {
  skip: whyNoDevice() ?? false,
}, () => {
  let device: Device;
  let count = 0;

  before(async () => {
    device = await startDevice();
    await install(device);
    await isServed();
  });
  after(() => device?.stop());

  const isServed = () =>
    until('Redfish answers', async () => (await ask(device, '/redfish/v1')).status === 200);
  const login = async (Password: string) => {
    const body = JSON.stringify({ UserName: 'admin', Password });
    return (await ask(device, sessions, '--json', body, '--user', '')).status;
  };
  /** As docs/how-to/troubleshoot.md says, with the password typed. @returns it */
  const setPassword = async () => {
    count += 1;
    const another = `Another-pass-${count}`;
    await runBlocks(device, '/', documented('troubleshoot', 'The password is lost'), another);
    return another;
  };
  const restart = (how: string) =>
    device.must('systemctl', how, 'bmc-account-manager', 'bmc-redfish');
  const stored = () => {
    const path = join(device.root, accounts);
    return JSON.parse(readFileSync(path, 'utf8'));
  };

  it('gets in when locked out of the running service', async () => {
    for (let at = 0; at < 6; at += 1) assert.equal(await login('a guess'), 401);
    assert.equal(await login(password), 401);
    assert.equal(await login(await setPassword()), 201);
  });

  it('gets in after a start of the services, whose file it is', async () => {
    await restart('stop');
    const another = await setPassword();
    const id = (await device.must('id', '-u', 'bmc-accounts')).trim();
    const { uid, mode } = statSync(join(device.root, accounts));
    assert.deepEqual([String(uid), mode & 0o777], [id, 0o600]);
    await restart('start');
    await isServed();
    assert.equal(await login(another), 201);
  });

  it('gets in as an administrator when the account was deleted', async () => {
    await restart('stop');
    const [account] = stored().accounts;
    const other = { ...account, userName: 'other', role: 'ReadOnly' };
    writeFileSync(join(device.root, accounts), JSON.stringify({ accounts: [other] }));
    await restart('start');
    await isServed();
    const another = await setPassword();
    assert.equal(await login(another), 201);
    const { role } = stored().accounts.find(
      (one: { userName: string }) => one.userName === 'admin',
    );
    assert.equal(role, 'Administrator');
  });

  it('gets in when only clients with certificates are served', async () => {
    const another = await setPassword();
    const authority = opensslAuthority();
    const certificate = authority.issueCa({ subject: '/CN=CA that nobody has a certificate of' });
    writeFileSync(join(device.root, 'ca.pem'), certificate.pem);
    const program = '/usr/lib/bmc-certificate-manager/bmc-certs.js';
    await device.must('node', program, 'trust', 'add', '/ca.pem');
    authority.remove();
    const settings = join(
      device.root,
      'var/lib/bmc-certificate-manager/redfish/access-settings.json',
    );
    const clientCertificates = { enabled: true, respond: false, mapping: 'CommonName' };
    writeFileSync(settings, JSON.stringify({ clientCertificates }));
    await restart('restart');
    await until('nobody is served', async () => (await ask(device, '/redfish/v1')).status === 0);
    const heading = 'Only clients with certificates are served, and no certificate is accepted';
    await runBlocks(device, '/', documented('troubleshoot', heading), '');
    await isServed();
    assert.equal(await login(another), 201);
  });
});
