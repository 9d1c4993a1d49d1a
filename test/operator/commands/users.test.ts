import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type AccountManagerProcess, startAccountManager } from '../../fakes/account-manager.ts';
import { type OperatorWorld, operatorWorld } from '../../fakes/operator-world.ts';
import { asNobody } from '../../fakes/redfish-process.ts';

let world: OperatorWorld;
let accounts: AccountManagerProcess | undefined;
before(async () => {
  world = await operatorWorld();
  accounts = await startAccountManager(world.configuration);
});
after(async () => {
  await accounts?.stop();
  await world?.close();
});

const secret = 'correct horse battery';
const add = (name: string, ...words: string[]) =>
  world.run(['user', 'add', name, '--password-file', '-', ...words], secret);
const rowOf = async (name: string) => {
  const rows = await world.json('user', 'list');
  assert.ok(Array.isArray(rows));
  return rows.find(({ account }) => account === name);
};

describe('bmc-certs user', () => {
  before(() => add('root', '--role', 'Administrator'));

  it('makes an account with a password of a file, shows it, and removes it', async () => {
    const { stdout, stderr, status } = await add('alice', '--role', 'Operator', '--must-change');
    assert.equal(stdout, 'alice: made, with the role Operator\n', stderr);
    assert.equal(status, 0);
    assert.deepEqual(await rowOf('alice'), {
      account: 'alice',
      role: 'Operator',
      enabled: true,
      locked: false,
      passwordChangeRequired: true,
    });
    assert.match(
      (await world.run(['user', 'list'])).stdout,
      /^ACCOUNT +ROLE +ENABLED +LOCKED +MUST CHANGE\n/,
    );
    assert.equal((await world.run(['user', 'remove', 'alice'])).stdout, 'alice: removed\n');
    assert.equal(await rowOf('alice'), undefined);
  });

  it('gives an account another role', async () => {
    await add('bob', '--disabled');
    const { stdout } = await world.run(['user', 'role', 'bob', 'Administrator']);
    assert.equal(stdout, 'bob: has the role Administrator\n');
    const { role, enabled } = await rowOf('bob');
    assert.deepEqual([role, enabled], ['Administrator', false]);
    await world.run(['user', 'remove', 'bob']);
  });

  it('unlocks an account', async () => {
    const { stdout } = await world.run(['user', 'unlock', 'root']);
    assert.equal(stdout, 'root: unlocked\n');
  });

  const bad: readonly (readonly [words: string, status: number, says: RegExp])[] = [
    ['remove nobody-there', 3, /^not-found: .*; bmc-certs user list shows the accounts\.$/],
    ['remove root', 6, /^last-administrator: .*; make another account an administrator first\.$/],
    ['role root ReadOnly', 6, /^last-administrator: /],
    ['role root King', 2, /^ROLE is Administrator, Operator, ReadOnly, not "King"\.$/],
    ['add root --password-file -', 6, /^exists: .*; take another name\.$/],
    ['add carol', 2, /^--password-file is missing; /],
  ];
  for (const [words, status, says] of bad) {
    it(`refuses "${words}" with status ${status}`, async () => {
      const outcome = await world.run(['user', ...words.split(' ')], secret);
      assert.match(outcome.stderr.trimEnd(), says);
      assert.deepEqual([outcome.status, outcome.stdout], [status, '']);
    });
  }

  it('names the rule that a password breaks, and never the password', async () => {
    const { status, stderr } = await world.run(
      ['user', 'add', 'dave', '--password-file', '-'],
      'abc',
    );
    assert.equal(status, 5);
    assert.match(stderr, /^password-refused: .*; choose another password\.\n$/);
    assert.doesNotMatch(stderr, /abc/);
  });

  it('tells an ordinary user that root is needed', { skip: process.getuid?.() !== 0 }, async () => {
    const { status, stderr } = await world.run(['user', 'list'], '', asNobody);
    assert.equal(status, 4);
    assert.match(stderr, /; run bmc-certs as root/);
  });

  it('says where there is no account manager', async () => {
    await accounts?.stop();
    const { status, stderr } = await world.run(['user', 'list']);
    assert.equal(status, 7);
    assert.match(
      stderr,
      /^unavailable: there is no account manager on the bus; look at systemctl /,
    );
    accounts = await startAccountManager(world.configuration);
  });

  it('takes no password from the command line', async () => {
    const { status, stderr } = await world.run(['user', 'add', 'erin', '--password', secret]);
    assert.equal(status, 2);
    assert.match(stderr, /Unknown option '--password'/);
  });
});
