import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Answer, startService, type TestService } from '../service.ts';

const root = '/redfish/v1/AccountService';
const accounts = `${root}/Accounts`;
const sessions = '/redfish/v1/SessionService/Sessions';

async function login(service: TestService, UserName: string, Password: string) {
  return service.ask('POST', sessions, { as: '', body: { UserName, Password } });
}

function token(answer: Answer): Record<string, string> {
  return { 'X-Auth-Token': String(answer.headers['x-auth-token']) };
}

describe('accounts over HTTP', () => {
  let service: TestService;
  const answers: string[] = [];
  const ask: TestService['ask'] = async (...args) => {
    const answer = await service.ask(...args);
    answers.push(answer.text);
    return answer;
  };

  before(async () => {
    service = await startService();
  });
  after(() => service.close());

  it('are created, shown, used and deleted', async () => {
    for (const path of [accounts, `${accounts}/Members`]) {
      const body = { UserName: 'rfpv1', Password: 'hUPgd9Z4', RoleId: 'Operator' };
      const made = await ask('POST', path, { body });
      assert.equal(made.status, 201, made.text);
      assert.equal(made.headers.location, `${accounts}/rfpv1`);
      assert.equal(JSON.parse(made.text).Password, null);
      const open = await login(service, 'rfpv1', 'hUPgd9Z4');
      assert.equal(open.status, 201);
      assert.equal((await ask('POST', path, { body })).status, 409);
      const other = { ...body, UserName: 'RFPV1' };
      assert.equal((await ask('POST', path, { body: other })).status, 409);
      assert.equal((await ask('DELETE', `${accounts}/rfpv1`)).status, 204);
      const own = { as: '', headers: token(open) };
      assert.equal((await ask('GET', accounts, own)).status, 401);
      assert.equal((await ask('DELETE', `${accounts}/rfpv1`)).status, 404);
    }
  });

  const badNames = ['', 'a b', '../x', 'a/b', 'Members', '1st', '__proto__', 'a\n', 'a'.repeat(33)];
  for (const UserName of badNames) {
    it(`refuse the name ${JSON.stringify(UserName)}`, async () => {
      const body = { UserName, Password: 'a fine password', RoleId: 'ReadOnly' };
      const { status, text } = await ask('POST', accounts, { body });
      assert.equal(status, 400);
      assert.match(text, /PropertyValueFormatError/);
    });
  }

  const badPasswords = [
    { Password: 'short', UserName: 'newuser' },
    { Password: 'x1'.repeat(65), UserName: 'newuser' },
    { Password: 'Password123', UserName: 'newuser' },
    { Password: 'zzzzzzzzzz', UserName: 'newuser' },
    { Password: 'SomeBody', UserName: 'somebody' },
    { Password: 'control\u0007here', UserName: 'newuser' },
  ];
  for (const body of badPasswords) {
    it(`refuse the password ${JSON.stringify(body.Password).slice(0, 20)} without showing it`, async () => {
      const { status, text } = await ask('POST', accounts, {
        body: { ...body, RoleId: 'ReadOnly' },
      });
      assert.equal(status, 400);
      assert.match(text, /PropertyValueFormatError/);
      assert.ok(!text.includes(body.Password));
    });
  }

  const patches = [
    { body: { Bogus: 1 }, status: 400, says: /Base\.1\.19\.PropertyUnknown/ },
    { body: { Password: 'fresh-password', Bogus: 1 }, status: 400, says: /Bogus/ },
    { body: { '@odata.id': `${accounts}/reader` }, status: 400, says: /NoOperation/ },
    { body: { Id: 'x' }, status: 400, says: /PropertyNotWritable/ },
    { body: { UserName: 'reader' }, status: 200, says: /"UserName": "reader"/ },
    { body: { UserName: '1st' }, status: 400, says: /PropertyValueFormatError/ },
    { body: { UserName: 7 }, status: 400, says: /PropertyValueTypeError/ },
    { body: { UserName: 'members' }, status: 400, says: /PropertyValueFormatError/ },
    { body: { UserName: 'ADMIN' }, status: 409, says: /ResourceAlreadyExists/ },
    { body: { RoleId: 'Root' }, status: 400, says: /PropertyValueNotInList/ },
    { body: { RoleId: 7 }, status: 400, says: /RoleId/ },
    { body: { Enabled: 'yes' }, status: 400, says: /PropertyValueTypeError/ },
    { body: { Password: null }, status: 400, says: /PropertyValueTypeError/ },
    { body: { Locked: true }, status: 400, says: /PropertyValueNotInList/ },
    {
      body: { AccountTypes: ['Redfish', 'IPMI'] },
      status: 400,
      says: /"IPMI",\s+"AccountTypes\/1"[^}]*"#\/AccountTypes\/1"/,
    },
    { body: { AccountTypes: [] }, status: 400, says: /AccountTypes/ },
    { body: { AccountTypes: ['Redfish'] }, status: 200, says: /"Redfish",\s+"WebUI"/ },
    { body: { StrictAccountTypes: false }, status: 200, says: /"StrictAccountTypes": false/ },
    { body: { StrictAccountTypes: true }, status: 400, says: /PropertyValueNotInList/ },
    { body: { StrictAccountTypes: 'no' }, status: 400, says: /PropertyValueTypeError/ },
    { body: { Locked: false }, status: 200, says: /"Locked": false/ },
    { body: { AccountTypes: ['WebUI', 'Redfish'] }, status: 200, says: /WebUI/ },
    { body: { RoleId: 'Operator' }, status: 200, says: /"RoleId": "Operator"/ },
    { body: { RoleId: 'ReadOnly' }, status: 200, says: /"RoleId": "ReadOnly"/ },
  ];
  for (const { body, status, says } of patches) {
    it(`answer PATCH ${JSON.stringify(body)} with ${status}`, async () => {
      const answer = await ask('PATCH', `${accounts}/reader`, { body });
      assert.equal(answer.status, status, answer.text);
      assert.match(answer.text, says);
      assert.equal((await ask('GET', accounts, { as: 'reader:reader-pw' })).status, 200);
    });
  }

  const types = [
    { members: { AccountTypes: ['Redfish'] }, status: 201 },
    { members: { AccountTypes: ['WebUI'], StrictAccountTypes: false }, status: 201 },
    { members: { AccountTypes: ['Redfish'], StrictAccountTypes: true }, status: 400 },
    { members: { AccountTypes: ['SNMP'] }, status: 400 },
    { members: { AccountTypes: [] }, status: 400 },
  ];
  for (const { members, status } of types) {
    it(`answer ${status} to who creates one with ${JSON.stringify(members)}`, async () => {
      const body = { UserName: 'typed', Password: 'hUPgd9Z4', RoleId: 'Operator', ...members };
      const made = await ask('POST', accounts, { body });
      assert.equal(made.status, status, made.text);
      if (status !== 201) return;
      assert.deepEqual(JSON.parse(made.text).AccountTypes, ['Redfish', 'WebUI']);
      await ask('DELETE', `${accounts}/typed`);
    });
  }

  it('let everyone see his own and change nothing of it but the password', async () => {
    const as = 'reader:reader-pw';
    const own = `${accounts}/reader`;
    assert.equal((await ask('GET', own, { as })).status, 200);
    assert.equal(JSON.parse((await ask('GET', accounts, { as })).text).Members.length, 1);
    for (const name of ['admin', 'nobody']) {
      assert.equal((await ask('GET', `${accounts}/${name}`, { as })).status, 403);
      const body = { Password: 'fresh-password' };
      assert.equal((await ask('PATCH', `${accounts}/${name}`, { as, body })).status, 403);
    }
    const body = { Password: 'fresh-password', RoleId: 'Administrator' };
    assert.equal((await ask('PATCH', own, { as, body })).status, 403);
    assert.equal((await ask('DELETE', own, { as })).status, 403);
    assert.equal((await ask('POST', accounts, { as, body: {} })).status, 403);
    const here = token(await login(service, 'reader', 'reader-pw'));
    const there = token(await login(service, 'reader', 'reader-pw'));
    const change = { as: '', headers: here, body: { Password: 'fresh-password' } };
    assert.equal((await ask('PATCH', own, change)).status, 200);
    assert.equal((await ask('GET', own, { as: '', headers: here })).status, 200);
    assert.equal((await ask('GET', own, { as: '', headers: there })).status, 401);
    assert.equal((await ask('GET', own, { as })).status, 401);
  });

  it('keep an administrator from locking himself out', async () => {
    for (const body of [{ Enabled: false }, { RoleId: 'Operator' }]) {
      assert.equal((await ask('PATCH', `${accounts}/admin`, { body })).status, 409);
    }
    assert.equal((await ask('DELETE', `${accounts}/admin`)).status, 409);
  });

  it('end the sessions of whoever is disabled or gets another role', async () => {
    const own = `${accounts}/reader`;
    for (const body of [{ RoleId: 'Operator' }, { Enabled: false }]) {
      const headers = token(await login(service, 'reader', 'fresh-password'));
      assert.equal((await ask('GET', own, { as: '', headers })).status, 200);
      assert.equal((await ask('PATCH', own, { body })).status, 200);
      assert.equal((await ask('GET', own, { as: '', headers })).status, 401);
    }
    assert.equal((await login(service, 'reader', 'fresh-password')).status, 401);
  });

  it('let whoever must change his password do only that', async () => {
    const body = { UserName: 'fresh', Password: 'first-pass', RoleId: 'Administrator' };
    await ask('POST', accounts, { body: { ...body, PasswordChangeRequired: true } });
    const opened = await login(service, 'fresh', 'first-pass');
    const [message] = JSON.parse(opened.text)['@Message.ExtendedInfo'];
    assert.match(message.MessageId, /PasswordChangeRequired$/);
    assert.deepEqual(message.MessageArgs, [`${accounts}/fresh`]);
    const own = `${accounts}/fresh`;
    const as = { as: '', headers: token(opened) };
    for (const path of [root, accounts, `${accounts}/admin`, '/redfish/v1/nothing', sessions]) {
      const { status, text } = await ask('GET', path, as);
      assert.equal(status, 403, path);
      assert.match(text, /PasswordChangeRequired/);
    }
    assert.equal((await ask('GET', own, as)).status, 200);
    assert.equal((await ask('GET', String(opened.headers.location), as)).status, 200);
    const patch = (change: object) => ask('PATCH', own, { ...as, body: change });
    assert.equal((await patch({ PasswordChangeRequired: false })).status, 403);
    assert.equal((await patch({ Password: 'first-pass' })).status, 400);
    assert.equal((await patch({ Password: 'second-pass' })).status, 200);
    assert.equal((await ask('GET', accounts, as)).status, 200);
  });

  it('show their roles, which nobody can change', async () => {
    const role = `${root}/Roles/ReadOnly`;
    const { text } = await ask('GET', role);
    assert.deepEqual(JSON.parse(text).AssignedPrivileges, ['Login', 'ConfigureSelf']);
    assert.equal((await ask('PATCH', role, { body: { AssignedPrivileges: [] } })).status, 405);
    assert.equal((await ask('GET', `${root}/Roles/toString`)).status, 404);
  });

  it('are locked for an address that guesses, until an administrator unlocks them', async () => {
    for (let count = 0; count < 5; count += 1) await login(service, 'fresh', `guess ${count}`);
    assert.equal((await login(service, 'fresh', 'second-pass')).status, 401);
    const shown = await ask('GET', `${accounts}/fresh`);
    assert.equal(JSON.parse(shown.text).Locked, true);
    await ask('PATCH', `${accounts}/fresh`, { body: { Locked: false } });
    assert.equal((await login(service, 'fresh', 'second-pass')).status, 201);
  });

  it('never show a password in an answer or the log', () => {
    const everything = [...answers, ...service.log].join('\n');
    assert.doesNotMatch(
      everything,
      /admin-pw|reader-pw|fresh-password|first-pass|second-pass|hUPgd/,
    );
  });
});

