import assert from 'node:assert/strict';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import type { MemoryClient } from '../../fakes/memory-client.ts';
import type { MemoryEndpoints } from '../../fakes/memory-endpoints.ts';
import { opensslAuthority } from '../../fakes/openssl-authority.ts';
import { bag, bags, certificate, cms } from '../messages.ts';
import { type Client, type DatastoreWorld, memoryDatastore } from '../world.ts';

const tools = opensslAuthority();
const ca = tools.issueCa({ subject: '/CN=CA' });
after(() => tools.remove());
const change = bags(bag('web', certificate('ca', cms(ca.certificate))));
const lock = '<lock><target><running/></target></lock>';
const unlock = '<unlock><target><running/></target></unlock>';

let world: DatastoreWorld<MemoryEndpoints, MemoryClient>;
beforeEach(() => {
  world = memoryDatastore();
});
afterEach(() => world.close());

describe('access to the datastore', () => {
  for (const role of ['ReadOnly', 'Operator'] as const)
    it(`lets ${role} read, certificates too, and change nothing`, async () => {
      await world.client().edit(change);
      const client = world.client(role);
      assert.ok((await client.config()).includes(cms(ca.certificate)));
      await client.rpc('<get/>');
      for (const request of [lock, unlock, '<edit-config/>'])
        assert.equal((await client.refused(request)).tag, 'access-denied');
      const error = await client.refusedEdit(bags(bag('web', '', 'delete')));
      assert.equal(error.tag, 'access-denied');
      assert.match(error.message, new RegExp(`^the role ${role} of `));
      assert.equal(world.endpoints.list().length, 1);
    });

  it('is judged anew for each operation', async () => {
    const client = world.client();
    await client.edit(change);
    client.role = 'ReadOnly';
    assert.equal((await client.refusedEdit(bags(bag('web', '', 'delete')))).tag, 'access-denied');
  });

  it('is judged again when an edit had to wait', async () => {
    const [first, second] = [world.client(), world.client()];
    const stage = world.endpoints.stage.bind(world.endpoints);
    world.endpoints.stage = async (parts, seconds) => {
      second.role = 'ReadOnly';
      return stage(parts, seconds);
    };
    const waiting = Promise.all([
      first.edit(change),
      second.refusedEdit(bags(bag('web', '', 'delete'))),
    ]);
    assert.equal((await waiting)[1].tag, 'access-denied');
    assert.equal(world.endpoints.list().length, 1);
  });

  it('is told the audit', async () => {
    const client = world.client();
    await client.edit(change);
    await client.refusedEdit(bags(bag('none', '', 'delete')));
    const [done, refused] = world.auditLines;
    assert.match(
      done ?? '',
      /^info audit: change .*"user":"the Administrator","address":"192\.0\.2\.1","edge":"netconf","request":"edit-config","session":1,"endpoint":"authority\/web","outcome":"ok"/,
    );
    assert.match(refused ?? '', /^warn audit: change refused .*"outcome":"data-missing"/);
    assert.ok(!world.auditLines.join().includes('BEGIN'));
  });
});

describe('the lock of the running configuration', () => {
  let first: Client;
  let second: Client;
  beforeEach(() => {
    [first, second] = [world.client(), world.client()];
  });

  it('keeps the edits of other sessions out until it is given back', async () => {
    await first.rpc(lock);
    await first.edit(change);
    const denied = await second.refused(lock);
    assert.equal(denied.tag, 'lock-denied');
    assert.deepEqual(
      denied.info.map(({ name, text }) => `${name}=${text}`),
      [`session-id=${first.session.id}`],
    );
    assert.equal((await second.refusedEdit(change)).tag, 'in-use');
    assert.equal((await second.refused(unlock)).tag, 'operation-failed');
    await second.config();
    await first.rpc(unlock);
    await second.rpc(lock);
    assert.equal((await first.refused(unlock)).tag, 'operation-failed');
  });

  it('is not given twice to the same session', async () => {
    await first.rpc(lock);
    assert.equal((await first.refused(lock)).tag, 'lock-denied');
  });

  it('goes with its session', async () => {
    await first.rpc(lock);
    first.end();
    await second.rpc(lock);
    await second.edit(change);
  });

  it('is not there for a session that has ended while it waited', async () => {
    const stage = world.endpoints.stage.bind(world.endpoints);
    world.endpoints.stage = async (parts, seconds) => {
      second.end();
      return stage(parts, seconds);
    };
    await Promise.all([first.edit(change), second.rpc(lock)]);
    await first.rpc(lock);
  });

  it('is of the running configuration, which is the only one', async () => {
    for (const [target, tag] of [
      ['<candidate/>', 'operation-not-supported'],
      ['', 'missing-element'],
    ]) {
      const error = await first.refused(`<lock><target>${target}</target></lock>`);
      assert.equal(error.tag, tag);
    }
  });
});
