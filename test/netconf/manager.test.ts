import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { BusCertificateClient } from '../../src/dbus/client/bus-certificate-client.ts';
import { BusEdgeEndpoints } from '../../src/dbus/client/bus-edge-endpoints.ts';
import { RpcError } from '../../src/netconf/rpc/rpc-error.ts';
import type { Certificate } from '../../src/x509/certificate.ts';
import { usualLimits } from '../../src/x509/limits.ts';
import { until } from '../e2e/commands.ts';
import { type ManagerProcess, startManager } from '../fakes/manager-process.ts';
import { csrParameters } from '../fakes/manager-world.ts';
import { certificateOf, opensslAuthority } from '../fakes/openssl-authority.ts';
import { type PrivateBus, startPrivateBus } from '../fakes/private-bus.ts';
import { authority, server } from '../fakes/run-time-device.ts';
import { bag, bags, certificate, cms, key, keys } from './messages.ts';
import { type Client, type DatastoreWorld, startDatastore } from './world.ts';
import { complaintsOf } from './yanglint.ts';

const tools = opensslAuthority();
const one = tools.issueCa({ subject: '/CN=one' });
const two = tools.issueCa({ subject: '/CN=two' });
after(() => tools.remove());
const log = { debug() {}, info() {}, warn() {}, error() {} };