describe('the services of accounts and sessions', () => {
  let service: TestService;

  before(async () => {
    service = await startService();
  });
  after(() => service.close());

  const patches = [
    { path: root, body: { MinPasswordLength: 200 }, status: 400 },
    { path: root, body: { AccountLockoutCounterResetAfter: 301 }, status: 400 },
    { path: root, body: { AccountLockoutThreshold: -1 }, status: 400 },
    { path: root, body: { HTTPBasicAuth: 'Off' }, status: 400 },
    { path: root, body: { ServiceEnabled: false }, status: 400 },
    { path: root, body: { MinPasswordLength: 10, AccountLockoutDuration: 600 }, status: 200 },
    { path: '/redfish/v1/SessionService', body: { SessionTimeout: 29 }, status: 400 },
    { path: '/redfish/v1/SessionService', body: { SessionTimeout: 86_401 }, status: 400 },
    { path: '/redfish/v1/SessionService', body: { ServiceEnabled: false }, status: 400 },
    { path: '/redfish/v1/SessionService', body: { SessionTimeout: 30 }, status: 200 },
  ];
  for (const { path, body, status } of patches) {
    it(`answer PATCH ${JSON.stringify(body)} with ${status}`, async () => {
      const before = (await service.ask('GET', path)).text;
      const answer = await service.ask('PATCH', path, { body });
      assert.equal(answer.status, status, answer.text);
      const now = (await service.ask('GET', path)).text;
      if (status === 400) {
        assert.equal(now, before);
        return;
      }
      const etag = answer.headers.etag;
      assert.deepEqual(JSON.parse(now), { ...JSON.parse(before), ...body, '@odata.etag': etag });
      assert.notEqual(JSON.parse(before)['@odata.etag'], etag);
      const as = 'reader:reader-pw';
      assert.equal((await service.ask('PATCH', path, { body, as })).status, 403);
    });
  }

  const refused = [
    { body: { LDAP: {} }, names: ['PropertyNotWritable'] },
    { body: { LocalAccountAuth: 'Disabled' }, names: ['PropertyNotWritable'] },
    {
      body: { MultiFactorAuth: { ClientCertificate: { Certificates: {} } } },
      names: ['PropertyNotWritable'],
    },
    { body: { MultiFactorAuth: { Foo: 1 } }, names: ['PropertyUnknown'] },
    { body: { MultiFactorAuth: {} }, names: ['PropertyValueError', 'Reason'] },
  ];
  for (const { body, names } of refused) {
    it(`answer PATCH ${JSON.stringify(body)} with ${names.join(' and ')} alone`, async () => {
      const { status, text } = await service.ask('PATCH', root, { body });
      assert.equal(status, 400);
      const said: { MessageId: string }[] = JSON.parse(text).error['@Message.ExtendedInfo'];
      const ids = said.map(({ MessageId }) => MessageId.split('.').at(-1));
      assert.deepEqual(ids, names, text);
    });
  }

  it('challenge a client that opens a session with a wrong password as any other stranger', async () => {
    const script = { 'X-Requested-With': 'XMLHttpRequest' };
    const headers = token(await login(service, 'admin', 'admin-pw'));
    const body = { UserName: 'nobody', Password: 'wrong-pw' };
    for (const HTTPBasicAuth of ['Unadvertised', 'Disabled', 'Enabled']) {
      await service.ask('PATCH', root, { as: '', headers, body: { HTTPBasicAuth } });
      for (const more of [{}, script]) {
        const opened = await service.ask('POST', sessions, { as: '', headers: more, body });
        const stranger = await service.ask('GET', root, { as: '', headers: more });
        const challenge = HTTPBasicAuth === 'Enabled' && more !== script;
        assert.equal(opened.status, 401);
        assert.equal(opened.headers['www-authenticate'] !== undefined, challenge, HTTPBasicAuth);
        assert.equal(opened.headers['www-authenticate'], stranger.headers['www-authenticate']);
      }
    }
  });

  it('refuse no change for a contradiction that it does not touch', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'contradiction-'));
    const file = join(directory, 'accounts.json');
    const policy = { maxPasswordLength: 7, lockoutSeconds: 299 };
    writeFileSync(file, JSON.stringify({ accounts: [], policy }));
    const other = await startService({ directory });
    for (const { body, status } of [
      { body: { HTTPBasicAuth: 'Unadvertised' }, status: 200 },
      { body: { AccountLockoutThreshold: 4 }, status: 200 },
      { body: { MinPasswordLength: 9 }, status: 400 },
      { body: { AccountLockoutDuration: 298 }, status: 400 },
      { body: { MinPasswordLength: 7 }, status: 200 },
      { body: { AccountLockoutDuration: 300 }, status: 200 },
    ]) {
      const answer = await other.ask('PATCH', root, { body });
      assert.equal(answer.status, status, answer.text);
    }
    await other.close();
  });

  it('hide and refuse Basic authentication', async () => {
    const headers = token(await login(service, 'admin', 'admin-pw'));
    for (const { HTTPBasicAuth, status } of [
      { HTTPBasicAuth: 'Unadvertised', status: 200 },
      { HTTPBasicAuth: 'Disabled', status: 401 },
    ]) {
      await service.ask('PATCH', root, { as: '', headers, body: { HTTPBasicAuth } });
      assert.equal((await service.ask('GET', root)).status, status);
      const none = await service.ask('GET', root, { as: '' });
      assert.equal(none.status, 401);
      assert.equal(none.headers['www-authenticate'], undefined);
    }
  });

  it('give a browser cookies, which change nothing without the word of its script', async () => {
    const script = { 'X-Requested-With': 'XMLHttpRequest' };
    const body = { UserName: 'reader', Password: 'reader-pw' };
    const opened = await service.ask('POST', sessions, { as: '', headers: script, body });
    assert.equal(opened.headers['x-auth-token'], undefined);
    const [xsrf = '', session = ''] = opened.headers['set-cookie'] ?? [];
    assert.match(xsrf, /^XSRF-TOKEN=[0-9a-f]+; Path=\/; SameSite=Strict; Secure$/);
    assert.match(session, /^BMCWEB-SESSION=[0-9a-f]+; .*Secure; HttpOnly$/);
    const Cookie = [xsrf, session].map((one) => one.split(';')[0]).join('; ');
    const uri = String(opened.headers.location);
    const ask = (method: string, more = {}) =>
      service.ask(method, uri, { as: '', headers: { Cookie, ...more } });
    assert.equal((await ask('GET')).status, 200);
    assert.equal((await ask('DELETE')).status, 401);
    assert.equal((await ask('DELETE', { 'X-XSRF-TOKEN': 'f'.repeat(32) })).status, 401);
    const word = /=([0-9a-f]+)/.exec(xsrf)?.[1];
    const closed = await ask('DELETE', { 'X-XSRF-TOKEN': word });
    assert.equal(closed.status, 200);
    assert.match(String(closed.headers['set-cookie']), /BMCWEB-SESSION=;.*Max-Age=0/);
    assert.equal((await ask('GET')).status, 401);
  });

  it('take a token also as Authorization: Token', async () => {
    const opened = await login(service, 'reader', 'reader-pw');
    const Authorization = `Token ${opened.headers['x-auth-token']}`;
    const own = { as: '', headers: { Authorization } };
    assert.equal((await service.ask('GET', root, own)).status, 200);
    const wrong = { as: '', headers: { Authorization: 'Token 123' } };
    assert.equal((await service.ask('GET', root, wrong)).status, 401);
  });
});
