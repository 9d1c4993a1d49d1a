import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type Accounts, newPasswordStamp } from '../../../src/identity/accounts/accounts.ts';
import { SessionFile } from '../../../src/redfish/sessions/session-file.ts';
import { Sessions } from '../../../src/redfish/sessions/sessions.ts';
import { accountsAt } from '../../fakes/accounts.ts';
import { startService, type TestService } from '../service.ts';

const accounts = '/redfish/v1/AccountService/Accounts';
const sessionsUri = '/redfish/v1/SessionService/Sessions';
const admin = { userName: 'admin', address: '' };

const resetOnDevice = (accounts: Accounts, password = 'set-on-device') =>
  accounts.setPassword('admin', 'Administrator', password);

describe('the sessions of a user whose password is set on the device', () => {
  let service: TestService;
  beforeEach(async () => {
    service = await startService();
  });
  afterEach(() => service.close());

  const login = async (Password = 'admin-pw') => {
    const body = { UserName: 'admin', Password };
    const { headers } = await service.ask('POST', sessionsUri, { as: '', body });
    return { 'X-Auth-Token': String(headers['x-auth-token']) };
  };
  const status = async (headers: Readonly<Record<string, string>>, path = accounts) =>
    (await service.ask('GET', path, { as: '', headers })).status;

  it('end, with tokens and with cookies, and those of others go on', async () => {
    const token = await login();
    const cookie = `BMCWEB-SESSION=${service.sessions.create({ ...admin, cookie: true }).token}`;
    const other = service.sessions.create({ userName: 'reader', address: '' });
    assert.deepEqual([await status(token), await status({ Cookie: cookie })], [200, 200]);
    await resetOnDevice(service.accounts);
    assert.deepEqual([await status(token), await status({ Cookie: cookie })], [401, 401]);
    assert.deepEqual(service.sessions.list(), [other.session]);
    assert.equal(await status(await login('set-on-device')), 200);
  });

  it('end also when it is the same password, and when nobody uses them any more', async () => {
    service.sessions.create(admin);
    await resetOnDevice(service.accounts, 'admin-pw');
    assert.deepEqual(service.sessions.list(), []);
  });

  it('end for those who hold on to them', async () => {
    const { session } = service.sessions.create(admin);
    await resetOnDevice(service.accounts);
    assert.equal(service.sessions.get(session.id), undefined);
  });

  it('are not begun by a login with the old one that is finished after it', async () => {
    const outcome = await service.accounts.checkPassword('admin', 'admin-pw');
    assert.ok(outcome.kind === 'ok');
    await resetOnDevice(service.accounts);
    const { token } = service.sessions.create({
      ...admin,
      passwordStamp: outcome.user.passwordStamp,
    });
    assert.equal(service.sessions.find(token), undefined);
  });

  it('are not kept by a change of the password that the old one allowed', async () => {
    const passwordStamp = service.accounts.passwordStamp('admin');
    const own = { passwordStamp, nextStamp: newPasswordStamp() };
    await resetOnDevice(service.accounts);
    await assert.rejects(
      service.accounts.changes.update('admin', { password: 'of-the-thief' }, own),
      { code: 'password-refused' },
    );
    assert.equal((await service.accounts.checkPassword('admin', 'set-on-device')).kind, 'ok');
  });

  it('show nothing of how that is known', async () => {
    const token = await login();
    const stamp = service.accounts.passwordStamp('admin');
    assert.ok(stamp);
    for (const path of [`${accounts}/admin`, `${sessionsUri}?$expand=*`]) {
      const { text } = await service.ask('GET', path, { as: '', headers: token });
      assert.ok(!text.includes(stamp), path);
    }
    assert.ok(!service.log.some((line) => line.includes(stamp)));
  });
});

describe('the session in which a user sets his own password', () => {
  it('goes on at every moment, and the others of his end', async () => {
    const service = await startService();
    try {
      const { token } = service.sessions.create(admin);
      const other = service.sessions.create(admin);
      const headers = { 'X-Auth-Token': token };
      let isDone = false;
      const change = service
        .ask('PATCH', `${accounts}/admin`, { as: '', headers, body: { Password: 'another-pw' } })
        .finally(() => {
          isDone = true;
        });
      while (!isDone) {
        assert.equal(service.sessions.find(token)?.userName, 'admin');
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.equal((await change).status, 200);
      assert.equal((await service.ask('GET', accounts, { as: '', headers })).status, 200);
      assert.equal(service.sessions.find(other.token), undefined);
      await resetOnDevice(service.accounts);
      assert.equal(service.sessions.find(token), undefined);
    } finally {
      await service.close();
    }
  });
});

const limits = { sessions: 5, perUser: 5, idleMilliseconds: () => 1000 };

describe('kept sessions', () => {
  let directory: string;
  let path: string;
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'stamps-'));
    path = join(directory, 'sessions.json');
    await resetOnDevice(stored(), 'admin-pw');
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const stored = () => accountsAt(join(directory, 'accounts.json'));
  const open = () => {
    const accounts = stored();
    const sessions = new Sessions(
      limits,
      () => 0,
      (userName) => accounts.passwordStamp(userName),
    );
    return { accounts, sessions, file: new SessionFile(path, sessions) };
  };
  const isKept = (token: string) => {
    const { sessions, file } = open();
    assert.equal(file.load(0), 'loaded');
    return sessions.find(token) !== undefined;
  };

  it('go on while the password is the same, and end with one that was set while nothing ran', async () => {
    const { sessions, file } = open();
    const { token } = sessions.create(admin);
    await file.save({ at: 0 });
    assert.equal(isKept(token), true);
    await resetOnDevice(stored());
    assert.equal(isKept(token), false);
  });

  it('go on with a password that was set in them', async () => {
    const { accounts, sessions, file } = open();
    const { session, token } = sessions.create(admin);
    await file.save({ at: 0 });
    const nextStamp = newPasswordStamp();
    sessions.foretell(session.id, nextStamp);
    const own = { passwordStamp: accounts.passwordStamp('admin'), nextStamp };
    await accounts.changes.update('admin', { password: 'another-pw' }, own);
    await file.save({ at: 0 });
    assert.equal(isKept(token), true);
  });

  it('end when they come from a version that did not know of it', async () => {
    const { sessions, file } = open();
    const { token } = sessions.create(admin);
    await file.save({ at: 0 });
    const text = readFileSync(path, 'utf8').replace(/\s*"passwordStamp": "[0-9a-f]+",/, '');
    assert.ok(!text.includes('passwordStamp'));
    writeFileSync(path, text);
    assert.equal(isKept(token), false);
  });
});
