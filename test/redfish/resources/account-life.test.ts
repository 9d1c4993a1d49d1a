import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { purgeOrphanedUserData } from '../../../src/redfish/set-up/orphaned-user-data.ts';
import { until } from '../../e2e/commands.ts';
import { has } from '../../fakes/accounts.ts';
import { type Answer, startService, type TestService } from '../service.ts';

const accounts = '/redfish/v1/AccountService/Accounts';
const subscriptions = '/redfish/v1/EventService/Subscriptions';
const body = { UserName: 'operator', Password: 'another-pw', RoleId: 'Administrator' };

let service: TestService;
beforeEach(async () => {
  service = await startService();
  await service.accounts.setPassword('operator', 'Operator', 'operator-pw');
});
afterEach(() => service.close());

const session = (userName: string) => service.sessions.create({ userName, address: '' });
const create = () => service.ask('POST', accounts, { body });
const status = async (token: string) =>
  (await service.ask('GET', accounts, { as: '', headers: { 'X-Auth-Token': token } })).status;
const owners = () => service.events.subscriptions.list().map(({ owner }) => owner);

/** Nothing is made, and the log has the reason, but not the client. */
function assertPutOff({ status, headers, text }: Answer): void {
  assert.deepEqual([status, headers['retry-after']], [503, '60'], text);
  assert.match(text, /No account gets the name now: /);
  assert.doesNotMatch(text, /the disk is full/);
  assert.ok(
    service.log.some((line) => /No account gets the name now: .*the disk is full/.test(line)),
  );
  assert.equal(has(service.accounts, 'operator'), false);
}

async function subscribe(): Promise<void> {
  const subscription = { Protocol: 'Redfish', Destination: 'https://192.168.1.50/' };
  const as = 'operator:operator-pw';
  const answer = await service.ask('POST', subscriptions, { body: subscription, as });
  assert.equal(answer.status, 201, answer.text);
}

describe('an account with the name of one that others removed', () => {
  it('does not inherit a session', async () => {
    const [old, other] = [session('operator'), session('admin')];
    await service.accounts.changes.remove('operator');
    assert.equal((await create()).status, 201);
    assert.equal(await status(old.token), 401);
    assert.equal(await status(other.token), 200);
  });

  it('is not made while the file of sessions cannot be written', async () => {
    session('operator');
    await service.accounts.changes.remove('operator');
    service.sessions.keepWith(() => Promise.reject(new Error('the disk is full')));
    assertPutOff(await create());
    service.sessions.keepWith(async () => undefined);
    assert.equal((await create()).status, 201);
  });

  it('is not made while the subscriptions of the old one cannot be removed', async () => {
    await subscribe();
    const remove = service.events.subscriptions.remove;
    service.events.subscriptions.remove = () => Promise.reject(new Error('the disk is full'));
    await service.accounts.changes.remove('operator');
    assertPutOff(await create());
    service.events.subscriptions.remove = remove;
    assert.equal((await create()).status, 201);
    assert.deepEqual(owners(), []);
  });

  it('costs nobody anything when it is there already', async () => {
    await subscribe();
    const { token } = session('operator');
    assert.equal((await create()).status, 409);
    assert.equal(await status(token), 200);
    assert.deepEqual(owners(), ['operator']);
  });

  it('keeps what it has from the first moment when two make it at once', async () => {
    await service.accounts.changes.remove('operator');
    let token = '';
    const make = service.accounts.changes.create;
    service.accounts.changes.create = async (user) => {
      const created = await make(user);
      token = session('operator').token;
      return created;
    };
    const answers = await Promise.all([create(), create()]);
    assert.deepEqual(answers.map((one) => one.status).sort(), [201, 409]);
    assert.equal(await status(token), 200);
  });
});

describe('an account that is deleted', () => {
  it('is gone with all that it had before the next one of its name begins', async () => {
    await subscribe();
    const { rights } = service.events;
    const forget = rights.forget;
    let goOn = () => {};
    const held = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    rights.forget = async (userName) => {
      await held;
      await forget.call(rights, userName);
    };
    const deleted = service.ask('DELETE', `${accounts}/operator`);
    await until('it is gone', () => !has(service.accounts, 'operator'));
    const UserName = 'Operator';
    const created = service.ask('POST', accounts, { body: { ...body, UserName } });
    const other = service.ask('POST', accounts, { body: { ...body, UserName: 'other' } });
    assert.equal((await other).status, 201);
    assert.equal(has(service.accounts, UserName), false);
    goOn();
    assert.deepEqual([(await deleted).status, (await created).status], [204, 201]);
  });

  it('is gone with its sessions and subscriptions, also when its certificates stay on the disk', async () => {
    await subscribe();
    session('operator');
    const { accountCertificates } = service.parts.access;
    assert.ok(accountCertificates);
    accountCertificates.remove = () => Promise.reject(new Error('the disk is full'));
    assert.equal((await service.ask('DELETE', `${accounts}/operator`)).status, 204);
    assert.equal(has(service.accounts, 'operator'), false);
    assert.deepEqual([service.sessions.list(), owners()], [[], []]);
  });

  it('has everything yet when it could not be removed', async () => {
    await subscribe();
    const { token } = session('operator');
    service.accounts.changes.remove = () => Promise.reject(new Error('the disk is full'));
    assert.equal((await service.ask('DELETE', `${accounts}/operator`)).status, 500);
    assert.equal(await status(token), 200);
    assert.deepEqual(owners(), ['operator']);
  });
});

describe('the sessions of a user whom others removed', () => {
  const gone = ({ list = service.accounts.list(), find = service.accounts.find } = {}) => {
    const { accountCertificates: certificates } = service.parts.access;
    assert.ok(certificates);
    const users = { list: () => list, find: find.bind(service.accounts) };
    return purgeOrphanedUserData({ certificates, sessions: service.sessions }, users);
  };
  const names = () => service.sessions.list().map(({ userName }) => userName);

  it('end with the next look', async () => {
    for (const name of ['operator', 'admin']) session(name);
    await service.accounts.changes.remove('operator');
    await gone();
    assert.deepEqual(names(), ['admin']);
  });

  it('stay when he is kept elsewhere, and on no list', async () => {
    session('operator');
    const { accounts: users } = service;
    await gone({ list: users.list().then((all) => all.slice(0, 1)) });
    assert.deepEqual(names(), ['operator']);
  });

  it('stay while the users cannot be asked', async () => {
    session('remote');
    await assert.rejects(gone({ list: Promise.reject(new Error('away')) }), /away/);
    await assert.rejects(gone({ find: () => Promise.reject(new Error('away')) }), /away/);
    assert.deepEqual(names(), ['remote']);
  });

  it('stay when they began while it was asked whether he is there', async () => {
    session('operator');
    let token = '';
    const find = async () => {
      token = session('operator').token;
      return undefined;
    };
    await gone({ list: Promise.resolve([]), find });
    assert.deepEqual(names(), ['operator']);
    assert.ok(service.sessions.find(token));
  });
});
