import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { userNameOf, userPath } from '../../../src/dbus/peers/user-interfaces.ts';
import { BusSystemUsers } from '../../../src/dbus/peers/user-manager.ts';
import { SystemUserError, type SystemUserFault } from '../../../src/platform/system-users.ts';
import { until } from '../../e2e/commands.ts';
import { type PrivateBus, startPrivateBus } from '../../fakes/private-bus.ts';
import { type FakeUserManager, startFakeUserManager } from '../../fakes/user-manager.ts';

const silent = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

describe('the path of a user', () => {
  const paths: readonly (readonly [string, string])[] = [
    ['root', 'root'],
    ['user_1', 'user_5f1'],
    ['a.b-c', 'a_2eb_2dc'],
    ['9lives', '_39lives'],
    ['../../certs/server/https/1', '_2e_2e_2f_2e_2e_2fcerts_2fserver_2fhttps_2f1'],
    ['a/b', 'a_2fb'],
    ['ü', '_c3_bc'],
    ['', '_'],
  ];
  for (const [name, encoded] of paths) {
    it(`stays below the root for ${JSON.stringify(name)}`, () => {
      assert.equal(userPath(name), `/xyz/openbmc_project/user/${encoded}`);
      if (name !== '') assert.equal(userNameOf(userPath(name)), name);
    });
  }

  it('is no user for anything that is written otherwise', () => {
    for (const path of [
      '/xyz/openbmc_project/user',
      '/xyz/openbmc_project/user/',
      '/xyz/openbmc_project/user/ldap/openldap',
      '/xyz/openbmc_project/user/user_1',
      '/xyz/openbmc_project/user/a_41',
      '/xyz/openbmc_project/user/_',
      '/xyz/openbmc_project/users/root',
    ]) {
      assert.equal(userNameOf(path), undefined, path);
    }
  });
});

