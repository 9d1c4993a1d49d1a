import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { until } from '../../e2e/commands.ts';
import { type OperatorWorld, operatorWorld } from '../../fakes/operator-world.ts';

let world: OperatorWorld;
before(async () => {
  world = await operatorWorld();
});
after(() => world?.close());

const statusOf = async () => Object(await world.json('status', 'server/https'))[0];
const subject = async () => Object(await world.json('show', 'server/https'))[0].subject;
const pair = (name: string) => {
  const { authority } = world;
  const { key, path } = authority.issue({ issuer: authority.issueCa(), subject: `/CN=${name}` });
  return [path, authority.write(`${name}.key`, key)];
};
const must = async (...words: string[]) => {
  const { status, stdout, stderr } = await world.run(words);
  assert.equal(status, 0, stderr);
  return stdout;
};

describe('a change that undoes itself, by commands', () => {
  before(() => must('replace', 'server/https', ...pair('old')));
  afterEach(async () => {
    await world.run(['rollback', 'server/https']);
  });

  it('is staged, activated and committed by commands that end in between', async () => {
    const staged = await must('stage', 'server/https', ...pair('next'));
    assert.match(
      staged,
      /^server\/https: staged, rolled back at \d{4}-\S+Z unless it is committed\n$/,
    );
    assert.equal(await subject(), 'CN=old');
    assert.equal((await statusOf()).replacement, 'Staged');
    const active = await must('activate', 'server/https', '--seconds', '600');
    assert.match(active, /^server\/https: active, rolled back at /);
    assert.equal(await subject(), 'CN=next');
    assert.equal(await must('commit', 'server/https'), 'server/https: committed\n');
    assert.equal((await statusOf()).replacement, 'None');
    assert.equal(await subject(), 'CN=next');
    await must('replace', 'server/https', ...pair('old'));
  });

  it('is rolled back by a command, and at its deadline', async () => {
    await must('stage', 'server/https', ...pair('next'));
    await must('activate', 'server/https');
    assert.equal(await must('rollback', 'server/https'), 'server/https: rolled back\n');
    assert.equal(await subject(), 'CN=old');
    await must('stage', 'server/https', ...pair('next'));
    await must('activate', 'server/https', '--seconds', '1');
    await until('it is rolled back', async () => (await statusOf()).replacement === 'None');
    assert.equal(await subject(), 'CN=old');
  });

  it('takes the CAs of its clients along', async () => {
    const ca = world.authority.issueCa({ subject: '/CN=along' });
    await must('stage', 'server/https', ...pair('next'), '--bundle', ca.path);
    await must('activate', 'server/https');
    assert.equal(Object(await world.json('trust', 'list'))[0].subject, 'CN=along');
    await must('rollback', 'server/https');
    assert.deepEqual(await world.json('trust', 'list'), []);
  });

  it('keeps other changes out, which are told how to end it', async () => {
    await must('stage', 'server/https', ...pair('next'));
    const { status, stderr } = await world.run(['replace', 'server/https', ...pair('other')]);
    assert.equal(status, 6);
    assert.match(stderr, /; bmc-certs commit or bmc-certs rollback ends it\.\n$/);
  });

  for (const command of ['activate', 'commit', 'rollback']) {
    it(`cannot be ended by ${command} where none is staged`, async () => {
      const { status, stderr } = await world.run([command, 'server/https']);
      assert.equal(status, 3);
      assert.match(stderr, /^not-found: there is no such replacement/);
    });
  }
});
