import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { generateCertificate } from '../../../src/manager/credential/generated-certificate.ts';
import { exportPrivateKey } from '../../../src/x509/keys.ts';
import { until } from '../../e2e/commands.ts';
import { curl } from '../../e2e/redfish-client.ts';
import { startAccountManager } from '../../fakes/account-manager.ts';
import { type FakeHelper, makeFakeHelper } from '../../fakes/password-helper.ts';
import { type PrivateBus, startPrivateBus } from '../../fakes/private-bus.ts';
import { type FakeUserManager, startFakeUserManager } from '../../fakes/user-manager.ts';

const program = fileURLToPath(new URL('../../../dist/redfish-server.js', import.meta.url));
const word = 'Right Wörd 1';

describe('the program with users of the system', () => {
  let bus: PrivateBus;
  let manager: FakeUserManager;
  let helper: FakeHelper;
  let child: ChildProcess | undefined;
  let url: string;
  let output = '';

  before(async () => {
    bus = await startPrivateBus();
    manager = await startFakeUserManager(bus.address);
    const groups = ['hostconsole', 'ipmi', 'redfish', 'ssh', 'web'];
    manager.addUser('root', { privilege: 'priv-admin', groups });
    helper = makeFakeHelper(bus.directory);
    helper.setPassword('root', word);
    const { key, leaf } = generateCertificate(
      { hostName: 'bmc', addresses: [] },
      { validDays: 5, renewBeforeDays: 1, curve: 'prime256v1', organization: 'x' },
      Date.now(),
    );
    writeFileSync(join(bus.directory, 'server.pem'), exportPrivateKey(key) + leaf.pem);
  });

  after(async () => {
    await stop();
    manager.leave();
    await bus.stop();
  });

  async function start(source: string): Promise<void> {
    const file = join(bus.directory, 'configuration.json');
    const configuration = {
      stateDirectory: join(bus.directory, 'state'),
      runtimeDirectory: join(bus.directory, 'run'),
      bus: bus.address,
      endpoints: [
        { type: 'server', name: 'https', path: join(bus.directory, 'server.pem'), reload: [] },
      ],
      redfish: { address: '127.0.0.1', port: 0, directory: '.' },
      users: { source, passwordHelper: helper.path },
    };
    writeFileSync(file, JSON.stringify(configuration));
    const started = fork(program, ['--config', file], {
      execArgv: [],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    child = started;
    for (const stream of [started.stdout, started.stderr]) {
      stream?.on('data', (chunk) => {
        output += chunk;
      });
    }
    const port = await new Promise((resolve, reject) => {
      started.on('message', (message: { ready?: { port: number } }) =>
        resolve(message.ready?.port),
      );
      started.once('exit', () => reject(new Error(output)));
    });
    url = `https://127.0.0.1:${port}/redfish/v1`;
  }

  async function stop(): Promise<void> {
    const ending = child;
    child = undefined;
    if (!ending) return;
    const ended = new Promise((resolve) => ending.once('exit', resolve));
    ending.kill('SIGTERM');
    await ended;
  }

  const logIn = async () => {
    const body = { UserName: 'root', Password: word };
    return curl(`${url}/SessionService/Sessions`, { method: 'POST', body });
  };

  it('takes them, keeps their sessions over a restart, and follows the manager', async () => {
    await start('bus');
    const login = await logIn();
    assert.equal(login.status, 201, login.text + output);
    const token = login.headers['x-auth-token'] ?? '';
    const list = () => curl(`${url}/AccountService/Accounts`, { token });
    assert.equal((await list()).status, 200);
    // Each answer is held against DMTF's schemas where they are
    const own = await curl(`${url}/AccountService/Accounts/root`, { token });
    assert.match(own.text, /ManagerConsole/);
    const rules = await curl(`${url}/AccountService`, { token });
    assert.match(rules.text, /"AccountLockoutThreshold": 5/);
    await stop();
    await start('bus');
    assert.equal((await list()).status, 200);
    manager.leave();
    await until('the manager is missed', async () => (await list()).status === 503);
    assert.equal((await logIn()).status, 503);
    await manager.come();
    await until('the manager is seen', async () => (await list()).status === 200);
    manager.addUser('root', { privilege: 'priv-user' });
    const locations = `${url}/CertificateService/CertificateLocations`;
    assert.equal((await curl(locations, { token })).status, 403);
    assert.equal(readFileSync(join(bus.directory, 'state/users-source'), 'utf8'), 'bus\n');
  });

  it('ends their sessions when an operator goes over to the file', async () => {
    const token = (await logIn()).headers['x-auth-token'] ?? '';
    await stop();
    await start('file');
    const accounts = await startAccountManager(join(bus.directory, 'configuration.json'));
    await until('the accounts are known', async () => (await logIn()).status === 401);
    assert.equal((await curl(`${url}/AccountService`, { token })).status, 401);
    await accounts.stop();
    assert.match(output, /other users count than before source=file/);
    await stop();
    assert.doesNotMatch(output, /Wörd/);
  });
});
