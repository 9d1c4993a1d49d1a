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
      {
        endpoint: 'authority/corporate',
        certificates: 0,
        daysLeft: null,
        subjects: [],
        services: [],
      },
      {
        endpoint: 'server/a.b-c',
        certificates: 0,
        daysLeft: null,
        subjects: [],
        services: ['netconf'],
      },
    ]);
    assert.equal(
      await outputOf('endpoint', 'list', '--quiet'),
      'authority/corporate\nserver/a.b-c\n',
    );
    const removed = await outputOf('endpoint', 'remove', 'authority/corporate');
    assert.equal(removed, 'authority/corporate: removed\n');
    const { status, stderr } = await world.run(['endpoint', 'remove', 'authority/corporate']);
    assert.equal(status, 3, stderr);
  });

  const refusals = [
    ['endpoint add server/there', 6, 'take another id, or remove that one with bmc-certs endpoint'],
    ['endpoint remove server/gone', 3, 'bmc-certs endpoint list shows what there is'],
    ['bind gnoi server/gone', 3, 'bmc-certs endpoint list shows what there is'],
    ['bind other server/there', 3, 'the services are gnoi, netconf'],
    ['unbind other', 3, 'no service other is bound'],
  ] as const;
  for (const [line, expected, advice] of refusals) {
    it(`says what to do next after "${line}"`, async () => {
      await world.run(['endpoint', 'add', 'server/there']);
      const { status, stderr } = await world.run(line.split(' '));
      assert.equal(status, expected, stderr);
      assert.ok(stderr.includes(advice), stderr);
    });
  }

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
    await outputOf('bind', 'netconf', 'x');
    assert.deepEqual(await world.json('unbind', 'netconf'), {
      service: 'netconf',
      endpoint: 'server/a.b-c',
      origin: 'configuration',
    });
  });
});