describe('the datastore over a manager on the bus', () => {
  let bus: PrivateBus;
  let manager: ManagerProcess;
  let world: DatastoreWorld<BusEdgeEndpoints, BusCertificateClient>;
  let client: Client;
  before(async () => {
    bus = await startPrivateBus();
  });
  after(() => bus.stop());
  const start = async () => {
    const services = [{ name: 'netconf', reload: [] }];
    manager = await startManager({ address: bus.address, directory: bus.directory }, { services });
    await until('the manager is found', () => world.endpoints.isAvailable);
    await until('the configured endpoints are found', () =>
      world.certificates.isAvailable(authority('truststore')),
    );
  };
  beforeEach(async () => {
    const options = {
      ...{ busAddress: bus.address, requestTimeout: 60_000, log },
      ...{ uploadBytes: 1 << 20, content: usualLimits },
    };
    world = startDatastore(new BusEdgeEndpoints(options), new BusCertificateClient(options));
    client = world.client();
    await Promise.all([world.endpoints.start(), world.certificates.start()]);
    await start();
  });
  afterEach(async () => {
    for (const endpoint of world.endpoints.list()) await world.endpoints.remove(endpoint);
    world.endpoints.close();
    world.certificates.close();
    await manager.stop();
    world.close();
    assert.deepEqual(complaintsOf(world.replies), []);
  });

  /** A certificate for a new key. */
  const issueFor = async (name: string): Promise<Certificate> => {
    const { pem } = await world.endpoints.generate(server(name), csrParameters());
    return certificateOf(tools.sign(pem, one));
  };
  const config = () => client.config();

  it('installs, replaces and deletes certificates of keys and bags in one edit each', async () => {
    const first = await issueFor('netconf-1');
    await client.edit(
      keys(key('netconf-1', certificate('leaf', cms(first)))) +
        bags(bag('clients', certificate('root', cms(one.certificate)))),
    );
    await world.endpoints.bind('netconf', server('netconf-1'));
    assert.match(await config(), /<name>netconf-1<\/name><public-key-format/);
    // What the manager completes the chain with is shown, too
    assert.match(await config(), /<name>leaf<\/name>/);
    const second = await issueFor('netconf-1');
    await client.edit(
      keys(key('netconf-1', certificate('leaf', cms(second)))) +
        bags(
          bag('clients', '', 'delete'),
          bag('others', certificate('root', cms(two.certificate)), 'create'),
        ),
    );
    const spki = second.publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
    const after = await config();
    assert.ok(after.includes(spki));
    assert.ok(!after.includes('<name>clients</name>'));
    assert.ok(after.includes(bag('others', certificate('root', cms(two.certificate)))));
    const inUse = await client.refusedEdit(keys(key('netconf-1', '', 'delete')));
    assert.equal(inUse.tag, 'in-use');
    await world.endpoints.unbind('netconf');
    await client.edit(keys(key('netconf-1', '', 'delete')) + bags(bag('others', '', 'delete')));
    assert.deepEqual(world.endpoints.list(), []);
  });

  it('changes nothing where the manager refuses a part', async () => {
    const issued = await issueFor('netconf-1');
    const leaf = tools.issue({ issuer: one, subject: '/CN=leaf' });
    const error = await client.refusedEdit(
      keys(key('netconf-1', certificate('leaf', cms(issued)))) +
        bags(bag('clients', certificate('root', cms(leaf.certificate)))),
    );
    assert.equal(error.tag, 'invalid-value');
    assert.match(error.message, /^not-a-ca: /);
    assert.deepEqual(world.endpoints.list(), []);
    assert.equal((await world.endpoints.outstanding(server('netconf-1'))).length, 1);
    const badName = await client.refusedEdit(
      bags(bag('a b', certificate('x', cms(one.certificate)))),
    );
    assert.equal(badName.tag, 'invalid-value');
    assert.match(badName.message, /^argument-invalid: Id/);
  });

  it('shows the endpoints of the configuration, and leaves them as they are', async () => {
    assert.match(await config(), /<asymmetric-key><name>https<\/name>/);
    assert.match(await config(), /<certificate-bag><name>truststore<\/name>/);
    const error = await client.refusedEdit(
      bags(bag('truststore', certificate('x', cms(one.certificate)))),
    );
    assert.equal(error.tag, 'access-denied');
  });

  it('is refused what a replacement of others holds', async () => {
    await client.edit(bags(bag('clients', certificate('root', cms(one.certificate)))));
    const other = await world.endpoints.stage([
      { endpoint: authority('clients'), create: false, content: 'nothing' },
    ]);
    const error = await client.refusedEdit(bags(bag('clients', '', 'delete')));
    assert.equal(error.tag, 'in-use');
    await world.endpoints.rollback(other);
    await client.edit(bags(bag('clients', '', 'delete')));
  });

  describe('when the manager is killed', () => {
    /** What an edit changes: a bag goes, another comes, and a key gets its successor. */
    const prepare = async () => {
      const old = await issueFor('netconf-1');
      await client.edit(
        keys(key('netconf-1', certificate('leaf', cms(old)))) +
          bags(bag('old', certificate('root', cms(one.certificate)))),
      );
      const before = await config();
      const next = await issueFor('netconf-1');
      const change =
        keys(key('netconf-1', certificate('leaf', cms(next)))) +
        bags(bag('old', '', 'delete'), bag('new', certificate('root', cms(two.certificate))));
      return { before, change, next };
    };
    const isNew = (state: string, next: Certificate) =>
      state.includes(cms(next)) &&
      state.includes(bag('new', certificate('root', cms(two.certificate)))) &&
      !state.includes('<name>old</name>');
    const killed = async () => {
      await manager.stop('SIGKILL');
      await until('the edge knows', () => !world.endpoints.isAvailable);
    };
    const outcome = (change: string) =>
      client.edit(change).then(
        () => undefined,
        (error: unknown) => {
          if (error instanceof RpcError) return error;
          throw error;
        },
      );

    const { stage, activate, commit } = BusEdgeEndpoints.prototype;
    const moments: readonly [string, (endpoints: BusEdgeEndpoints) => void, 'old' | 'either'][] = [
      [
        'behind the staging',
        (endpoints) => {
          endpoints.stage = async (...input) => {
            const name = await stage.apply(endpoints, input);
            await killed();
            return name;
          };
        },
        'old',
      ],
      [
        'in the middle of the activation',
        (endpoints) => {
          endpoints.activate = async (...input) => {
            await Promise.allSettled([activate.apply(endpoints, input), killed()]);
          };
        },
        'old',
      ],
      [
        'behind the activation',
        (endpoints) => {
          endpoints.activate = async (...input) => {
            await activate.apply(endpoints, input);
            await killed();
          };
        },
        'old',
      ],
      [
        'in the middle of the commit',
        (endpoints) => {
          endpoints.commit = async (...input) => {
            const [committed] = await Promise.allSettled([
              commit.apply(endpoints, input),
              killed(),
            ]);
            if (committed.status === 'rejected') throw committed.reason;
          };
        },
        'either',
      ],
    ];
    for (const [moment, prepareKill, wanted] of moments)
      it(`has the old state or the new one, complete: ${moment}`, async () => {
        const { before, change, next } = await prepare();
        prepareKill(world.endpoints);
        const error = await outcome(change);
        await start();
        Object.assign(world.endpoints, { stage, activate, commit });
        const state = await config();
        if (wanted === 'old') assert.ok(error);
        if (wanted === 'old' || !isNew(state, next)) {
          assert.ok(error);
          assert.ok(state === before, state);
          await client.edit(change);
        }
        assert.ok(isNew(await config(), next));
      });

    it('has one of both at whatever time', async () => {
      for (let milliseconds = 0; milliseconds <= 80; milliseconds += 20) {
        const { before, change, next } = await prepare();
        const edited = outcome(change);
        await sleep(milliseconds);
        await killed();
        const error = await edited;
        await start();
        const state = await config();
        if (!error) assert.ok(isNew(state, next), state);
        else assert.ok(isNew(state, next) || state === before, state);
        await client.edit(
          keys(key('netconf-1', '', 'remove')) +
            bags(bag('old', '', 'remove'), bag('new', '', 'remove')),
        );
      }
    });
  });
});
