import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { preparePassword, userName } from '../../src/local-stack/password.ts';
import { Accounts } from '../../src/redfish/access/accounts.ts';
import { removeDirectory, temporaryDirectory } from '../e2e/stack.ts';

describe('the password of the local stack', () => {
  let directory: string;
  let file: string;

  beforeEach(() => {
    directory = temporaryDirectory();
    file = join(directory, 'password');
  });
  afterEach(() => removeDirectory(directory));

  const opens = async (password: string) => {
    const accounts = new Accounts(join(directory, 'accounts.json'), 10);
    return (await accounts.login(userName, password)).kind === 'ok';
  };
  const stored = () =>
    readdirSync(directory)
      .filter((name) => name !== 'password')
      .map((name) => readFileSync(join(directory, name), 'utf8'))
      .join('\n');

  it('is random at the first start, told once, and kept as a hash only', async () => {
    const password = await preparePassword(directory, undefined);
    assert.match(password ?? '', /^[\w-]{16}$/);
    assert.ok(await opens(password ?? ''));
    assert.ok(!stored().includes(password ?? ''));
    assert.equal(await preparePassword(directory, undefined), undefined);
    assert.ok(await opens(password ?? ''));
  });

  it('differs from one device to the next', async () => {
    const other = temporaryDirectory();
    try {
      const passwords = [directory, other].map((one) => preparePassword(one, undefined));
      const [first, second] = await Promise.all(passwords);
      assert.notEqual(first, second);
    } finally {
      removeDirectory(other);
    }
  });

  const endings = [
    { what: 'as it is', text: 'correct horse' },
    { what: 'without its last line break', text: 'correct horse\n' },
    { what: 'without a line break of Windows', text: 'correct horse\r\n' },
  ];
  for (const { what, text } of endings) {
    it(`is taken from a file ${what}, and is in no other file`, async () => {
      writeFileSync(file, text);
      assert.equal(await preparePassword(directory, file), undefined);
      assert.ok(await opens('correct horse'));
      assert.ok(!(await opens('correct hors')));
      assert.ok(!stored().includes('correct'));
    });
  }

  it('is stored in a file that only the owner can read', async () => {
    writeFileSync(file, 'correct horse');
    await preparePassword(directory, file);
    assert.equal(statSync(join(directory, 'accounts.json')).mode & 0o777, 0o600);
  });

  it('of a file takes the place of an earlier one', async () => {
    const first = await preparePassword(directory, undefined);
    writeFileSync(file, 'correct horse');
    await preparePassword(directory, file);
    assert.ok(await opens('correct horse'));
    assert.ok(!(await opens(first ?? '')));
  });

  const bad = [
    { what: 'is not there', prepare: () => undefined, says: /password cannot be read\.$/ },
    { what: 'is empty', prepare: () => writeFileSync(file, ''), says: /password is empty\.$/ },
    { what: 'is one line break', prepare: () => writeFileSync(file, '\n'), says: /is empty\.$/ },
  ];
  for (const { what, prepare, says } of bad) {
    it(`from a file that ${what} is refused, and no account is made`, async () => {
      prepare();
      const message = says;
      await assert.rejects(preparePassword(directory, file), { name: 'SetupError', message });
      assert.ok(!readdirSync(directory).includes('accounts.json'));
    });
  }
});
