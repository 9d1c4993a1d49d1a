import assert from 'node:assert/strict';
import { join } from 'node:path';
import { beforeEach, describe, it, mock } from 'node:test';
import type { Accounts } from '../../../src/identity/accounts/accounts.ts';
import type { GuardedUsers } from '../../../src/identity/accounts/guarded-users.ts';
import { accountsAt, guarded } from '../../fakes/accounts.ts';
import { recordedAudit } from '../../fakes/recorded-audit.ts';
import { scratchDirectory } from '../../storage/scratch.ts';

const scratch = scratchDirectory();
const right = 'a right password';
let accounts: Accounts;
let users: GuardedUsers;
let lines: string[];
let told: number;

beforeEach(async () => {
  const { audit, auditLines } = recordedAudit();
  lines = auditLines;
  told = 0;
  accounts = accountsAt(join(scratch(), 'accounts.json'));
  for (const name of ['bob', 'eve']) await accounts.setPassword(name, 'Administrator', right);
  await accounts.policy.change({ lockoutThreshold: 2, lockoutSeconds: 300 });
  users = guarded(accounts, { audit, failedLogins: { entries: 10, perAddress: 4 } });
  users.onLock(() => {
    told += 1;
  });
});

const login = async (userName: string, password: string, address = '192.0.2.7') => {
  const attempt = { userName, address, edge: 'redfish', id: '0123456789ab' };
  return (await users.login(attempt, password)).kind;
};
const lockOut = async (name: string, address?: string) => {
  for (const guess of ['one', 'two']) await login(name, guess, address);
};
const isLocked = async (name: string) => (await users.find(name))?.locked;

describe('a lock', () => {
  it('has a line that says at which edge, in which login, and for how long', async () => {
    await lockOut('bob');
    const fields = {
      ...{ user: 'bob', address: '192.0.2.7', edge: 'redfish', attempt: '0123456789ab' },
      ...{ of: 'account', seconds: 300 },
    };
    assert.deepEqual(lines, [`warn audit: lockout begun ${JSON.stringify(fields)}`]);
    assert.equal(told, 1);
    assert.deepEqual([await login('bob', right), await login('eve', right)], ['locked', 'ok']);
  });

  it('of an address has a line, too, and counts for every name', async () => {
    for (const name of ['a', 'b', 'c', 'd']) await login(name, 'guess');
    assert.match(lines.at(-1) ?? '', /lockout begun .*"user":"d".*"of":"address","seconds":1}$/);
    assert.equal(await login('bob', right), 'locked');
    assert.equal(await login('bob', right, '192.0.2.8'), 'ok');
  });

  it('has a line when its time is over', async (test) => {
    mock.timers.enable({ apis: ['setTimeout'] });
    test.after(() => mock.timers.reset());
    await lockOut('bob');
    mock.timers.tick(299_999);
    assert.equal(lines.length, 1);
    mock.timers.tick(1);
    const fields = { user: 'bob', address: '192.0.2.7', of: 'account', reason: 'expired' };
    assert.equal(lines.at(-1), `info audit: lockout ended ${JSON.stringify(fields)}`);
    assert.equal(told, 2);
  });

  const ends: Readonly<Record<string, () => Promise<unknown>>> = {
    'an administrator takes it away': () => users.changes.update('bob', { locked: false }),
    'the user gets another password': () => users.changes.update('bob', { password: 'new-pw-1' }),
  };
  for (const [what, end] of Object.entries(ends)) {
    it(`ends with a line when ${what}`, async () => {
      await lockOut('bob');
      assert.equal(await isLocked('bob'), true);
      await end();
      assert.equal(await isLocked('bob'), false);
      assert.match(lines.at(-1) ?? '', /lockout ended .*"reason":"unlocked"}$/);
    });
  }

  it('is of nobody who gets the name later', async () => {
    await lockOut('bob');
    await users.changes.update('bob', { userName: 'robert' });
    assert.equal(await login('robert', right), 'ok');
    await lockOut('robert', '192.0.2.8');
    await users.changes.remove('robert');
    const made = { userName: 'robert', password: right, role: 'ReadOnly', enabled: true } as const;
    await users.changes.create({ ...made, passwordChangeRequired: false });
    assert.equal(await login('robert', right, '192.0.2.8'), 'ok');
  });
});

describe('a new name or password', () => {
  const refusals: readonly [string, object, string][] = [
    ['a name with a space', { userName: 'b b' }, 'name-refused'],
    ['a short password', { password: 'short' }, 'password-refused'],
    [
      'the new name as the password',
      { userName: 'robert42', password: 'robert42' },
      'password-refused',
    ],
  ];
  for (const [what, change, code] of refusals) {
    it(`is refused by the rules: ${what}`, async () => {
      await assert.rejects(users.changes.update('bob', change), { code });
      assert.equal(await login('bob', right), 'ok');
    });
  }
});
