import assert from 'node:assert/strict';
import {
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type PrivateBus, startPrivateBus } from '../fakes/private-bus.ts';
import {
  asNobody,
  type RedfishFiles,
  type RedfishProcess,
  redfishFiles,
  storedAccounts,
} from '../fakes/redfish-process.ts';

const password = 'correct-horse';
const isRoot = process.getuid?.() === 0;

let bus: PrivateBus;
let running: RedfishProcess | undefined;
beforeEach(async () => {
  bus = await startPrivateBus();
});
afterEach(async () => {
  await running?.stop();
  running = undefined;
  await bus.stop();
});

const mustSet = async (files: RedfishFiles, text: string) => {
  const { status, stdout, stderr } = await files.setPassword(text);
  assert.equal(status, 0, stderr);
  return stdout;
};

describe('set-password', () => {
  const rules: readonly { what: string; text: string; rule: RegExp }[] = [
    { what: 'short', text: 'short', rule: /has at least 10 characters/ },
    { what: 'long', text: 'x1'.repeat(11), rule: /has at most 20 characters/ },
    { what: 'with control characters', text: 'correct\thorse', rule: /no control characters/ },
    { what: 'that anybody would guess', text: 'password123', rule: /among the first/ },
  ];
  for (const { what, text, rule } of rules) {
    it(`refuses a password ${what}, names the rule, and changes nothing`, async () => {
      const policy = { minPasswordLength: 10, maxPasswordLength: 20 };
      const files = redfishFiles(bus, { policy });
      const { status, stderr } = await files.setPassword(text);
      assert.equal(status, 5);
      assert.match(stderr, rule);
      assert.match(stderr, /^The password is refused: .*\.\n$/);
      assert.ok(!existsSync(files.accounts));
    });
  }

  it('has the rules that clients have set', async () => {
    const files = redfishFiles(bus);
    const rules = (minPasswordLength: number) => {
      mkdirSync(dirname(files.accounts), { recursive: true, mode: 0o700 });
      writeFileSync(
        files.accounts,
        JSON.stringify({ accounts: [], policy: { minPasswordLength } }),
      );
    };
    rules(15);
    assert.match((await files.setPassword(password)).stderr, /at least 15 characters/);
    rules(5);
    await mustSet(files, 'horse');
  });

  it('sets nothing where PAM has the passwords, and says who does', async () => {
    const users = { source: 'bus', passwordHelper: '/bin/false' };
    const { status, stderr } = await redfishFiles(bus, users).setPassword(password);
    assert.equal(status, 1);
    assert.match(stderr, /set their passwords with passwd/);
  });

  it('opens the service to an operator who has locked himself out, at once and at the same address', async () => {
    const files = redfishFiles(bus, { policy: { lockoutThreshold: 3 } });
    await mustSet(files, 'forgotten-long-ago');
    running = await files.start();
    for (const _ of [1, 2, 3]) assert.equal(await running.login('admin', 'a guess'), '401');
    assert.equal(await running.login('admin', 'forgotten-long-ago'), '401', 'locked');
    await mustSet(files, password);
    assert.equal(await running.login('admin', password), '201');
    assert.equal(await running.login('admin', 'forgotten-long-ago'), '401');
  });

  const ordinary = { userName: 'admin', role: 'Administrator' };
  const losses = [
    { what: 'disabled', change: { enabled: false } },
    { what: 'demoted', change: { role: 'ReadOnly' } },
    { what: 'to change its password first', change: { passwordChangeRequired: true } },
    { what: 'deleted', change: { userName: 'other' } },
  ];
  for (const { what, change } of losses) {
    it(`makes an account that is ${what} an administrator again`, async () => {
      const files = redfishFiles(bus);
      await mustSet(files, 'forgotten-long-ago');
      const [before] = storedAccounts(files);
      const accounts = [{ ...before, ...change }];
      writeFileSync(files.accounts, JSON.stringify({ accounts }));
      assert.match(await mustSet(files, password), /account admin is an enabled administrator/);
      const admin = storedAccounts(files).find(({ userName }) => userName === 'admin');
      const unknown = { password: undefined, passwordStamp: undefined };
      assert.deepEqual({ ...admin, ...unknown }, { ...ordinary, ...unknown });
      running = await files.start();
      assert.equal(await running.login('admin', password), '201');
    });
  }

  it('makes no second account whose name differs by case alone', async () => {
    const files = redfishFiles(bus);
    await mustSet(files, password);
    const accounts = [{ ...storedAccounts(files)[0], userName: 'Admin' }];
    writeFileSync(files.accounts, JSON.stringify({ accounts }));
    assert.match(await mustSet(files, password), /account Admin is/);
    assert.deepEqual(
      storedAccounts(files).map(({ userName }) => userName),
      ['Admin'],
    );
  });
});

describe('set-password by root for a service of another user', { skip: !isRoot }, () => {
  const ownerOf = (path: string) => {
    const { uid, gid, mode } = statSync(path);
    return `${uid}:${gid} ${(mode & 0o777).toString(8)}`;
  };

  it('leaves files that the service can read, and the service lets the operator in', async () => {
    const files = redfishFiles(bus, {}, asNobody);
    await mustSet(files, password);
    assert.equal(ownerOf(files.accounts), '65534:65534 600');
    running = await files.start();
    assert.equal(await running.login('admin', password), '201');
    await mustSet(files, 'another-horse');
    assert.equal(await running.login('admin', 'another-horse'), '201');
  });

  it('gives a file back to the service that was left as root’s', async () => {
    const files = redfishFiles(bus, {}, asNobody);
    await mustSet(files, password);
    chownSync(files.accounts, 0, 0);
    await mustSet(files, password);
    assert.equal(ownerOf(files.accounts), '65534:65534 600');
  });

  it('keeps the owner of the file where the directory is root’s', async () => {
    const files = redfishFiles(bus);
    await mustSet(files, password);
    chownSync(files.accounts, 65534, 65534);
    await mustSet(files, password);
    assert.equal(ownerOf(files.accounts), '65534:65534 600');
  });

  it('makes a directory that belongs to the owner of the one that it is in', async () => {
    const files = redfishFiles(bus);
    chownSync(files.state, 65534, 65534);
    const nested = join(files.state, 'a', 'b');
    const document = JSON.parse(readFileSync(files.configuration, 'utf8'));
    const changed = JSON.stringify({ ...document, users: { directory: join(nested, 'accounts') } });
    writeFileSync(files.configuration, changed);
    await mustSet(files, password);
    for (const one of [join(nested, 'accounts'), nested, join(files.state, 'a')]) {
      assert.equal(ownerOf(one), '65534:65534 700');
    }
    assert.equal(ownerOf(join(nested, 'accounts', 'accounts.json')), '65534:65534 600');
  });

  it('opens and makes nothing where the service’s user has put a link in place of the lock', async () => {
    const files = redfishFiles(bus, {}, asNobody);
    const [secret, absent] = ['secret', 'absent'].map((name) => join(bus.directory, name));
    assert.ok(secret && absent);
    writeFileSync(secret, 'x', { mode: 0o600 });
    await mustSet(files, password);
    for (const target of [secret, absent]) {
      symlinkSync(target, `${files.accounts}.lock`);
      await mustSet(files, password);
      rmSync(`${files.accounts}.lock`);
    }
    assert.equal(ownerOf(secret), '0:0 600');
    assert.ok(!existsSync(absent));
  });
});