describe('the users of the bus', () => {
  let bus: PrivateBus;
  let manager: FakeUserManager;
  let users: BusSystemUsers;

  before(async () => {
    bus = await startPrivateBus();
    manager = await startFakeUserManager(bus.address);
    users = new BusSystemUsers({ busAddress: bus.address, log: silent });
    await users.start();
  });

  beforeEach(() => {
    for (const name of [...manager.users.keys()]) manager.removeUser(name);
    manager.addUser('root', { privilege: 'priv-admin', groups: ['ssh', 'redfish', 'web'] });
    manager.addUser('far_away', { remote: true, privilege: 'priv-operator' });
    manager.asked.length = 0;
  });

  after(async () => {
    users.close();
    manager.leave();
    await bus.stop();
  });

  it('finds a user as he is now', async () => {
    const root = {
      name: 'root',
      privilege: 'priv-admin',
      groups: ['ssh', 'redfish', 'web'],
      enabled: true,
      locked: false,
      passwordExpired: false,
      remote: false,
    };
    assert.deepEqual(await users.find('root'), root);
    manager.addUser('root', { privilege: 'priv-user', groups: [], locked: true, expired: true });
    assert.deepEqual(await users.find('root'), {
      ...root,
      privilege: 'priv-user',
      groups: [],
      locked: true,
      passwordExpired: true,
    });
    assert.equal(await users.find('nobody'), undefined);
  });

  it('takes a remote user for enabled, and lists local ones alone', async () => {
    assert.equal((await users.find('far_away'))?.enabled, true);
    assert.deepEqual(
      (await users.list()).map(({ name }) => name),
      ['root'],
    );
  });

  it('changes users through their objects', async () => {
    const user = { name: 'new_1', groups: ['redfish'], privilege: 'priv-user', enabled: false };
    await users.create(user);
    await users.set('new_1', { attribute: 'privilege', value: 'priv-operator' });
    await users.set('new_1', { attribute: 'enabled', value: true });
    await users.set('new_1', { attribute: 'locked', value: false });
    await users.set('new_1', { attribute: 'passwordExpired', value: true });
    assert.deepEqual(manager.users.get('new_1'), {
      groups: ['redfish'],
      privilege: 'priv-operator',
      enabled: true,
      locked: false,
      expired: true,
      remote: false,
    });
    await users.rename('new_1', 'new_2');
    assert.equal(manager.users.has('new_1'), false);
    assert.equal((await users.find('new_2'))?.privilege, 'priv-operator');
    await users.remove('new_2');
    assert.equal(manager.users.has('new_2'), false);
  });

  it('reads and sets the policy of all accounts', async () => {
    await users.setPolicy({ lockoutThreshold: 3, lockoutSeconds: 70_000, minPasswordLength: 255 });
    assert.deepEqual(await users.policy(), {
      lockoutThreshold: 3,
      lockoutSeconds: 70_000,
      minPasswordLength: 255,
    });
  });

  const rules = { lockoutThreshold: 4, lockoutSeconds: 600, minPasswordLength: 10 };
  const others = { lockoutThreshold: 6, lockoutSeconds: 900, minPasswordLength: 20 };
  const properties = ['MaxLoginAttemptBeforeLockout', 'AccountUnlockTimeout', 'MinPasswordLength'];
  for (const property of properties) {
    it(`puts the rules back when it is ${property} that is refused`, async () => {
      await users.setPolicy(rules);
      manager.failNext(property, 'xyz.openbmc_project.Common.Error.InvalidArgument');
      await assert.rejects(users.setPolicy(others), { fault: 'argument-refused' });
      assert.deepEqual(await users.policy(), rules);
      await users.setPolicy(others);
      assert.deepEqual(await users.policy(), others);
    });
  }

  it('puts back no rule that it was not to change', async () => {
    await users.setPolicy(rules);
    manager.asked.length = 0;
    manager.failNext('MinPasswordLength', 'xyz.openbmc_project.Common.Error.NotAllowed');
    const asked = users.setPolicy({ lockoutThreshold: 9, minPasswordLength: 30 });
    await assert.rejects(asked, { fault: 'not-permitted' });
    assert.deepEqual(await users.policy(), rules);
    assert.equal(manager.asked.filter((one) => one.startsWith('AccountUnlock')).length, 0);
  });

  const faults: readonly (readonly [string, SystemUserFault])[] = [
    ['xyz.openbmc_project.User.Common.Error.UserNameExists', 'exists'],
    ['xyz.openbmc_project.User.Common.Error.UserNameDoesNotExist', 'not-found'],
    ['xyz.openbmc_project.User.Common.Error.UserNameGroupFail', 'argument-refused'],
    ['xyz.openbmc_project.User.Common.Error.UserNamePrivFail', 'privilege-refused'],
    ['xyz.openbmc_project.User.Common.Error.NoResource', 'limit'],
    ['xyz.openbmc_project.Common.Error.InvalidArgument', 'argument-refused'],
    ['xyz.openbmc_project.Common.Error.InsufficientPermission', 'not-permitted'],
    ['xyz.openbmc_project.Common.Error.NotAllowed', 'not-permitted'],
    ['xyz.openbmc_project.Common.Error.InternalFailure', 'failed'],
    ['org.freedesktop.DBus.Error.AccessDenied', 'not-permitted'],
    ['org.freedesktop.DBus.Error.NoReply', 'unavailable'],
    ['com.example.Unheard.Of', 'failed'],
  ];
  for (const [name, fault] of faults) {
    it(`takes ${name} for ${fault}`, async () => {
      manager.failNext('CreateUser', name);
      const asked = users.create({ name: 'x', groups: [], privilege: '', enabled: true });
      await assert.rejects(asked, (error) => {
        return error instanceof SystemUserError && error.fault === fault;
      });
    });
  }

  it('knows when an object is gone', async () => {
    await assert.rejects(users.remove('nobody'), { fault: 'not-found' });
    await assert.rejects(users.set('nobody', { attribute: 'enabled', value: true }), {
      fault: 'not-found',
    });
  });

  it('is unavailable without the manager and answers when it is back', async () => {
    manager.leave();
    await until('the manager is missed', () => !users.isThere);
    await assert.rejects(users.find('root'), { fault: 'unavailable' });
    await assert.rejects(users.list(), { fault: 'unavailable' });
    await manager.come();
    await until('the manager is seen', () => users.isThere);
    assert.equal((await users.find('root'))?.privilege, 'priv-admin');
  });

  it('comes back after the bus', async () => {
    await bus.kill();
    await until('the bus is missed', () => !users.isThere);
    await assert.rejects(users.find('root'), { fault: 'unavailable' });
    await bus.start();
    manager.leave();
    await manager.come();
    await until('the manager is seen', () => users.isThere);
    assert.equal((await users.find('root'))?.name, 'root');
  });
});
