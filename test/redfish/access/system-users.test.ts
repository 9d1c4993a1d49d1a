import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { until } from '../../e2e/commands.ts';
import type { FakeUser } from '../../fakes/user-manager.ts';
import { basic, beginRequest } from '../slow-request.ts';
import {
  beginWithRoot,
  loggedIn,
  type SystemUsersService,
  startSystemUsersService,
  word,
} from './system-users-service.ts';

const accounts = '/redfish/v1/AccountService/Accounts';
const administrators = '/redfish/v1/CertificateService/CertificateLocations';

describe('users of the system', () => {
  let service: SystemUsersService;
  const token = (userName: string, password = word) => loggedIn(service, userName, password);

  before(async () => {
    service = await startSystemUsersService();
  });
  after(() => service.close());
  beforeEach(() => beginWithRoot(service));

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

  for (const [what, happens] of ends) {
    it(`does not finish the request of a user who is ${what} before its end`, async () => {
      service.manager.addUser('someone', { privilege: 'priv-admin' });
      service.helper.setPassword('someone', word);
      const waysIn = [await token('someone'), basic(`someone:${word}`)];
      for (const headers of waysIn) {
        service.manager.addUser('someone', { privilege: 'priv-admin' });
        const body = { UserName: 'next', Password: word, RoleId: 'Administrator' };
        const { port } = service;
        const finish = await beginRequest({ port, method: 'POST', path: accounts, headers, body });
        happens();
        assert.equal(await finish(), 401);
        assert.equal(service.manager.users.has('next'), false);
      }
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
    await assert.rejects(service.access.users.find('root'), { code: 'unavailable' });
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
    service.helper.setPassword('root', 'right');
    assert.equal(await service.login('root', 'right\0'), 400);
    assert.equal(await service.login('root', 'x'.repeat(513)), 401);
    const as = 'root:right\0';
    assert.equal((await service.ask('GET', administrators, { as })).status, 401);
    assert.deepEqual(service.helper.asked(), []);
  });

  it('spends the check on an unknown name too', async () => {
    assert.equal(await service.login('nobody', word), 401);
    assert.deepEqual(service.helper.asked(), ['check nobody 127.0.0.1']);
  });
});
