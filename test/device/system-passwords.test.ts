import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { commandBlocks } from '../../scripts/command-blocks.ts';
import { type Device, startDevice, whyNoDevice } from './device.ts';
import { install, runBlocks } from './installation.ts';

const page = fileURLToPath(new URL('../../docs/system-users.md', import.meta.url));
const socket = '/run/bmc-redfish-password.socket';

/** Asks the helper as the Redfish service does; prints the answer. */
const question = `
  const fields = process.argv.slice(1).map((field) => field + '\\0').join('');
  const connection = require('node:net').connect({ path: '${socket}', allowHalfOpen: true });
  connection.on('error', ({ code }) => console.log(code)).on('data', (data) => process.stdout.write(data));
  connection.end(fields);
`;

function whyNot(): string | undefined {
  if (spawnSync('cc', ['--version']).error) return 'there is no C compiler';
  if (!existsSync('/usr/include/security/pam_appl.h')) return 'the headers of libpam are not there';
  return whyNoDevice();
}

describe('passwords of the system under a real systemd', { skip: whyNot() ?? false }, () => {
  let device: Device;

  before(async () => {
    device = await startDevice();
    await install(device);
    await runBlocks(device, '/src', commandBlocks(readFileSync(page, 'utf8')), '');
    const modules = ['auth', 'account', 'password'].map((kind) => `${kind} required pam_unix.so\n`);
    writeFileSync(join(device.root, 'etc/pam.d/redfish'), modules.join(''));
    await device.must('useradd', 'operator7');
    await device.must('sh', '-c', 'echo operator7:First-pass-1 | chpasswd');
  });
  after(() => device?.stop());

  const ask = async (user: string, ...fields: string[]) => {
    const node = ['node', '-e', question, '--', ...fields];
    return (await device.must('runuser', '-u', user, '--', ...node)).trim();
  };

  it('are right or wrong for the user of Redfish who asks', async () => {
    assert.equal(await ask('bmc-redfish', 'check', 'operator7', 'First-pass-1', '127.0.0.1'), '0');
    assert.equal(await ask('bmc-redfish', 'check', 'operator7', 'Other-pass-1', '127.0.0.1'), '1');
    assert.equal(await ask('bmc-redfish', 'check', 'nobody7', 'First-pass-1', '127.0.0.1'), '1');
  });

  it('are set, and count from then on', async () => {
    assert.equal(await ask('bmc-redfish', 'set', 'operator7', 'Second-pass-2', ''), '0');
    assert.equal(await ask('bmc-redfish', 'check', 'operator7', 'Second-pass-2', ''), '0');
    assert.equal(await ask('bmc-redfish', 'check', 'operator7', 'First-pass-1', ''), '1');
  });

  it('have an end', async () => {
    await device.must('usermod', '--expiredate', '1', 'operator7');
    assert.equal(await ask('bmc-redfish', 'check', 'operator7', 'Second-pass-2', ''), '3');
    await device.must('usermod', '--expiredate', '', 'operator7');
    await device.must('chage', '--lastday', '0', 'operator7');
    assert.equal(await ask('bmc-redfish', 'check', 'operator7', 'Second-pass-2', ''), '2');
  });

  it('are told to nobody else', async () => {
    assert.equal(await ask('operator7', 'check', 'operator7', 'Second-pass-2', ''), 'EACCES');
  });

  it('stand in no log', async () => {
    const log = await device.must('journalctl', '--no-pager');
    assert.doesNotMatch(log, /First-pass|Second-pass|Other-pass/);
  });
});
