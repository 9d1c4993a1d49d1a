import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { accountsName, accountsRoot } from '../../../src/dbus/accounts/accounts-interface.ts';
import {
  type AccountsService,
  serveAccounts,
} from '../../../src/dbus/accounts/accounts-service.ts';
import { BusAccounts } from '../../../src/dbus/accounts/bus-accounts.ts';
import { connectBus } from '../../../src/dbus/transport/bus.ts';
import { busDaemon, watchCallers } from '../../../src/dbus/transport/bus-driver.ts';
import { type Accounts, newPasswordStamp } from '../../../src/identity/accounts/accounts.ts';
import type { NewUser, UserChange, Users } from '../../../src/identity/accounts/user-directory.ts';
import { until } from '../../e2e/commands.ts';
import { accountsAt, guarded, usualPolicy } from '../../fakes/accounts.ts';
import { busTools } from '../../fakes/bus-tools.ts';
import { type PrivateBus, startPrivateBus } from '../../fakes/private-bus.ts';
import { recordedAudit } from '../../fakes/recorded-audit.ts';

const silent = () => undefined;
const log = { debug: silent, info: silent, warn: silent, error: silent };
const right = 'a right password';
const own = process.getuid?.() ?? 0;

describe('the accounts over the bus', () => {
  let bus: PrivateBus;
  let directory: string;
  let auditLines: string[];
  let service: AccountsService;
  let accounts: Accounts;
  let stopManager: (() => void) | undefined;
  let edges: BusAccounts[];

  before(async () => {
    bus = await startPrivateBus();
  });
  after(() => bus.stop());
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'bus-accounts-'));
    edges = [];
    for (const name of ['admin', 'reader']) {
      await file().setPassword(name, name === 'admin' ? 'Administrator' : 'ReadOnly', right);
    }
    await startManager();
  });
  afterEach(() => {
    for (const edge of edges) edge.close();
    stopManager?.();
    rmSync(directory, { recursive: true });
  });

  const file = () => accountsAt(join(directory, 'accounts.json'), { max: 4 });
  /** The account manager within this process, over the bus all the same. */
  async function startManager(allowed: readonly number[] = [own]): Promise<void> {
    const callersBus = await connectBus(bus.address);
    const recorded = recordedAudit();
    auditLines = recorded.auditLines;
    const { audit } = recorded;
    accounts = file();
    service = await serveAccounts({
      ...{ busAddress: bus.address, callers: await watchCallers(callersBus), audit, log },
      ...{ accounts, users: guarded(accounts, { audit }), onLost: silent },
      access: { users: allowed, groups: [] },
      operators: [own],
    });
    stopManager = () => {
      service.close();
      callersBus.close();
      stopManager = undefined;
    };
  }
  async function edge(): Promise<BusAccounts> {
    const { made, known } = begun();
    await known;
    return made;
  }
  function begun() {
    const made = new BusAccounts({ busAddress: bus.address, log });
    edges.push(made);
    return { made, known: made.start() };
  }
  const login = async (users: Users, userName: string, password: string, address = '192.0.2.1') => {
    const attempt = { userName, address, edge: 'netconf', id: 'abcdef012345' };
    return (await users.login(attempt, password)).kind;
  };
  const isThere = async (users: Users, name: string) => (await users.find(name)) !== undefined;
  const newUser = (userName: string, more: Partial<NewUser> = {}): NewUser => ({
    ...{ userName, password: right, role: 'Operator', enabled: true },
    ...{ passwordChangeRequired: false, ...more },
  });

  it('are those of the file, with what is to be known of each and without its hash', async () => {
    const users = await edge();
    assert.deepEqual(await users.list(), await file().list());
    assert.deepEqual(await users.policy.read(), usualPolicy);
    const stamp = file().passwordStamp('admin');
    assert.equal(users.passwordStamp('admin'), stamp);
    const tools = busTools({ address: bus.address, destination: accountsName });
    const shown = JSON.stringify(
      await tools.call(accountsRoot, 'xyz.openbmc_project.Certs.Extension.Accounts.Watch'),
    );
    assert.ok(stamp !== undefined && shown.includes(stamp), shown);
    const [stored] = JSON.parse(readFileSync(join(directory, 'accounts.json'), 'utf8')).accounts;
    for (const secret of [stored.password.hash, stored.password.salt]) {
      assert.ok(!shown.includes(secret), shown);
    }
  });

  it('are logged in to, and each login has its outcome', async () => {
    const users = await edge();
    await users.changes.update('reader', { enabled: false });
    const outcomes = [
      await login(users, 'admin', right),
      await login(users, 'admin', 'a wrong one'),
      await login(users, 'nobody', right),
      await login(users, 'reader', right),
    ];
    assert.deepEqual(outcomes, ['ok', 'wrong', 'wrong', 'disabled']);
  });

  const changes: readonly [string, (users: Users) => Promise<unknown>, string][] = [
    ['a new account', ({ changes }) => changes.create(newUser('third')), 'third Operator'],
    ['a role', ({ changes }) => changes.update('reader', { role: 'Operator' }), 'reader Operator'],
    ['a name', ({ changes }) => changes.update('reader', { userName: 'other' }), 'other ReadOnly'],
  ];
  for (const [what, change, shown] of changes) {
    it(`show a change at every edge as soon as it is answered at one: ${what}`, async () => {
      const [one, other] = [await edge(), await edge()];
      await change(one);
      const seen = async (users: Users) =>
        (await users.list()).map(({ userName, role }) => `${userName} ${role}`);
      assert.ok((await seen(one)).includes(shown));
      await until('the other edge sees it', async () => (await seen(other)).includes(shown));
      assert.deepEqual(await one.list(), await file().list());
    });
  }

  it('are gone at every edge when they are removed', async () => {
    const [one, other] = [await edge(), await edge()];
    await one.changes.remove('reader');
    assert.equal(await isThere(one, 'reader'), false);
    await until('the other edge sees it', async () => !(await isThere(other, 'reader')));
    assert.equal(other.passwordStamp('reader'), undefined);
  });

  const refusals: readonly [string, (users: Users) => Promise<unknown>][] = [
    ['exists', ({ changes }) => changes.create(newUser('Admin'))],
    ['not-found', ({ changes }) => changes.remove('nobody')],
    ['last-administrator', ({ changes }) => changes.remove('admin')],
    ['name-refused', ({ changes }) => changes.create(newUser('a b'))],
    ['password-refused', ({ changes }) => changes.create(newUser('third', { password: 'short' }))],
    ['rule-refused', ({ policy }) => policy.change({ maxPasswordLength: 7 })],
    [
      'limit',
      async ({ changes }) => {
        for (const name of ['third', 'fourth', 'fifth']) await changes.create(newUser(name));
      },
    ],
  ];
  for (const [code, change] of refusals) {
    it(`tell why a change is refused: ${code}`, async () => {
      await assert.rejects(change(await edge()), { name: 'IdentityError', code });
    });
  }

  it('let a user set the own password only over the one by which the user is known', async () => {
    const users = await edge();
    const passwordStamp = users.passwordStamp('admin');
    const nextStamp = newPasswordStamp();
    const change: UserChange = { password: 'another password' };
    await users.changes.update('admin', change, { passwordStamp, nextStamp });
    assert.equal(users.passwordStamp('admin'), nextStamp);
    await assert.rejects(users.changes.update('admin', change, { passwordStamp, nextStamp }), {
      code: 'password-refused',
    });
  });

  it('count failed logins of all edges together, and show the lock at all of them', async () => {
    const [one, other] = [await edge(), await edge()];
    for (let count = 0; count < usualPolicy.lockoutThreshold; count += 1) {
      await login(count % 2 === 0 ? one : other, 'reader', 'a wrong one');
    }
    assert.deepEqual(
      [await login(one, 'reader', right), await login(other, 'reader', right)],
      ['locked', 'locked'],
    );
    assert.equal(await login(other, 'reader', right, '192.0.2.2'), 'ok', 'from elsewhere');
    for (const users of [one, other]) {
      await until('it shows', async () => (await users.find('reader'))?.locked === true);
    }
    await other.changes.update('reader', { locked: false });
    await until('it shows', async () => (await one.find('reader'))?.locked === false);
    assert.equal(await login(one, 'reader', right), 'ok');
    const line = auditLines.find((text) => text.includes('lockout begun')) ?? '';
    assert.match(line, /"edge":"netconf","attempt":"abcdef012345","of":"account","seconds":300/);
  });

  it('have their new names told before they are found by them, also to an edge that was away', async () => {
    const [one, other] = [await edge(), await edge()];
    const told: string[] = [];
    other.onRename(({ from, to }) => told.push(`${from} ${to} ${stampNow(other, to)}`));
    other.close();
    await one.changes.update('reader', { userName: 'night-shift' });
    await one.changes.create(newUser('reader'));
    const again = await edge();
    again.onRename(({ from, to }) => told.push(`${from} ${to}`));
    assert.deepEqual(told, ['reader night-shift']);
    const before: unknown[] = [];
    again.onRename(({ to }) => before.push(stampNow(again, to)));
    await one.changes.update('night-shift', { userName: 'day-shift' });
    await until('it is told', () => before.length === 2);
    assert.equal(before[1], undefined, 'not found yet');
  });
  const stampNow = (users: Users, name: string) => users.passwordStamp(name);

  it('stay known while the account manager is away, without logins and changes, and are right when it is back', async () => {
    const users = await edge();
    stopManager?.();
    await until('it is missed', () =>
      login(users, 'admin', right).then(
        () => false,
        ({ code }) => code === 'unavailable',
      ),
    );
    assert.deepEqual(await users.list(), await file().list());
    await assert.rejects(users.changes.remove('reader'), { code: 'unavailable' });
    await file().setPassword('admin', 'Administrator', 'set meanwhile');
    await startManager();
    const stamp = file().passwordStamp('admin');
    await until('the new stamp is known', () => users.passwordStamp('admin') === stamp);
    assert.equal(await login(users, 'admin', 'set meanwhile'), 'ok');
  });

  it('are unavailable, not absent, before they were seen', async () => {
    stopManager?.();
    const { made: users, known } = begun();
    for (const ask of [users.list(), users.find('admin'), users.policy.read()]) {
      await assert.rejects(ask, { code: 'unavailable' });
    }
    assert.throws(() => users.passwordStamp('admin'), { code: 'unavailable' });
    await startManager();
    await known;
    assert.equal(await isThere(users, 'admin'), true);
  });

  it('are told of to those who watch, and to no other connection of the bus', async () => {
    const users = await edge();
    const stranger = await connectBus(bus.address);
    const heard: string[] = [];
    stranger.onSignal(({ member }) => heard.push(member));
    const rule = "type='signal'";
    await stranger.call({ ...busDaemon, member: 'AddMatch', signature: 's', body: [rule] });
    await users.changes.update('reader', { role: 'Operator' });
    await stranger.call({ ...busDaemon, member: 'GetId' });
    stranger.close();
    assert.ok(!heard.includes('Changed'), heard.join());
  });

  it('are for nobody whom the policy of the account manager does not name', async () => {
    stopManager?.();
    await startManager([own + 1]);
    const tools = busTools({ address: bus.address, destination: accountsName });
    const extension = 'xyz.openbmc_project.Certs.Extension.Accounts';
    const calls: readonly [string, ...string[]][] = [
      ['Watch'],
      ['Authenticate', 'string:admin', 'array:byte:97', 'string:', 'string:', 'string:'],
      ['Remove', 'string:reader'],
    ];
    for (const [member, ...args] of calls) {
      const refusal = await tools.refusal(accountsRoot, `${extension}.${member}`, ...args);
      assert.match(refusal, /AccessDenied: .*may not use the accounts/);
    }
  });

  it('are for nobody any more whom the policy names no longer, and who hears of no further change', async () => {
    const watcher = await connectBus(bus.address);
    const heard: string[] = [];
    watcher.onSignal(({ member }) => heard.push(member));
    const watch = {
      ...{ destination: accountsName, path: accountsRoot, member: 'Watch' },
      interface: 'xyz.openbmc_project.Certs.Extension.Accounts',
    };
    await watcher.call(watch);
    await service.allow({ users: [own + 1], groups: [] });
    await accounts.setPassword('reader', 'Operator', right);
    // Whose answer comes behind any signal
    await assert.rejects(watcher.call(watch), /may not use the accounts/);
    watcher.close();
    assert.deepEqual(heard, []);
  });

  it('have the rules of the configuration as it is read again, but where a client has set others', async () => {
    const users = await edge();
    await users.policy.change({ lockoutThreshold: 7 });
    accounts.configure({ ...usualPolicy, lockoutThreshold: 3, minPasswordLength: 12 });
    const rules = { ...usualPolicy, lockoutThreshold: 7, minPasswordLength: 12 };
    await until('the edge knows', async () => (await users.policy.read()).minPasswordLength === 12);
    assert.deepEqual(await users.policy.read(), rules);
    await assert.rejects(users.changes.create(newUser('third', { password: 'elevenchars' })), {
      code: 'password-refused',
    });
  });

  const bad: readonly [string, string, string[]][] = [
    ['a role that is none', 'Update', ['sa{sv}ss', 'reader', '1', 'Role', 's', 'Root', '', '']],
    ['a lock', 'Update', ['sa{sv}ss', 'reader', '1', 'Locked', 'b', 'true', '', '']],
    ['an unknown member', 'Update', ['sa{sv}ss', 'reader', '1', 'Uid', 'u', '0', '', '']],
    ['a stamp that is none', 'Update', ['sa{sv}ss', 'reader', '0', 'x', 'y']],
    ['an unknown rule', 'SetPolicy', ['a{sv}', '1', 'Uid', 'u', '0']],
  ];
  for (const [what, member, [signature = '', ...args]] of bad) {
    it(`refuse ${what}, and name the argument`, async () => {
      const tools = busTools({ address: bus.address, destination: accountsName });
      const method = `xyz.openbmc_project.Certs.Extension.Accounts.${member}`;
      await assert.rejects(
        tools.call(accountsRoot, method, signature, ...args),
        /The argument \w+ is not valid/,
      );
    });
  }

  it('take no password that is not UTF-8, and no such password opens them', async () => {
    const tools = busTools({ address: bus.address, destination: accountsName });
    const extension = 'xyz.openbmc_project.Certs.Extension.Accounts';
    const bytes = ['9', ...Array(9).fill('255')];
    await assert.rejects(
      tools.call(accountsRoot, `${extension}.SetOperatorPassword`, 'ay', ...bytes),
      /A password is text in UTF-8/,
    );
    const args = ['admin', ...bytes, '', 'test', 'x'];
    const answer = await tools.call(accountsRoot, `${extension}.Authenticate`, 'saysss', ...args);
    assert.match(JSON.stringify(answer), /"wrong"/);
  });
});
