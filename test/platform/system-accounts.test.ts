import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { SetupError } from '../../src/core/setup-error.ts';
import { readSystemAccounts } from '../../src/platform/system-accounts.ts';
import { removeDirectory, temporaryDirectory } from '../e2e/stack.ts';

describe('the accounts of the system', () => {
  const root = `${temporaryDirectory()}/`;
  mkdirSync(join(root, 'etc'));
  writeFileSync(
    join(root, 'etc/passwd'),
    'root:x:0:0:root:/root:/bin/sh\nbmcweb:x:996:995::/:/bin/false\nbroken\nbad:x:many:1::/:\n\n',
  );
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\nredfish:x:995:bmcweb,admin\nbroken\n');
  after(() => removeDirectory(root));
  const accounts = readSystemAccounts(root);

  it('have the numbers of users', () => {
    assert.equal(accounts.userId('root', '/access'), 0);
    assert.equal(accounts.userId('bmcweb', '/access'), 996);
  });

  it('have the numbers of groups', () => {
    assert.equal(accounts.groupId('root', '/access'), 0);
    assert.equal(accounts.groupId('redfish', '/access'), 995);
  });

  for (const name of ['nobody-here', 'redfish', 'broken', 'bad', '', 'bmc']) {
    it(`refuse a user that is not there: "${name}"`, () => {
      assert.throws(
        () => accounts.userId(name, '/access'),
        (error: unknown) => error instanceof SetupError && error.message.includes(`user ${name}`),
      );
    });
  }

  for (const name of ['bmcweb', 'x', 'broken']) {
    it(`refuse a group that is not there: "${name}"`, () => {
      assert.throws(
        () => accounts.groupId(name, '/access'),
        (error: unknown) => error instanceof SetupError && error.message.includes(`group ${name}`),
      );
    });
  }

  it('are those of this machine when nothing else is said', () => {
    assert.equal(readSystemAccounts().userId('root', '/access'), 0);
    assert.equal(readSystemAccounts().groupId('root', '/access'), 0);
  });
});
