import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { Accounts } from '../../../src/identity/accounts/accounts.ts';
import type { Rename } from '../../../src/identity/accounts/user-directory.ts';
import { accountsAt, usualPolicy } from '../../fakes/accounts.ts';

describe('accounts', () => {
  const directory = mkdtempSync(join(tmpdir(), 'accounts-'));
  const path = join(directory, 'deep/accounts.json');

  after(() => rmSync(directory, { recursive: true }));

  it('are kept in a file that only its owner reads and that holds no password', async () => {
    await accountsAt(path, { max: 1 }).setPassword('admin', 'Administrator', 'p4ssw0rd-p4ssw0rd');
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.ok(!readFileSync(path, 'utf8').includes('p4ssw0rd'));
  });

  const outcome = async (accounts: Accounts, userName: string, password: string) =>
    (await accounts.checkPassword(userName, password)).kind;

  it('let in whoever knows the password, also after a restart', async () => {
    const accounts = accountsAt(path, { max: 1 });
    const login = await accounts.checkPassword('admin', 'p4ssw0rd-p4ssw0rd');
    assert.equal('user' in login && login.user.role, 'Administrator');
    for (const [userName, password] of [
      ['admin', 'p4ssw0rd'],
      ['admin', ''],
      ['Admin', 'p4ssw0rd-p4ssw0rd'],
      ['nobody', ''],
      ['__proto__', ''],
    ] as const) {
      assert.equal(await outcome(accounts, userName, password), 'wrong');
    }
  });

  it('forget the old password when there is a new one', async () => {
    const accounts = accountsAt(path, { max: 1 });
    await accounts.setPassword('admin', 'Administrator', 'another one');
    assert.equal(await outcome(accounts, 'admin', 'p4ssw0rd-p4ssw0rd'), 'wrong');
    assert.equal(await outcome(accounts, 'admin', 'another one'), 'ok');
  });

  it('take changes one after the other, so that none is lost', async () => {
    const many = join(directory, 'many.json');
    const accounts = accountsAt(many, { max: 3 });
    const make = (userName: string) =>
      accounts.changes.create({
        userName,
        password: 'a long password',
        role: 'Administrator',
        enabled: true,
        passwordChangeRequired: false,
      });
    const made = await Promise.allSettled(['a1', 'A1', 'b2', 'c3', 'd4'].map(make));
    assert.deepEqual(
      made.map((one) => (one.status === 'rejected' ? one.reason.code : one.value.userName)),
      ['a1', 'exists', 'b2', 'c3', 'limit'],
    );
    const gone = await Promise.allSettled(['a1', 'b2', 'c3'].map(accounts.changes.remove));
    assert.equal(gone.filter(({ status }) => status === 'rejected').length, 1);
    assert.deepEqual(
      (await accountsAt(many, { max: 3 }).list()).map(({ userName }) => userName),
      ['c3'],
    );
  });

  it('are in the file as they were until a change is written whole', async () => {
    const file = join(directory, 'crash.json');
    const running = accountsAt(file);
    await running.setPassword('admin', 'Administrator', 'the old one');
    const changed = running.setPassword('admin', 'Administrator', 'the new one');
    const meanwhile = accountsAt(file);
    assert.equal(await outcome(meanwhile, 'admin', 'the old one'), 'ok');
    await changed;
    assert.equal(await outcome(accountsAt(file), 'admin', 'the new one'), 'ok');
  });

  it('have another stamp after each change of a password, also to the same one, and after no other change', async () => {
    const accounts = accountsAt(join(directory, 'stamps.json'));
    const stamps: (string | undefined)[] = [];
    for (const _ of [1, 2]) {
      await accounts.setPassword('admin', 'Administrator', 'the same one');
      stamps.push(accounts.passwordStamp('admin'));
    }
    await accounts.changes.update('admin', { passwordChangeRequired: true });
    stamps.push(accounts.passwordStamp('admin'));
    assert.notEqual(stamps[0], stamps[1]);
    assert.equal(stamps[1], stamps[2]);
  });

  it('have rules that survive a restart, and refuse rules that contradict each other', async () => {
    const file = join(directory, 'rules.json');
    const accounts = accountsAt(file);
    await accounts.policy.change({ minPasswordLength: 12 });
    assert.deepEqual(accountsAt(file).rules, { ...usualPolicy, minPasswordLength: 12 });
    for (const members of [{ maxPasswordLength: 11 }, { lockoutSeconds: 299 }]) {
      await assert.rejects(accounts.policy.change(members), { code: 'rule-refused' });
    }
    // What the next start could not read
    await assert.rejects(accounts.policy.change({ lockoutThreshold: 1001 }), {
      code: 'rule-refused',
    });
    assert.deepEqual(accountsAt(file).rules, { ...usualPolicy, minPasswordLength: 12 });
  });

  it('tell of a new name before they are found by it, of a removal, and of the last thousand of both after a restart', async () => {
    const file = join(directory, 'renames.json');
    await accountsAt(file).setPassword('n1000', 'Administrator', 'a long password');
    const renames = Array.from({ length: 1000 }, (_, at) => {
      return { serial: at + 1, from: `n${at}`, to: `n${at + 1}` };
    });
    const before = JSON.parse(readFileSync(file, 'utf8'));
    writeFileSync(file, JSON.stringify({ ...before, renames }));
    const accounts = accountsAt(file);
    await accounts.setPassword('other', 'Administrator', 'a long password');
    const told: string[] = [];
    accounts.onRename(({ to }) => told.push(`${to} ${accounts.passwordStamp(to) === undefined}`));
    await accounts.changes.update('n1000', { userName: 'last' });
    await accounts.changes.remove('last');
    assert.deepEqual(told.slice(1000), ['last true', ' true']);
    const kept: Rename[] = [];
    accountsAt(file).onRename((one) => kept.push(one));
    assert.deepEqual([kept.length, kept[0]?.serial], [1000, 3]);
    assert.deepEqual(kept.at(-1), { serial: 1002, from: 'last', to: '' });
  });

  for (const text of ['', 'not JSON', '{}', '{"accounts":[{"userName":"a"}]}', '{"accounts":{}}']) {
    it(`refuse a file with ${text || 'nothing'} in it rather than begin anew`, () => {
      const damaged = join(directory, 'damaged.json');
      writeFileSync(damaged, text);
      assert.throws(() => accountsAt(damaged, { max: 1 }), { name: 'SetupError' });
    });
  }
});
