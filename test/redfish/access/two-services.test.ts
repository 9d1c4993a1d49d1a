import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { generateCertificate } from '../../../src/manager/credential/generated-certificate.ts';
import { until } from '../../e2e/commands.ts';
import { curl, logIn } from '../../e2e/redfish-client.ts';
import { type AccountManagerProcess, startAccountManager } from '../../fakes/account-manager.ts';
import { accountsAt } from '../../fakes/accounts.ts';
import { type PrivateBus, startPrivateBus } from '../../fakes/private-bus.ts';
import { password, type RedfishProcess, startRedfish } from '../../fakes/redfish-program.ts';

/** Two services on one bus, each with a state directory of its own, and the account manager of both. */
describe('two Redfish services over one account manager', () => {
  let bus: PrivateBus;
  let manager: AccountManagerProcess;
  let one: RedfishProcess;
  let other: RedfishProcess;
  let file: string;
  let start: (name: string) => Promise<RedfishProcess>;
  const configuration = () => join(bus.directory, 'one', 'redfish.json');

  before(async () => {
    bus = await startPrivateBus();
    const directory = join(bus.directory, 'accounts');
    file = join(directory, 'accounts.json');
    for (const name of ['one', 'other', 'accounts']) {
      mkdirSync(join(bus.directory, name), { mode: 0o700 });
    }
    const accounts = accountsAt(file);
    await accounts.setPassword('admin', 'Administrator', password);
    await accounts.setPassword('reader', 'ReadOnly', password);
    start = (name) =>
      startRedfish(join(bus.directory, name), bus.address, { users: { directory } });
    one = await start('one');
    manager = await startAccountManager(configuration());
    other = await start('other');
    await until('the accounts are known', async () => (await logIn(one.url, password)) !== '');
  });
  after(async () => {
    await one?.stop();
    await other?.stop();
    await manager?.stop();
    await bus?.stop();
  });

  const accountsOf = ({ url }: RedfishProcess) => `${url}/redfish/v1/AccountService/Accounts`;
  const tryLogin = async ({ url }: RedfishProcess, UserName: string, Password: string) => {
    const body = { UserName, Password };
    const sessions = `${url}/redfish/v1/SessionService/Sessions`;
    return (await curl(sessions, { method: 'POST', body })).status;
  };
  const read = async (service: RedfishProcess, token: string) =>
    (await curl(accountsOf(service), { token })).status;

  it('has a lock at the second that comes of failed logins at the first, shown at both', async () => {
    for (let count = 0; count < 5; count += 1) {
      assert.equal(await tryLogin(one, 'reader', `guess-${count}`), 401);
    }
    assert.equal(await tryLogin(other, 'reader', password), 401);
    const inLog = /audit: lockout begun .*edge=redfish attempt=([0-9a-f]{12}) of=account/;
    const [, attempt] = await until(
      'the lock is in the log',
      () => inLog.exec(manager.output()) ?? undefined,
    );
    const login = new RegExp(`login failed .*edge=redfish .*attempt=${attempt} `);
    await until('the login is in the log', () => login.test(one.output()));
    for (const service of [one, other]) {
      const token = await logIn(service.url, password);
      const { json } = await curl(`${accountsOf(service)}/reader`, { token });
      assert.equal(json.Locked, true);
    }
    const token = await logIn(other.url, password);
    const body = { Locked: false };
    const unlocked = await curl(`${accountsOf(other)}/reader`, { method: 'PATCH', token, body });
    assert.equal(unlocked.status, 200, unlocked.text);
    assert.equal(await tryLogin(one, 'reader', password), 201);
    const unlock = /audit: lockout ended .*user=reader .*reason=unlocked/;
    await until('the end of the lock is in the log', () => unlock.test(manager.output()));
  });

  it('ends sessions at the second with a password that is set at the first, and goes on in the one where', async () => {
    const own = await logIn(one.url, password, 'reader');
    const elsewhere = await logIn(other.url, password, 'reader');
    assert.deepEqual([await read(one, own), await read(other, elsewhere)], [200, 200]);
    const body = { Password: 'another-horse' };
    const reader = `${accountsOf(one)}/reader`;
    assert.equal((await curl(reader, { method: 'PATCH', token: own, body })).status, 200);
    assert.deepEqual([await read(one, own), await read(other, elsewhere)], [200, 401]);
    const tries = [
      await tryLogin(other, 'reader', password),
      await tryLogin(other, 'reader', 'another-horse'),
    ];
    assert.deepEqual(tries, [401, 201]);
  });

  it('keeps an account that is renamed at the first in its session at the second', async () => {
    const token = await logIn(other.url, 'another-horse', 'reader');
    const admin = await logIn(one.url, password);
    const body = { UserName: 'night-shift' };
    const reader = `${accountsOf(one)}/reader`;
    assert.equal((await curl(reader, { method: 'PATCH', token: admin, body })).status, 200);
    const own = await curl(`${accountsOf(other)}/night-shift`, { token });
    assert.equal(own.json.UserName, 'night-shift', own.text);
  });

  for (const isAway of [false, true]) {
    it(`leaves nothing at the second${isAway ? ', which is away,' : ''} of an account that is removed at the first and made again`, async () => {
      const [first, second] = [await logIn(one.url, password), await logIn(other.url, password)];
      const body = { UserName: 'passer-by', Password: password, RoleId: 'Administrator' };
      const make = () => curl(accountsOf(one), { method: 'POST', token: first, body });
      assert.equal((await make()).status, 201);
      const certificates = () => `${accountsOf(other)}/passer-by/Certificates`;
      const CertificateString = generateCertificate(
        { hostName: 'passer-by', addresses: [] },
        { validDays: 5, renewBeforeDays: 1, curve: 'prime256v1', organization: 'x' },
        Date.now(),
      ).leaf.pem;
      const certificate = { CertificateString, CertificateType: 'PEM' };
      const given = await curl(certificates(), {
        method: 'POST',
        token: second,
        body: certificate,
      });
      assert.equal(given.status, 201, given.text);
      const session = await logIn(other.url, password, 'passer-by');
      const uri = `${accountsOf(one)}/passer-by`;
      if (isAway) await other.stop();
      assert.equal((await curl(uri, { method: 'DELETE', token: first })).status, 204);
      assert.equal((await make()).status, 201);
      if (isAway) other = await start('other');
      const { json } = await curl(certificates(), { token: second });
      assert.deepEqual(json.Members, []);
      assert.equal(await read(other, session), 401);
      assert.equal((await curl(uri, { method: 'DELETE', token: first })).status, 204);
    });
  }

  it('answers 503 to logins and changes while the account manager is stopped, and serves the sessions that there are', async () => {
    const token = await logIn(one.url, password);
    await manager.stop();
    await until('it is missed', async () => (await tryLogin(one, 'admin', password)) === 503);
    assert.equal(await read(one, token), 200);
    const body = { RoleId: 'Operator' };
    const change = { method: 'PATCH', token, body };
    const { status, headers } = await curl(`${accountsOf(one)}/night-shift`, change);
    assert.deepEqual([status, headers['retry-after']], [503, '5']);
    manager = await startAccountManager(configuration());
    await until('it is back', async () => (await tryLogin(one, 'admin', password)) === 201);
    assert.equal(await read(one, token), 200);
  });

  it('loses nothing when the account manager is killed in the middle of changes', async () => {
    const token = await logIn(one.url, password);
    const roles = ['Operator', 'ReadOnly'];
    for (let round = 0; round < 4; round += 1) {
      let answered = '';
      let isOver = false;
      const changing = (async () => {
        for (let at = 0; !isOver; at += 1) {
          const RoleId = roles[at % 2] ?? '';
          const change = { method: 'PATCH', token, body: { RoleId } };
          const { status } = await curl(`${accountsOf(one)}/night-shift`, change);
          if (status === 200) answered = RoleId;
          else isOver = true;
        }
      })();
      await until('a change is made', () => answered !== '');
      // At another moment of a change in each round
      await sleep(7 * round);
      await manager.stop('SIGKILL');
      isOver = true;
      await changing;
      const users = accountsAt(file).users.map(({ userName, role }) => [userName, role]);
      const [, [, role] = []] = users;
      assert.equal(users.length, 2, readFileSync(file, 'utf8'));
      assert.ok(roles.includes(String(role)));
      manager = await startAccountManager(configuration());
      await until('it is back', async () => (await tryLogin(other, 'admin', password)) === 201);
      const { json } = await curl(`${accountsOf(one)}/night-shift`, { token });
      assert.equal(json.RoleId, role);
    }
  });

  it('has no password, hash or stamp in any log', () => {
    const logs = [one.output(), other.output(), manager.output()].join('\n');
    const { accounts } = JSON.parse(readFileSync(file, 'utf8'));
    const secrets = [password, 'another-horse', 'guess-0'];
    for (const { password: stored, passwordStamp } of accounts) {
      secrets.push(stored.hash, stored.salt, passwordStamp);
    }
    for (const secret of secrets) assert.ok(!logs.includes(secret), secret);
  });
});
