import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { until } from '../../e2e/commands.ts';
import type { FakeUser } from '../../fakes/user-manager.ts';
import { type SystemUsersService, startSystemUsersService } from './system-users-service.ts';

const accounts = '/redfish/v1/AccountService/Accounts';
const accountService = '/redfish/v1/AccountService';
const administrators = '/redfish/v1/CertificateService/CertificateLocations';
const word = 'Right Wörd 1';

describe('users of the system', () => {
  let service: SystemUsersService;

  before(async () => {
    service = await startSystemUsersService();
  });

  after(() => service.close());

  beforeEach(() => {
    const { manager, helper } = service;
    for (const name of [...manager.users.keys()]) manager.removeUser(name);
    manager.addUser('root', { privilege: 'priv-admin' });
    helper.fail(undefined);
    helper.setPassword('root', word);
    helper.asked();
    manager.asked.length = 0;
    service.access.sessions.endAll();
    for (const name of ['root', 'someone']) service.access.gate.failures.unlock(name);
  });

  const token = async (userName: string, password = word): Promise<Record<string, string>> => {
    const answer = await service.login(userName, password);
    assert.equal(typeof answer, 'string', `${userName} is refused with ${answer}`);
    return { 'X-Auth-Token': String(answer) };
  };

  const rows: readonly (readonly [string, Partial<FakeUser>, boolean])[] = [
    ['of the group redfish', { groups: ['redfish'] }, true],
    ['of the group web', { groups: ['web'] }, true],
    ['of every group', { groups: ['ssh', 'redfish', 'ipmi', 'web', 'hostconsole'] }, true],
    ['of no group', { groups: [] }, false],
    ['of other groups', { groups: ['ssh', 'ipmi', 'hostconsole'] }, false],
    ['of a group that looks like it', { groups: ['redfish-guests', 'Redfish'] }, false],
    ['with priv-admin', { privilege: 'priv-admin' }, true],
    ['with priv-operator', { privilege: 'priv-operator' }, true],
    ['without a privilege', { privilege: '' }, false],
    ['with priv-noaccess', { privilege: 'priv-noaccess' }, false],
    ['with a privilege of another spelling', { privilege: 'constructor' }, false],
    ['that is disabled', { enabled: false }, false],
    ['that is locked', { locked: true }, false],
    ['that is disabled and an administrator', { enabled: false, privilege: 'priv-admin' }, false],
    ['of a directory elsewhere', { remote: true, groups: [] }, true],
    ['of elsewhere without a privilege', { remote: true, privilege: '' }, false],
  ];
  for (const [what, user, comesIn] of rows) {
    it(`${comesIn ? 'lets in' : 'keeps out'} a user ${what}, by session and by Basic`, async () => {
      service.manager.addUser('someone', user);
      service.helper.setPassword('someone', word);
      const answer = await service.login('someone', word);
      assert.equal(typeof answer === 'string', comesIn, String(answer));
      if (!comesIn) assert.equal(answer, 401);
      const as = `someone:${word}`;
      const basic = await service.ask('GET', '/redfish/v1/Managers', { as });
      assert.equal(basic.status, comesIn ? 200 : 401);
      assert.equal(await service.login('someone', 'wrong'), 401);
    });
  }

  const privileges = [
    ['priv-admin', 'Administrator', 200],
    ['priv-operator', 'Operator', 403],
    ['priv-user', 'ReadOnly', 403],
  ] as const;
  for (const [privilege, role, status] of privileges) {
    it(`gives ${privilege} the role ${role}`, async () => {
      service.manager.addUser('someone', { privilege });
      service.helper.setPassword('someone', word);
      const headers = await token('someone');
      assert.equal((await service.ask('GET', administrators, { headers })).status, status);
      const own = await service.ask('GET', `${accounts}/someone`, { headers });
      assert.equal(JSON.parse(own.text).RoleId, role);
    });
  }

  it('follows a role in sessions that run', async () => {
    service.manager.addUser('someone', { privilege: 'priv-admin' });
    service.helper.setPassword('someone', word);
    const headers = await token('someone');
    assert.equal((await service.ask('GET', administrators, { headers })).status, 200);
    service.manager.addUser('someone', { privilege: 'priv-user' });
    assert.equal((await service.ask('GET', administrators, { headers })).status, 403);
    service.manager.addUser('someone', { privilege: 'priv-admin' });
    assert.equal((await service.ask('GET', administrators, { headers })).status, 200);
  });

  const ends: readonly (readonly [string, () => void])[] = [
    ['disabled', () => service.manager.addUser('someone', { enabled: false })],
    ['deleted', () => service.manager.removeUser('someone')],
    ['taken out of the groups', () => service.manager.addUser('someone', { groups: ['ssh'] })],
    ['left without a privilege', () => service.manager.addUser('someone', { privilege: '' })],
    [
      'one whom the manager cannot tell about',
      () =>
        service.manager.failNext('GetUserInfo', 'xyz.openbmc_project.Common.Error.InternalFailure'),
    ],
  ];
  for (const [what, happens] of ends) {
    it(`ends the session of a user who is ${what}, for good`, async () => {
      service.manager.addUser('someone');
      service.helper.setPassword('someone', word);
      const headers = await token('someone');
      happens();
      assert.equal((await service.ask('GET', '/redfish/v1/Managers', { headers })).status, 401);
      service.manager.addUser('someone');
      assert.equal((await service.ask('GET', '/redfish/v1/Managers', { headers })).status, 401);
    });
  }

  it('answers 503 while the user manager is away, and keeps the sessions', async () => {
    const headers = await token('root');
    service.helper.asked();
    service.manager.leave();
    await until('the manager is missed', () => !service.users.isThere);
    const path = '/redfish/v1/SessionService/Sessions';
    const body = { UserName: 'root', Password: word };
    const login = await service.ask('POST', path, { body });
    assert.equal(login.status, 503);
    assert.equal(login.headers['retry-after'], '5');
    // Nobody may be counted as a failure, and no account of our own file may help out
    assert.deepEqual(service.helper.asked(), []);
    assert.equal(await service.login('admin', 'admin-pw'), 503);
    assert.equal((await service.ask('GET', administrators, { headers })).status, 503);
    const as = `root:${word}`;
    assert.equal((await service.ask('GET', administrators, { as })).status, 503);
    assert.equal((await service.ask('GET', '/redfish/v1')).status, 200);
    await service.manager.come();
    await until('the manager is seen', () => service.users.isThere);
    assert.equal((await service.ask('GET', administrators, { headers })).status, 200);
  });

  it('does not know the accounts of our own file', async () => {
    assert.equal(await service.login('admin', 'admin-pw'), 401);
    const headers = await token('root');
    assert.equal((await service.ask('GET', `${accounts}/admin`, { headers })).status, 404);
  });

  it('creates a user with a password, for Redfish and nothing else', async () => {
    const headers = await token('root');
    const body = { UserName: 'new_1', Password: 'New Wörd 2', RoleId: 'Operator' };
    const answer = await service.ask('POST', accounts, { headers, body });
    assert.equal(answer.status, 201, answer.text);
    assert.equal(answer.headers.location, `${accounts}/new_1`);
    assert.deepEqual(JSON.parse(answer.text).AccountTypes, ['Redfish', 'WebUI']);
    assert.deepEqual(service.manager.asked, ['CreateUser new_1 redfish,web priv-operator true']);
    assert.equal(service.helper.passwordOf('new_1'), 'New Wörd 2');
    assert.equal(typeof (await service.login('new_1', 'New Wörd 2')), 'string');
  });

  it('takes a user back whose password is refused', async () => {
    const headers = await token('root');
    service.helper.fail('refuse');
    const body = { UserName: 'new_1', Password: 'New Wörd 2', RoleId: 'Operator' };
    const answer = await service.ask('POST', accounts, { headers, body });
    assert.equal(answer.status, 400);
    assert.match(answer.text, /PropertyValueFormatError/);
    assert.doesNotMatch(answer.text, /Wörd/);
    assert.equal(service.manager.users.has('new_1'), false);
  });

  const refusals: readonly (readonly [string, number, string])[] = [
    ['User.Common.Error.UserNameExists', 409, 'ResourceAlreadyExists'],
    ['User.Common.Error.UserNameGroupFail', 400, 'PropertyValueFormatError'],
    ['User.Common.Error.UserNamePrivFail', 400, 'PropertyValueConflict'],
    ['User.Common.Error.NoResource', 400, 'CreateLimitReachedForResource'],
    ['Common.Error.InvalidArgument', 400, 'PropertyValueFormatError'],
    ['Common.Error.InsufficientPermission', 405, 'OperationNotAllowed'],
    ['Common.Error.InternalFailure', 500, 'InternalError'],
  ];
  for (const [name, status, message] of refusals) {
    it(`answers ${status} ${message} when creating ends with ${name}`, async () => {
      const headers = await token('root');
      service.manager.failNext('CreateUser', `xyz.openbmc_project.${name}`);
      const body = { UserName: 'new_1', Password: 'New Wörd 2', RoleId: 'Operator' };
      const answer = await service.ask('POST', accounts, { headers, body });
      assert.equal(answer.status, status, answer.text);
      assert.match(answer.text, new RegExp(`Base\\.[\\d.]+\\.${message}"`));
      assert.deepEqual(service.helper.asked(), ['check root 127.0.0.1']);
    });
  }

  it('changes role, state, lock and password through their keepers', async () => {
    service.manager.addUser('someone', { locked: true });
    const headers = await token('root');
    const path = `${accounts}/someone`;
    const locked = await service.ask('GET', path, { headers });
    assert.equal(JSON.parse(locked.text).Locked, true);
    const body = { RoleId: 'Operator', Enabled: false, Locked: false, Password: 'New Wörd 3' };
    const answer = await service.ask('PATCH', path, { headers, body });
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(service.manager.asked, [
      'UserPrivilege someone priv-operator',
      'UserEnabled someone false',
      'UserLockedForFailedAttempt someone false',
    ]);
    assert.equal(service.helper.passwordOf('someone'), 'New Wörd 3');
    const { Locked, Enabled, RoleId } = JSON.parse(answer.text);
    assert.deepEqual([Locked, Enabled, RoleId], [false, false, 'Operator']);
  });

  it('undoes the rest when a password is refused', async () => {
    service.manager.addUser('someone');
    const headers = await token('root');
    service.helper.fail('refuse');
    const body = { RoleId: 'Administrator', Enabled: false, Password: 'New Wörd 3' };
    const answer = await service.ask('PATCH', `${accounts}/someone`, { headers, body });
    assert.equal(answer.status, 400, answer.text);
    const { privilege, enabled } = service.manager.users.get('someone') ?? {};
    assert.deepEqual([privilege, enabled], ['priv-user', true]);
  });

  it('undoes the role when the state cannot be changed', async () => {
    service.manager.addUser('someone');
    const headers = await token('root');
    service.manager.failNext('UserEnabled', 'xyz.openbmc_project.Common.Error.InternalFailure');
    const body = { RoleId: 'Administrator', Enabled: false };
    const answer = await service.ask('PATCH', `${accounts}/someone`, { headers, body });
    assert.equal(answer.status, 500);
    assert.equal(service.manager.users.get('someone')?.privilege, 'priv-user');
  });

  it('deletes a user and ends his sessions', async () => {
    service.manager.addUser('some_one');
    service.helper.setPassword('some_one', word);
    const theirs = await token('some_one');
    const headers = await token('root');
    const answer = await service.ask('DELETE', `${accounts}/some_one`, { headers });
    assert.equal(answer.status, 204);
    assert.deepEqual(service.manager.asked, ['Delete some_one']);
    const after = await service.ask('GET', '/redfish/v1/Managers', { headers: theirs });
    assert.equal(after.status, 401);
  });

  it('keeps the last administrator who can come in', async () => {
    service.manager.addUser('disabled', { privilege: 'priv-admin', enabled: false });
    service.manager.addUser('ssh-only', { privilege: 'priv-admin', groups: ['ssh'] });
    service.manager.addUser('second', { privilege: 'priv-admin' });
    service.helper.setPassword('second', word);
    const headers = await token('second');
    const path = `${accounts}/root`;
    assert.equal((await service.ask('DELETE', path, { headers })).status, 204);
    // His own account he cannot touch, so somebody who was an administrator a moment ago asks
    const { changes } = service.access.users;
    for (const attempt of [
      changes?.remove('second'),
      changes?.update('second', { role: 'Operator' }),
      changes?.update('second', { enabled: false }),
    ]) {
      await assert.rejects(attempt ?? Promise.resolve(), { code: 'last-administrator' });
    }
    assert.equal(service.manager.users.get('second')?.privilege, 'priv-admin');
  });

  it('changes nothing of a remote user', async () => {
    service.manager.addUser('remote', { remote: true });
    const headers = await token('root');
    const body = { RoleId: 'Administrator' };
    const answer = await service.ask('PATCH', `${accounts}/remote`, { headers, body });
    assert.equal(answer.status, 405);
    const deleted = await service.ask('DELETE', `${accounts}/remote`, { headers });
    assert.equal(deleted.status, 405);
    assert.deepEqual(service.manager.asked, []);
  });

  it('lists whoever may come in', async () => {
    service.manager.addUser('some.one');
    service.manager.addUser('console', { groups: ['ssh'] });
    const headers = await token('root');
    const { Members } = JSON.parse((await service.ask('GET', accounts, { headers })).text);
    assert.deepEqual(Members.map((one: Record<string, string>) => one['@odata.id']).sort(), [
      `${accounts}/root`,
      `${accounts}/some.one`,
    ]);
  });

  const expiries = ['told by the user manager', 'told by the helper alone'];
  for (const [at, how] of expiries.entries()) {
    it(`lets a user with a password that expired, ${how}, do nothing but change it`, async () => {
      service.manager.addUser('someone', { privilege: 'priv-admin', expired: at === 0 });
      service.helper.setPassword('someone', word, at === 0 ? undefined : 'expired');
      const headers = await token('someone');
      const path = `${accounts}/someone`;
      const get = () => service.ask('GET', '/redfish/v1/Managers', { headers });
      assert.equal((await get()).status, 403);
      const same = { headers, body: { Password: word } };
      assert.equal((await service.ask('PATCH', path, same)).status, 400);
      assert.equal((await get()).status, 403);
      // PAM writes the day of the change where the user manager reads it
      const user = service.manager.users.get('someone');
      if (user) user.expired = false;
      const other = { headers, body: { Password: 'Another Wörd 4' } };
      const changed = await service.ask('PATCH', path, other);
      assert.equal(changed.status, 200, changed.text);
      assert.equal((await get()).status, 200);
      assert.equal(service.helper.passwordOf('someone'), 'Another Wörd 4');
    });
  }

  it('makes a password expire through the user manager', async () => {
    service.manager.addUser('someone');
    const headers = await token('root');
    const body = { PasswordChangeRequired: true };
    const path = `${accounts}/someone`;
    const answer = await service.ask('PATCH', path, { headers, body });
    assert.equal(JSON.parse(answer.text).PasswordChangeRequired, true);
    const name = 'UserPasswordExpired';
    service.manager.failNext(name, 'xyz.openbmc_project.Common.Error.NotAllowed');
    const undo = { headers, body: { PasswordChangeRequired: false } };
    assert.equal((await service.ask('PATCH', path, undo)).status, 405);
  });

  it('shows and changes the rules of the user manager', async () => {
    const headers = await token('root');
    Object.assign(service.manager.policy, { attempts: 7, unlockSeconds: 0, minLength: 12 });
    const shown = JSON.parse((await service.ask('GET', accountService, { headers })).text);
    assert.equal(shown.AccountLockoutThreshold, 7);
    assert.equal(shown.AccountLockoutDuration, 0);
    assert.equal(shown.MinPasswordLength, 12);
    assert.equal('AccountLockoutCounterResetAfter' in shown, false);
    const body = { AccountLockoutThreshold: 3, AccountLockoutDuration: 60, MinPasswordLength: 9 };
    const answer = await service.ask('PATCH', accountService, { headers, body });
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(service.manager.policy, { attempts: 3, unlockSeconds: 60, minLength: 9 });
    assert.equal(JSON.parse(answer.text).AccountLockoutThreshold, 3);
  });

  it('changes no rule of the user manager when its own cannot be stored', async (test) => {
    const headers = await token('root');
    const before = { ...service.manager.policy };
    test.mock.method(service.access.settings, 'change', async () => {
      throw new Error('the disk is full');
    });
    const body = { AccountLockoutThreshold: 33, MinPasswordLength: 19, MaxPasswordLength: 40 };
    const answer = await service.ask('PATCH', accountService, { headers, body });
    assert.equal(answer.status, 500);
    assert.deepEqual(service.manager.policy, before);
    assert.ok(service.manager.asked.includes('MinPasswordLength 19'));
  });

  const badRules: readonly (readonly [object, string])[] = [
    [{ MinPasswordLength: 256 }, 'PropertyValueOutOfRange'],
    [{ AccountLockoutCounterResetAfter: 10 }, 'PropertyNotWritable'],
    [{ MaxPasswordLength: 5 }, 'PropertyValueConflict'],
  ];
  for (const [body, message] of badRules) {
    it(`refuses ${JSON.stringify(body)} with ${message}`, async () => {
      const headers = await token('root');
      const answer = await service.ask('PATCH', accountService, { headers, body });
      assert.equal(answer.status, 400, answer.text);
      assert.match(answer.text, new RegExp(message));
      assert.deepEqual(service.manager.asked, []);
    });
  }

  it('names the member when the user manager refuses a rule', async () => {
    const headers = await token('root');
    const name = 'xyz.openbmc_project.Common.Error.InvalidArgument';
    service.manager.failNext('MinPasswordLength', name);
    const body = { MinPasswordLength: 6 };
    const answer = await service.ask('PATCH', accountService, { headers, body });
    assert.equal(answer.status, 400);
    assert.match(answer.text, /#\/MinPasswordLength/);
  });

  const hostile = [
    '../root',
    'root/../root',
    '/xyz/openbmc_project/user/root',
    'root\n',
    'root\0',
    ' root',
    'root ',
    'Root',
    'ROOT',
    'rööt',
    'root:0',
    '-root',
    '*',
    '_',
    'ldap/openldap',
    '\ud800',
    'a'.repeat(1000),
    '',
  ];
  for (const name of hostile) {
    const shown = JSON.stringify(name).slice(0, 40);
    it(`takes ${shown} for nobody`, async () => {
      const headers = await token('root');
      service.helper.asked();
      assert.ok([400, 401].includes(Number(await service.login(name, word))));
      const asked = service.helper.asked();
      assert.ok(
        asked.every((line) => /^check (Root|ROOT|_) 127\.0\.0\.1$/.test(line)),
        `${asked}`,
      );
      const encoded = name === '\ud800' ? '%ED%A0%80' : encodeURIComponent(name);
      const path = `${accounts}/${encoded}`;
      if (name !== '') {
        for (const method of ['GET', 'DELETE']) {
          const { status } = await service.ask(method, path, { headers });
          assert.ok([400, 404].includes(status), `${method} ${status}`);
        }
        const body = { Enabled: false };
        const { status } = await service.ask('PATCH', path, { headers, body });
        assert.ok([400, 404].includes(status), `PATCH ${status}`);
      }
      assert.deepEqual(service.manager.asked, []);
      // The connection to the bus outlives what it cannot carry
      assert.equal((await service.ask('GET', administrators, { headers })).status, 200);
    });
  }

  it('tells the bus of no name that nobody can have', async () => {
    const away = 'org.freedesktop.DBus.Error.NoReply';
    for (const name of hostile.filter((one) => !/^([Rr]oot|ROOT|_)$/.test(one))) {
      service.manager.failNext('GetUserInfo', away);
      assert.equal(await service.access.users.find(name), undefined, JSON.stringify(name));
    }
    await assert.rejects(service.access.users.find('root'), { status: 503 });
  });

  it('never shows a password in a command line, the environment, a log or an answer', async () => {
    const headers = await token('root');
    for (const how of ['fault', 'die', 'refuse', undefined] as const) {
      service.helper.fail(how);
      const body = { UserName: 'new_1', Password: 'Secret-New-9', RoleId: 'Operator' };
      const answers = [
        await service.ask('POST', accounts, { headers, body }),
        await service.ask('GET', administrators, { as: 'root:Secret-Bad-9' }),
      ];
      for (const { text } of answers) assert.doesNotMatch(text, /Secret/);
    }
    const seen = service.helper.visible();
    assert.match(seen, /helper\.sh/);
    assert.doesNotMatch(seen, /Secret|Wörd|root|PATH=[^ ]*node/);
    assert.doesNotMatch(service.log.join('\n'), /Secret|Wörd/);
    assert.match(service.log.join('\n'), /password helper gave no answer.*ended with 9/);
  });

  it('answers 503 when the helper fails, and lets nobody in', async () => {
    for (const how of ['fault', 'die'] as const) {
      service.helper.fail(how);
      assert.equal(await service.login('root', word), 503);
    }
  });

  it('keeps out whom PAM has locked', async () => {
    service.helper.setPassword('root', word, 'locked');
    assert.equal(await service.login('root', word), 401);
  });

  it('asks nobody about a password that none can be', async () => {
    for (const password of ['right\0', 'x'.repeat(513)]) {
      service.helper.setPassword('root', 'right');
      assert.equal(await service.login('root', password), 401);
    }
    assert.deepEqual(service.helper.asked(), []);
  });

  it('spends the check on an unknown name too', async () => {
    assert.equal(await service.login('nobody', word), 401);
    assert.deepEqual(service.helper.asked(), ['check nobody 127.0.0.1']);
  });
});
