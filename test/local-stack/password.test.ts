import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { loginName, preparePassword } from '../../src/local-stack/password.ts';
import { parseConfiguration } from '../../src/platform/configuration.ts';
import { removeDirectory, temporaryDirectory } from '../e2e/stack.ts';
import { accountsAt, has } from '../fakes/accounts.ts';

describe('the password of the local stack', () => {
  let directory: string;
  let file: string;

  beforeEach(() => {
    directory = temporaryDirectory();
    file = join(directory, 'password');
  });
  afterEach(() => removeDirectory(directory));

  const configured = (users: object = {}) =>
    parseConfiguration(JSON.stringify({ stateDirectory: directory, users }), 'of the test');
  const path = () => join(directory, 'accounts', 'accounts.json');
  const accountsThere = () => accountsAt(path());
  /** As a start that succeeds: the password is shown, then stored. */
  const first = async () => {
    const made = await preparePassword(configured(), undefined);
    await made?.store();
    return made?.text;
  };

  const opens = async (password: string) =>
    (await accountsThere().checkPassword('admin', password)).kind === 'ok';
  const stored = () =>
    readdirSync(join(directory, 'accounts'))
      .map((name) => readFileSync(join(directory, 'accounts', name), 'utf8'))
      .join('\n');

  it('is random at the first start, told once, and kept as a hash only', async () => {
    const password = await first();
    assert.match(password ?? '', /^[\w-]{16}$/);
    assert.ok(await opens(password ?? ''));
    assert.ok(!stored().includes(password ?? ''));
    assert.equal(await preparePassword(configured(), undefined), undefined);
    assert.ok(await opens(password ?? ''));
  });

  it('is in no file until it was shown, and another one is made by the next start', async () => {
    const lost = await preparePassword(configured(), undefined);
    assert.deepEqual(readdirSync(directory), []);
    const shown = await first();
    assert.notEqual(shown, lost?.text);
    assert.ok(await opens(shown ?? ''));
  });

  const lengths = [
    { policy: { minPasswordLength: 40 }, length: 40 },
    { policy: { minPasswordLength: 4, maxPasswordLength: 10 }, length: 10 },
  ];
  for (const { policy, length } of lengths) {
    it(`is as long as the rules want it: ${JSON.stringify(policy)}`, async () => {
      const made = await preparePassword(configured({ policy }), undefined);
      assert.equal(made?.text.length, length);
      await made?.store();
      assert.ok(await opens(made?.text ?? ''));
    });
  }

  it('is not made where the operator has renamed or deleted the first account', async () => {
    await accountsThere().setPassword('root', 'Administrator', 'correct horse');
    assert.equal(await preparePassword(configured(), undefined), undefined);
    assert.equal(loginName(configured()), 'root');
    assert.equal(has(accountsThere(), 'admin'), false);
  });

  it('is not made where PAM has the passwords', async () => {
    const users = { source: 'bus', passwordHelper: '/bin/false' };
    assert.equal(await preparePassword(configured(users), undefined), undefined);
  });

  const endings = [
    { what: 'as it is', text: 'correct horse' },
    { what: 'without its last line break', text: 'correct horse\n' },
    { what: 'without a line break of Windows', text: 'correct horse\r\n' },
  ];
  for (const { what, text } of endings) {
    it(`is taken from a file ${what}, and is in no other file`, async () => {
      writeFileSync(file, text);
      assert.equal(await preparePassword(configured(), file), undefined);
      assert.ok(await opens('correct horse'));
      assert.ok(!(await opens('correct hors')));
      assert.ok(!stored().includes('correct'));
    });
  }

  it('is stored in a file that only the owner can read', async () => {
    writeFileSync(file, 'correct horse');
    await preparePassword(configured(), file);
    assert.equal(statSync(path()).mode & 0o777, 0o600);
  });

  it('of a file takes the place of an earlier one', async () => {
    const random = await first();
    writeFileSync(file, 'correct horse');
    await preparePassword(configured(), file);
    assert.ok(await opens('correct horse'));
    assert.ok(!(await opens(random ?? '')));
  });

  const bad = [
    {
      what: 'is not there',
      prepare: () => undefined,
      says: /password cannot be read: there is no such file\.$/,
    },
    { what: 'is empty', prepare: () => writeFileSync(file, ''), says: /password is empty\.$/ },
    { what: 'is one line break', prepare: () => writeFileSync(file, '\n'), says: /is empty\.$/ },
    {
      what: 'holds a short password',
      prepare: () => writeFileSync(file, 'short'),
      says: /^The password is refused: A password has at least 8 characters\.$/,
    },
  ];
  for (const { what, prepare, says } of bad) {
    it(`from a file that ${what} is refused, and no account is made`, async () => {
      prepare();
      const message = says;
      await assert.rejects(preparePassword(configured(), file), { message });
      assert.ok(!existsSync(path()));
    });
  }
});
