import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { diskError, onDisk } from '../../fakes/moody-disk.ts';
import {
  beginWithRoot,
  loggedIn,
  type SystemUsersService,
  startSystemUsersService,
  word,
} from './system-users-service.ts';

const accounts = '/redfish/v1/AccountService/Accounts';
const accountService = '/redfish/v1/AccountService';

describe('the administration of users of the system', () => {
  let service: SystemUsersService;
  const token = (userName: string, password = word) => loggedIn(service, userName, password);

  before(async () => {
    service = await startSystemUsersService();
  });
  after(() => service.close());
  beforeEach(() => beginWithRoot(service));

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

  it('changes no rule of the user manager when its own cannot be stored', async () => {
    const headers = await token('root');
    const before = { ...service.manager.policy };
    const heal = onDisk('rename', () => () => Promise.reject(diskError('EIO')));
    const body = { AccountLockoutThreshold: 33, MinPasswordLength: 19, HTTPBasicAuth: 'Disabled' };
    const answer = await service.ask('PATCH', accountService, { headers, body });
    heal();
    assert.equal(answer.status, 500);
    assert.deepEqual(service.manager.policy, before);
    assert.ok(service.manager.asked.includes('MinPasswordLength 19'));
  });

  const badRules: readonly (readonly [object, string])[] = [
    [{ MinPasswordLength: 256 }, 'PropertyValueOutOfRange'],
    [{ AccountLockoutCounterResetAfter: 10 }, 'PropertyNotWritable'],
    [{ MaxPasswordLength: 40 }, 'PropertyNotWritable'],
    [{ MinPasswordLength: 129 }, 'PropertyValueConflict'],
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
});
