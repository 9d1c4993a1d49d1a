import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { Accounts } from '../../../src/redfish/access/accounts.ts';

describe('accounts', () => {
  const directory = mkdtempSync(join(tmpdir(), 'accounts-'));
  const path = join(directory, 'deep/accounts.json');

  after(() => rmSync(directory, { recursive: true }));

  it('are kept in a file that only its owner reads and that holds no password', async () => {
    await new Accounts(path, 1).setPassword('admin', 'Administrator', 'p4ssw0rd-p4ssw0rd');
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.ok(!readFileSync(path, 'utf8').includes('p4ssw0rd'));
  });

  it('let in whoever knows the password, also after a restart', async () => {
    const accounts = new Accounts(path, 1);
    const account = { userName: 'admin', role: 'Administrator' };
    assert.deepEqual(await accounts.login('admin', 'p4ssw0rd-p4ssw0rd'), account);
    assert.equal(await accounts.login('admin', 'p4ssw0rd'), undefined);
    assert.equal(await accounts.login('admin', ''), undefined);
    assert.equal(await accounts.login('nobody', ''), undefined);
    assert.equal(await accounts.login('__proto__', ''), undefined);
  });

  it('forget the old password when there is a new one', async () => {
    const accounts = new Accounts(path, 1);
    await accounts.setPassword('admin', 'Operator', 'another one');
    assert.equal(await accounts.login('admin', 'p4ssw0rd-p4ssw0rd'), undefined);
    assert.equal((await accounts.login('admin', 'another one'))?.role, 'Operator');
  });

  for (const text of ['', 'not JSON', '{}', '{"accounts":[{"userName":"a"}]}', '{"accounts":{}}']) {
    it(`refuse a file with ${text || 'nothing'} in it rather than begin anew`, () => {
      const damaged = join(directory, 'damaged.json');
      writeFileSync(damaged, text);
      assert.throws(() => new Accounts(damaged, 1), { name: 'SetupError' });
    });
  }
});
