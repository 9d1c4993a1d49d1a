import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { busAdministration } from '../../../src/dbus/client/bus-administration.ts';
import { BusCertificateClient } from '../../../src/dbus/client/bus-certificate-client.ts';
import { BusEdgeEndpoints } from '../../../src/dbus/client/bus-edge-endpoints.ts';
import { pemContent } from '../../../src/x509/containers.ts';
import { usualLimits } from '../../../src/x509/limits.ts';
import { until } from '../../e2e/commands.ts';
import { type ManagerProcess, startManager } from '../../fakes/manager-process.ts';
import { csrParameters } from '../../fakes/manager-world.ts';
import { opensslAuthority } from '../../fakes/openssl-authority.ts';
import { type PrivateBus, startPrivateBus } from '../../fakes/private-bus.ts';
import { pairOf } from '../../fakes/replacement-device.ts';
import { authority, server } from '../../fakes/run-time-device.ts';

const tools = opensslAuthority();
const ca = tools.issueCa({ subject: '/CN=CA' });
const leaf = tools.issue({ issuer: ca, subject: '/CN=leaf' });
const next = tools.issue({ issuer: ca, subject: '/CN=next' });
after(() => tools.remove());
const log = { debug() {}, info() {}, warn() {}, error() {} };
const one = server('a.b-c');
const bundle = authority('gnoi-ca-bundle');

describe('a client of the manager has the endpoints of run time', () => {
  let bus: PrivateBus;
  let manager: ManagerProcess;
  let client: BusCertificateClient;
  let edge: BusEdgeEndpoints;
  let events: string[];
  before(async () => {
    bus = await startPrivateBus();
  });
  after(() => bus.stop());
  const start = async () => {
    manager = await startManager({ address: bus.address, directory: bus.directory });
  };
  beforeEach(async () => {
    await start();
    const options = { busAddress: bus.address, requestTimeout: 60_000, log };
    client = new BusCertificateClient(options);
    edge = new BusEdgeEndpoints({ ...options, uploadBytes: 1 << 20, content: usualLimits });
    events = [];
    client.subscribe(({ kind, endpoint, id }) =>
      events.push(`${kind} ${endpoint.type}/${endpoint.name}/${id}`),
    );
    await Promise.all([client.start(), edge.start()]);
  });
  afterEach(async () => {
    await until('the manager is there', () => edge.isAvailable);
    for (const endpoint of edge.list()) await edge.remove(endpoint);
    edge.close();
    client.close();
    await manager.stop();
  });

  const add = async (...endpoints: readonly (typeof one)[]) => {
    for (const endpoint of endpoints) await edge.add(endpoint);
    await until('they are known', () => endpoints.every((each) => client.isAvailable(each)));
  };

  it('among those of the configuration, in order, until they go', async () => {
    const configured = client.endpoints();
    await add(one, bundle);
    assert.deepEqual(
      client.endpoints().map(({ type, name }) => `${type}/${name}`),
      [
        'authority/gnoi-ca-bundle',
        'authority/truststore',
        'client/ldap',
        'server/a.b-c',
        'server/https',
      ],
    );
    assert.deepEqual(new Set(client.runTimeEndpoints()), new Set([one, bundle]));
    await edge.remove(one);
    await edge.remove(bundle);
    await until('they are gone', () => !client.isAvailable(one) && !client.isAvailable(bundle));
    assert.deepEqual(client.endpoints(), configured);
    assert.throws(() => client.list(one), { code: 'unavailable' });
  });

  it('and changes them, with each change in its copy when the call is over', async () => {
    await add(one, bundle);
    const { id } = await client.install(one, pemContent(pairOf(leaf)));
    assert.equal(client.get(one, id).certificate.pem, leaf.pem);
    await client.replace(one, id, pemContent(pairOf(next)));
    assert.equal(client.get(one, id).certificate.pem, next.pem);
    await client.install(bundle, pemContent(ca.pem));
    assert.deepEqual(client.list(bundle).length, 1);
    await client.delete(one, id);
    assert.deepEqual(client.list(one), []);
    assert.throws(() => client.get(one, id), { code: 'not-found' });
    assert.deepEqual(events, [
      'created server/a.b-c/1',
      'changed server/a.b-c/1',
      'created authority/gnoi-ca-bundle/1',
      'removed server/a.b-c/1',
    ]);
  });

  it('with their requests, services, expiry and replacements', async () => {
    await add(one);
    const administration = busAdministration(client);
    await client.makeRequest(one, csrParameters({ CommonName: 'bmc' }));
    const [request] = await client.outstanding(one);
    await administration.discard(one, request?.id ?? '');
    assert.deepEqual(await client.outstanding(one), []);
    await client.install(one, pemContent(pairOf(leaf)));
    assert.equal((await administration.expiry(one)).get('1')?.state, 'Valid');
    assert.deepEqual(await administration.services(one), []);
    await administration.reload(one);
    const content = pemContent(pairOf(next));
    const id = await administration.stage(one, { content, seconds: 60 });
    assert.equal((await administration.replacement(one)).id, id);
    await administration.activate(one, 0);
    assert.equal((await administration.replacement(one)).state, 'Active');
    assert.equal(client.get(one, '1').certificate.pem, next.pem);
    await administration.rollback(one);
    assert.equal(client.get(one, '1').certificate.pem, leaf.pem);
    const [added] = await administration.replaceAll(
      { type: 'authority', name: 'truststore' },
      pemContent(ca.pem),
    );
    assert.equal(added?.certificate.pem, ca.pem);
  });

  it('and knows them while the manager is away, and what happened meanwhile after', async () => {
    await add(one, bundle);
    await client.install(bundle, pemContent(ca.pem));
    await manager.stop();
    await until('it is away', () => !client.isAvailable(bundle));
    assert.deepEqual(new Set(client.runTimeEndpoints()), new Set([one, bundle]));
    assert.throws(() => client.list(bundle), { code: 'unavailable' });
    await start();
    await until('it is back', () => client.isAvailable(bundle));
    assert.equal(client.list(bundle).length, 1);
    assert.deepEqual(events, ['created authority/gnoi-ca-bundle/1']);
  });

  it('told apart from those of the configuration that are called the same', async () => {
    const https = server('https');
    const marked = server('run-time:https');
    await edge.add(https);
    await until('it is known', () => client.isAvailable(marked));
    assert.deepEqual(client.runTimeEndpoints(), [marked]);
    assert.equal(client.endpoints().filter(({ name }) => name === 'https').length, 1);
    const own = client.get(https, '1').certificate.pem;
    await client.install(marked, pemContent(pairOf(leaf)));
    assert.equal(client.get(marked, '1').certificate.pem, leaf.pem);
    assert.equal(client.get(https, '1').certificate.pem, own);
    assert.equal((await busAdministration(client).expiry(marked)).get('1')?.state, 'Valid');
    await client.delete(marked, '1');
    assert.deepEqual(events, [
      'created server/run-time:https/1',
      'removed server/run-time:https/1',
    ]);
  });
});
