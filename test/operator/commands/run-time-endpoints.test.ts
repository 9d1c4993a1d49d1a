import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type OperatorWorld, operatorWorld } from '../../fakes/operator-world.ts';

let world: OperatorWorld;
before(async () => {
  world = await operatorWorld({
    services: [
      { name: 'gnoi', reload: [] },
      { name: 'netconf', reload: [], endpoint: { type: 'server', id: 'a.b-c' } },
    ],
  });
});
after(() => world?.close());

const outputOf = async (...words: string[]) => {
  const { stdout, stderr, status } = await world.run(words);
  assert.equal(status, 0, stderr);
  return stdout;
};

describe('bmc-certs endpoint', () => {
  it('adds endpoints, lists them with their services, and removes them', async () => {
    assert.deepEqual(await world.json('endpoint', 'list'), []);
    assert.equal(await outputOf('endpoint', 'add', 'server/a.b-c'), 'server/a.b-c: added\n');
    await outputOf('endpoint', 'add', 'authority/corporate');
    assert.deepEqual(await world.json('endpoint', 'list'), [
      { endpoint: 'authority/corporate', certificates: 0, services: [] },
      { endpoint: 'server/a.b-c', certificates: 0, services: ['netconf'] },
    ]);
    const removed = await outputOf('endpoint', 'remove', 'authority/corporate');
    assert.equal(removed, 'authority/corporate: removed\n');
    const { status, stderr } = await world.run(['endpoint', 'remove', 'authority/corporate']);
    assert.equal(status, 3, stderr);
  });

  it('names what is wrong with the name of an endpoint', async () => {
    for (const name of ['server', 'server/', 'server/.a', 'other/a', 'server/a/b']) {
      const { status, stderr } = await world.run(['endpoint', 'add', name]);
      assert.equal(status, 2, name);
      assert.match(stderr, /named like server\/gnoi-1/);
    }
  });
});

describe('bmc-certs bind and unbind', () => {
  it('say what the service reads from, and where that is said', async () => {
    await outputOf('endpoint', 'add', 'server/x');
    assert.equal(
      await outputOf('bind', 'gnoi', 'server/x'),
      'gnoi: reads from server/x (run time)\n',
    );
    assert.equal(await outputOf('unbind', 'gnoi'), 'gnoi: reads from nothing\n');
    await outputOf('bind', 'netconf', 'server/x');
    assert.deepEqual(await world.json('unbind', 'netconf'), {
      service: 'netconf',
      endpoint: 'server/a.b-c',
      origin: 'configuration',
    });
    const { status, stderr } = await world.run(['bind', 'other', 'server/x']);
    assert.equal(status, 3, stderr);
  });
});
