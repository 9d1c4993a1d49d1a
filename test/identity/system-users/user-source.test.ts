import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { BusSystemUsers } from '../../../src/dbus/peers/user-manager.ts';
import { Accounts } from '../../../src/identity/accounts/accounts.ts';
import type { Passwords } from '../../../src/identity/accounts/passwords.ts';
import {
  type UserOwnedData,
  UserSource,
  type UserSourceOptions,
} from '../../../src/identity/system-users/user-source.ts';
import type { SystemUsers } from '../../../src/platform/system-users.ts';
import { until } from '../../e2e/commands.ts';
import { type PrivateBus, startPrivateBus } from '../../fakes/private-bus.ts';
import { type FakeUserManager, startFakeUserManager } from '../../fakes/user-manager.ts';

const log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** Everybody's password of the system is `pam`. */
const pam: Passwords = {
  check: async (_name, password) => (password === 'pam' ? 'right' : 'wrong'),
  set: async () => undefined,
  forget: async () => undefined,
};

describe('where the users are', () => {
  let bus: PrivateBus;
  let manager: FakeUserManager;
  let users: BusSystemUsers;
  let directory: string;
  let accounts: Accounts;
  let recordPath: string;

  before(async () => {
    bus = await startPrivateBus();
    manager = await startFakeUserManager(bus.address);
  });

  after(async () => {
    manager.leave();
    await bus.stop();
  });

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'user-source-'));
    recordPath = join(directory, 'users-source');
    accounts = new Accounts(join(directory, 'accounts.json'), 10);
    await accounts.setPassword('both', 'ReadOnly', 'file');
    await accounts.setPassword('file-only', 'Administrator', 'file');
    for (const name of [...manager.users.keys()]) manager.removeUser(name);
    manager.addUser('both', { privilege: 'priv-admin' });
    manager.addUser('bus_only', { privilege: 'priv-admin' });
    users = new BusSystemUsers({ busAddress: bus.address, log });
    await users.start();
  });

  afterEach(() => {
    users.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const open = (
    source: UserSourceOptions['source'],
    passwords?: Passwords,
    ofUsers: UserOwnedData = { end: () => undefined, store: async () => undefined },
  ) => {
    const opened = new UserSource({ source, accounts, users, passwords, recordPath, log });
    opened.onSwitch(ofUsers);
    opened.start();
    return opened;
  };
  const comesIn = async (source: UserSource, userName: string, password: string) => {
    const outcome = await source.login(userName, password, '');
    return 'user' in outcome ? outcome.user.role : outcome.kind;
  };

  const rows = [
    ['file', undefined, 'ReadOnly', 'wrong', 'wrong'],
    ['file', pam, 'ReadOnly', 'wrong', 'wrong'],
    ['auto', undefined, 'ReadOnly', 'wrong', 'wrong'],
    ['auto', pam, 'wrong', 'Administrator', 'Administrator'],
    ['bus', pam, 'wrong', 'Administrator', 'Administrator'],
    ['bus', undefined, 'Administrator', 'wrong', 'wrong'],
  ] as const;
  for (const [source, passwords, byFile, byPam, busOnly] of rows) {
    const helper = passwords ? 'a helper' : 'no helper';
    it(`with ${source} and ${helper} it is whose passwords and roles they say`, async () => {
      const opened = open(source, passwords);
      assert.equal(await comesIn(opened, 'both', 'file'), byFile);
      assert.equal(await comesIn(opened, 'both', 'pam'), byPam);
      assert.equal(await comesIn(opened, 'bus_only', 'pam'), busOnly);
      assert.equal(await comesIn(opened, 'bus_only', 'file'), 'wrong');
    });
  }

  it('takes the role and the state of the bus where our file has the passwords', async () => {
    const opened = open('bus');
    assert.equal(await comesIn(opened, 'file-only', 'file'), 'wrong');
    manager.addUser('both', { enabled: false });
    assert.equal(await comesIn(opened, 'both', 'file'), 'disabled');
    manager.addUser('both', { privilege: 'priv-operator' });
    manager.addUser('both', { privilege: 'priv-operator', expired: true });
    await opened.changes?.update('both', { password: 'other' });
    assert.equal(manager.users.get('both')?.expired, false);
    assert.equal(await comesIn(opened, 'both', 'file'), 'wrong');
    assert.equal(await comesIn(opened, 'both', 'other'), 'Operator');
    await opened.changes?.remove('both');
    assert.equal(accounts.has('both'), false);
  });

  it('begins with the file and goes over to the bus when the manager comes', async () => {
    manager.leave();
    await until('the manager is missed', () => !users.isThere);
    let switches = 0;
    const opened = open(
      'auto',
      pam,
      counted(() => {
        switches += 1;
      }),
    );
    assert.equal(await comesIn(opened, 'both', 'file'), 'ReadOnly');
    assert.equal(switches, 0);
    await manager.come();
    await until('the manager is seen', () => users.isThere);
    assert.equal(await comesIn(opened, 'both', 'file'), 'wrong');
    assert.equal(await comesIn(opened, 'both', 'pam'), 'Administrator');
    assert.equal(switches, 1);
    await until('it is written', () => record() === 'bus');
  });

  it('never goes back to the file when the manager goes away, not even over a restart', async () => {
    const opened = open('auto', pam);
    await until('it is written', () => record() === 'bus');
    manager.leave();
    await until('the manager is missed', () => !users.isThere);
    let switches = 0;
    const again = open(
      'auto',
      pam,
      counted(() => {
        switches += 1;
      }),
    );
    for (const one of [opened, again]) {
      await assert.rejects(one.login('file-only', 'file', ''), { code: 'unavailable' });
      await assert.rejects(one.find('both'), { code: 'unavailable' });
    }
    await manager.come();
    await until('the manager is seen', () => users.isThere);
    assert.equal(switches, 0);
  });

  it('tells at its start that other users count than in the last run', async () => {
    writeFileSync(recordPath, 'bus\n');
    let switches = 0;
    const ofUsers = counted(() => {
      switches += 1;
    });
    await open('file', pam, ofUsers).settle();
    assert.deepEqual([switches, record()], [1, 'file']);
    await open('file', pam, ofUsers).settle();
    assert.equal(switches, 1);
  });

  it('has a switch on record only when no file has anything of the users before', async () => {
    const done: string[] = [];
    let isFull = true;
    const ofUsers = {
      end: () => void done.push('ended'),
      async store() {
        if (isFull) throw new Error('no space');
        await sleep(5);
        done.push(`stored while ${record()} is on record`);
      },
    };
    await open('bus', pam, ofUsers).settle();
    assert.deepEqual([done, record()], [['ended'], '']);
    const again = open('bus', pam, ofUsers);
    await again.settle();
    isFull = false;
    await again.settle();
    assert.deepEqual(done, ['ended', 'ended', 'stored while  is on record']);
    assert.equal(record(), 'bus');
  });

  it('lets nobody in with a password that was checked before the users changed', async () => {
    let come: () => void = () => undefined;
    const late: SystemUsers = Object.assign(Object.create(users), {
      onFound(listener: () => void) {
        come = listener;
      },
    });
    const options = { accounts, users: late, passwords: pam, recordPath, log };
    const opened = new UserSource({ source: 'auto', ...options });
    opened.start();
    const outcome = opened.login('both', 'file', '');
    come();
    assert.deepEqual(await outcome, { kind: 'busy' });
  });

  const counted = (end: () => void): UserOwnedData => ({ end, store: async () => undefined });

  function record(): string {
    try {
      return readFileSync(recordPath, 'utf8').trim();
    } catch {
      return '';
    }
  }
});
