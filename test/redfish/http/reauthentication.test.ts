import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { UserChange } from '../../../src/identity/accounts/user-directory.ts';
import { until } from '../../e2e/commands.ts';
import { has } from '../../fakes/accounts.ts';
import { startService, type TestService } from '../service.ts';
import { basic, beginRequest } from '../slow-request.ts';

const accounts = '/redfish/v1/AccountService/Accounts';
const subscriptions = '/redfish/v1/EventService/Subscriptions';
const mallory = { UserName: 'mallory', Password: 'mallory-pw', RoleId: 'Administrator' };
const backdoor = { UserName: 'backdoor', Password: 'backdoor-pw', RoleId: 'Administrator' };
const asMallory = 'mallory:mallory-pw';

let service: TestService;
beforeEach(async () => {
  service = await startService();
  await service.accounts.setPassword('mallory', 'Administrator', 'mallory-pw');
});
afterEach(() => service.close());

const tokenOf = (userName: string) => ({
  'X-Auth-Token': service.sessions.create({ userName, address: '' }).token,
});
const begin = (
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body: object,
) => beginRequest({ ...{ port: service.port, method, path, headers, body } });
const change = (change: UserChange) => service.accounts.changes.update('mallory', change);
const makeAnew = async () => {
  await service.ask('DELETE', `${accounts}/mallory`);
  await service.ask('POST', accounts, { body: mallory });
};

describe('a client whose rights go while the body of his request is on its way', () => {
  const losses: readonly (readonly [string, () => Promise<unknown>, number])[] = [
    ['is deleted', () => service.ask('DELETE', `${accounts}/mallory`), 401],
    ['is deleted and made anew', makeAnew, 401],
    ['is disabled', () => change({ enabled: false }), 401],
    ['has another role', () => change({ role: 'Operator' }), 403],
    ['must change his password', () => change({ passwordChangeRequired: true }), 403],
  ];
  const resets: typeof losses = [
    [
      'gets another password',
      () => service.ask('PATCH', `${accounts}/mallory`, { body: { Password: 'another-pw' } }),
      401,
    ],
  ];
  const ways: readonly (readonly [string, () => Record<string, string>, typeof losses])[] = [
    [
      'a session',
      () => tokenOf('mallory'),
      [
        ...losses,
        ...resets,
        ['ends his session', async () => service.sessions.endOf('mallory'), 401],
      ],
    ],
    [
      'HTTP Basic',
      () => ({ ...basic(asMallory) }),
      [
        ...losses,
        ...resets,
        [
          'may not use HTTP Basic any more',
          () => service.access.settings.change(() => ({ basicAuth: 'Disabled' as const })),
          401,
        ],
      ],
    ],
  ];
  for (const [way, headers, all] of ways) {
    for (const [loss, lose, status] of all) {
      it(`makes no account by ${way} when he ${loss}`, async () => {
        const finish = await begin('POST', accounts, headers(), backdoor);
        await lose();
        assert.equal(await finish(), status);
        assert.equal(has(service.accounts, 'backdoor'), false);
      });
    }
  }

  it('does not undo the reset of the password that he knew', async () => {
    const path = `${accounts}/mallory`;
    const finish = await begin('PATCH', path, tokenOf('mallory'), { Password: 'of-the-thief' });
    await service.ask('PATCH', path, { body: { Password: 'of-the-owner' } });
    assert.equal(await finish(), 401);
    const { kind } = await service.accounts.checkPassword('mallory', 'of-the-owner');
    assert.equal(kind, 'ok');
  });

  it('has no subscription in the account of the next one of his name', async () => {
    const body = { Destination: 'https://192.168.1.50/', Protocol: 'Redfish' };
    const finish = await begin('POST', subscriptions, basic(asMallory), body);
    await makeAnew();
    assert.equal(await finish(), 401);
    assert.deepEqual(service.events.subscriptions.list(), []);
  });

  it('touches no more than what is his own when that is what is left to him', async () => {
    const body = { Password: 'another-pw' };
    const other = await begin('PATCH', `${accounts}/reader`, tokenOf('mallory'), body);
    const own = await begin('PATCH', `${accounts}/mallory`, tokenOf('mallory'), body);
    await change({ role: 'ReadOnly' });
    assert.deepEqual([await other(), await own()], [403, 200]);
  });

  it('is looked up once where the whole request was there, and again after a wait', async () => {
    const { find } = service.accounts;
    let lookups = 0;
    service.accounts.find = (userName) => {
      lookups += 1;
      return find.call(service.accounts, userName);
    };
    const path = '/redfish/v1/EventService';
    const body = { DeliveryRetryAttempts: 4 };
    const headers = tokenOf('mallory');
    const text = JSON.stringify(body);
    const socket = connect(service.port, '127.0.0.1');
    const lines = { Host: 'bmc', ...headers, 'Content-Length': `${text.length}` };
    const head = Object.entries(lines).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`PATCH ${path} HTTP/1.1\r\n${head.join('')}\r\n${text}`);
    const [answer] = await once(socket, 'data');
    socket.destroy();
    assert.match(String(answer), /^HTTP\/1.1 200 /);
    assert.equal(lookups, 1);
    lookups = 0;
    const finish = await begin('PATCH', path, headers, body);
    assert.equal(await finish(), 200);
    assert.equal(lookups, 2);
  });

  it('is asked for no second hash of a password, and goes on when nothing was taken', async () => {
    const { checkPassword } = service.accounts;
    let hashed = 0;
    service.accounts.checkPassword = (...credentials) => {
      hashed += 1;
      return checkPassword.apply(service.accounts, credentials);
    };
    const finish = await begin('POST', accounts, basic(asMallory), backdoor);
    assert.equal(await finish(), 201);
    assert.equal(hashed, 1);
  });
});

describe('a client whose rights go while his request waits for its turn', () => {
  /** Holds up what is done to accounts. */
  const holdUp = (name: 'create' | 'update') => {
    let holds = false;
    let goOn: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const { changes } = service.accounts;
    const original = changes[name] as (...args: readonly unknown[]) => Promise<never>;
    Object.assign(changes, {
      async [name](...args: readonly unknown[]) {
        holds = true;
        await held;
        return original(...args);
      },
    });
    return { goOn: () => goOn(), begun: () => until('it is held up', () => holds) };
  };

  it('changes nothing of the resource', async () => {
    const path = `${accounts}/mallory`;
    const held = holdUp('update');
    const first = service.ask('PATCH', path, { body: { Locked: false, Enabled: true } });
    await held.begun();
    const headers = tokenOf('mallory');
    const second = service.ask('PATCH', path, { as: '', headers, body: { Password: 'stolen-pw' } });
    await sleep(100);
    service.sessions.endOf('mallory');
    held.goOn();
    assert.deepEqual([(await first).status, (await second).status], [200, 401]);
    assert.equal((await service.accounts.checkPassword('mallory', 'mallory-pw')).kind, 'ok');
  });

  it('makes no account, and is not told of the one that there is', async () => {
    const held = holdUp('create');
    const first = service.ask('POST', accounts, { body: backdoor });
    await held.begun();
    const headers = tokenOf('mallory');
    const second = service.ask('POST', accounts, { as: '', headers, body: backdoor });
    await sleep(100);
    await service.accounts.changes.remove('mallory');
    held.goOn();
    assert.deepEqual([(await first).status, (await second).status], [201, 401]);
  });
});
