import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import {
  beginWithRoot,
  loggedIn,
  type SystemUsersService,
  startSystemUsersService,
} from './system-users-service.ts';

const accounts = '/redfish/v1/AccountService/Accounts';

describe('a user of the system who is renamed', () => {
  let service: SystemUsersService;
  before(async () => {
    service = await startSystemUsersService();
  });
  after(() => service.close());
  beforeEach(() => {
    beginWithRoot(service);
    service.manager.addUser('someone');
    service.helper.setPassword('someone', 'Right Wörd 1');
  });

  const rename = async (UserName: string, more: object = {}) => {
    const headers = await loggedIn(service, 'root');
    return service.ask('PATCH', `${accounts}/someone`, { headers, body: { UserName, ...more } });
  };
  const names = () => [...service.manager.users.keys()];

  it('is renamed by the user manager, and goes on in his sessions', async () => {
    const own = await loggedIn(service, 'someone');
    const { status, headers, text } = await rename('anyone');
    assert.equal(status, 200, text);
    assert.equal(headers.location, `${accounts}/anyone`);
    assert.deepEqual(service.manager.asked, ['RenameUser someone anyone']);
    assert.deepEqual(names(), ['root', 'anyone']);
    assert.equal((await service.ask('GET', `${accounts}/anyone`, { headers: own })).status, 200);
  });

  it('gets the other members under his new name', async () => {
    const more = { RoleId: 'Operator', Password: 'New Wörd 2', Enabled: true };
    const { status, text } = await rename('anyone', more);
    assert.equal(status, 200, text);
    assert.equal(JSON.parse(text).RoleId, 'Operator');
    assert.deepEqual(service.manager.asked.slice(0, 2), [
      'RenameUser someone anyone',
      'UserPrivilege anyone priv-operator',
    ]);
    assert.equal(service.helper.passwordOf('anyone'), 'New Wörd 2');
  });

  it('has his old name again when the rest of the change is refused', async () => {
    const own = await loggedIn(service, 'someone');
    service.manager.failNext('UserPrivilege', 'xyz.openbmc_project.Common.Error.InternalFailure');
    assert.equal((await rename('anyone', { RoleId: 'Operator' })).status, 500);
    assert.deepEqual(names(), ['root', 'someone']);
    assert.equal((await service.ask('GET', `${accounts}/someone`, { headers: own })).status, 200);
  });

  const refusals: readonly (readonly [string, number, RegExp])[] = [
    ['User.Common.Error.UserNameExists', 409, /ResourceAlreadyExists/],
    ['User.Common.Error.UserNameDoesNotExist', 404, /ResourceNotFound/],
    ['Common.Error.InvalidArgument', 400, /PropertyValueFormatError/],
    ['Common.Error.InsufficientPermission', 405, /OperationNotAllowed/],
    ['Common.Error.InternalFailure', 500, /InternalError/],
  ];
  for (const [name, expected, says] of refusals) {
    it(`keeps his name when the user manager answers ${name}, which is ${expected}`, async () => {
      service.manager.failNext('RenameUser', `xyz.openbmc_project.${name}`);
      const { status, text } = await rename('anyone');
      assert.equal(status, expected, text);
      assert.match(text, says);
      assert.deepEqual(names(), ['root', 'someone']);
    });
  }

  it('does not get the name of another', async () => {
    assert.equal((await rename('root')).status, 409);
  });

  it('keeps his name when he is kept elsewhere', async () => {
    service.manager.addUser('someone', { remote: true });
    assert.equal((await rename('anyone')).status, 405);
  });
});
