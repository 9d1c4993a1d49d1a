import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { Accounts } from '../../../src/identity/accounts/accounts.ts';

/** With cheap hashes: none of these tests is about how long a hash takes. */
function openAccounts(path: string, max: number, log?: { error(message: string): void }): Accounts {
  return new Accounts(path, max, log, 2 ** 8);
}

describe('accounts', () => {
  const directory = mkdtempSync(join(tmpdir(), 'accounts-'));
  const path = join(directory, 'deep/accounts.json');

  after(() => rmSync(directory, { recursive: true }));

  it('are kept in a file that only its owner reads and that holds no password', async () => {
    await openAccounts(path, 1).setPassword('admin', 'Administrator', 'p4ssw0rd-p4ssw0rd');
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.ok(!readFileSync(path, 'utf8').includes('p4ssw0rd'));
  });

  const outcome = async (accounts: Accounts, userName: string, password: string) =>
    (await accounts.login(userName, password)).kind;

  it('let in whoever knows the password, also after a restart', async () => {
    const accounts = openAccounts(path, 1);
    const login = await accounts.login('admin', 'p4ssw0rd-p4ssw0rd');
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
    const accounts = openAccounts(path, 1);
    await accounts.setPassword('admin', 'Administrator', 'another one');
    assert.equal(await outcome(accounts, 'admin', 'p4ssw0rd-p4ssw0rd'), 'wrong');
    assert.equal(await outcome(accounts, 'admin', 'another one'), 'ok');
  });

  it('take changes one after the other, so that none is lost', async () => {
    const many = join(directory, 'many.json');
    const accounts = openAccounts(many, 3);
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
      (await openAccounts(many, 3).list()).map(({ userName }) => userName),
      ['c3'],
    );
  });

  const shared = (name: string) => {
    const file = join(directory, name);
    const made = () => openAccounts(file, 5);
    return { file, made };
  };
  const bob = {
    userName: 'bob',
    password: 'password of bob',
    role: 'ReadOnly',
    enabled: true,
    passwordChangeRequired: false,
  } as const;

  it('have the password that another program set, at once and for good', async () => {
    const { made } = shared('reset.json');
    await made().setPassword('admin', 'Administrator', 'the old one');
    const running = made();
    await running.changes.create(bob);
    await made().setPassword('admin', 'Administrator', 'the new one');
    assert.equal(await outcome(running, 'admin', 'the old one'), 'wrong');
    assert.equal(await outcome(running, 'admin', 'the new one'), 'ok');
    await made().setPassword('admin', 'Administrator', 'a newer one');
    await running.changes.update('bob', { role: 'Operator' });
    assert.equal(await outcome(made(), 'admin', 'a newer one'), 'ok');
    assert.equal((await made().find('bob'))?.role, 'Operator');
  });

  it('keep both changes when two programs make them at once', async () => {
    const { made } = shared('at-once.json');
    await made().setPassword('admin', 'Administrator', 'the old one');
    await made().changes.create(bob);
    for (let round = 0; round < 5; round += 1) {
      const role = round % 2 === 0 ? 'Operator' : 'ReadOnly';
      await Promise.all([
        made().changes.update('bob', { role }),
        made().changes.update('admin', { passwordChangeRequired: round % 2 === 0 }),
      ]);
      const [admin, other] = [await made().find('admin'), await made().find('bob')];
      assert.deepEqual([admin?.passwordChangeRequired, other?.role], [round % 2 === 0, role]);
    }
  });

  it('keep what another program writes while the hash of a new password is made', async () => {
    const { file, made } = shared('meanwhile.json');
    await made().setPassword('admin', 'Administrator', 'the old one');
    const running = made();
    const other = openAccounts(`${file}.other`, 5);
    await other.setPassword('admin', 'Administrator', 'the old one');
    await other.changes.create(bob);
    const changed = running.changes.update('admin', { password: 'the new one' });
    await new Promise((resolve) => setImmediate(resolve));
    renameSync(`${file}.other`, file);
    await changed;
    assert.deepEqual((await made().list()).map(({ userName }) => userName).sort(), [
      'admin',
      'bob',
    ]);
  });

  it('are there though there were none at the start, and gone with their file', async () => {
    const { file, made } = shared('later.json');
    const running = made();
    assert.equal(running.isEmpty, true);
    await made().setPassword('admin', 'Administrator', 'the new one');
    assert.equal(running.isEmpty, false);
    assert.equal(await outcome(running, 'admin', 'the new one'), 'ok');
    rmSync(file);
    assert.equal(running.isEmpty, true);
  });

  it('stay as they were when their file is damaged, which is not written over', async () => {
    const { file, made } = shared('broken.json');
    await made().setPassword('admin', 'Administrator', 'the old one');
    const lines: string[] = [];
    const running = openAccounts(file, 5, { error: (line) => lines.push(line) });
    writeFileSync(file, '{"accounts":[');
    assert.equal(await outcome(running, 'admin', 'the old one'), 'ok');
    assert.equal(lines.length, 1);
    await assert.rejects(running.changes.create(bob), { name: 'SetupError' });
    assert.equal(readFileSync(file, 'utf8'), '{"accounts":[');
  });

  it('count as another program wrote them, though the disk did not answer at first', {
    skip: process.getuid?.() !== 0,
  }, async () => {
    const { file, made } = shared('unread.json');
    await made().setPassword('admin', 'Administrator', 'the old one');
    const running = openAccounts(file, 5, { error: () => undefined });
    await made().setPassword('admin', 'Administrator', 'the new one');
    process.seteuid?.(65534);
    try {
      assert.equal(await outcome(running, 'admin', 'the old one'), 'ok');
      await assert.rejects(running.changes.create(bob));
    } finally {
      process.seteuid?.(0);
    }
    assert.equal(await outcome(running, 'admin', 'the new one'), 'ok');
  });

  for (const text of ['', 'not JSON', '{}', '{"accounts":[{"userName":"a"}]}', '{"accounts":{}}']) {
    it(`refuse a file with ${text || 'nothing'} in it rather than begin anew`, () => {
      const damaged = join(directory, 'damaged.json');
      writeFileSync(damaged, text);
      assert.throws(() => openAccounts(damaged, 1), { name: 'SetupError' });
    });
  }
});
