import assert from 'node:assert/strict';
import { verify, X509Certificate } from 'node:crypto';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { BusEdgeEndpoints } from '../../../src/dbus/client/bus-edge-endpoints.ts';
import type { EdgeEndpointEvent } from '../../../src/manager/edge-endpoints.ts';
import { pemContent } from '../../../src/x509/containers.ts';
import { encode, octetString, sequence, unsignedInteger } from '../../../src/x509/der.ts';
import { usualLimits } from '../../../src/x509/limits.ts';
import { until } from '../../e2e/commands.ts';
import { type ManagerProcess, startManager } from '../../fakes/manager-process.ts';
import { csrParameters } from '../../fakes/manager-world.ts';
import { opensslAuthority } from '../../fakes/openssl-authority.ts';
import { type PrivateBus, startPrivateBus } from '../../fakes/private-bus.ts';
import { refusal } from '../../fakes/refusal.ts';
import { pairOf } from '../../fakes/replacement-device.ts';
import { authority, server } from '../../fakes/run-time-device.ts';

const tools = opensslAuthority();
const ca = tools.issueCa({ subject: '/CN=CA' });
const leaf = tools.issue({ issuer: ca, subject: '/CN=leaf' });
const next = tools.issue({ issuer: ca, subject: '/CN=next' });
after(() => tools.remove());
const services = [
  { name: 'gnoi', reload: [] },
  { name: 'nginx', endpoint: { type: 'authority', id: 'clients' }, reload: [] },
];
const log = { debug() {}, info() {}, warn() {}, error() {} };

describe('the endpoints of run time as an edge has them', () => {
  let bus: PrivateBus;
  let manager: ManagerProcess;
  let edge: BusEdgeEndpoints;
  let events: string[];
  before(async () => {
    bus = await startPrivateBus();
  });
  after(() => bus.stop());
  const start = async () => {
    manager = await startManager({ address: bus.address, directory: bus.directory }, { services });
  };
  beforeEach(async () => {
    await start();
    edge = new BusEdgeEndpoints({
      ...{ busAddress: bus.address, requestTimeout: 60_000, log },
      ...{ uploadBytes: 1 << 20, content: usualLimits },
    });
    events = [];
    edge.subscribe((event) => events.push(lineOf(event)));
    await edge.start();
    await until('the manager is found', () => edge.isAvailable);
  });
  afterEach(async () => {
    for (const one of edge.list()) await edge.remove(one);
    edge.close();
    await manager.stop();
  });

  const stage = (create = true) =>
    edge.stage([
      {
        ...{ endpoint: server('gnoi-1'), create },
        content: pemContent(pairOf(create ? leaf : next)),
      },
      { endpoint: authority('gnoi-ca-bundle'), create, content: pemContent(ca.pem) },
    ]);
  const install = async () => {
    const replacement = await stage();
    await edge.activate(replacement);
    await edge.commit(replacement);
  };

  it('lose their certificates, and go, in a replacement', async () => {
    await install();
    const replacement = await edge.stage([
      { endpoint: server('gnoi-1'), create: false, content: 'removal' },
      { endpoint: authority('gnoi-ca-bundle'), create: false, content: 'nothing' },
    ]);
    await edge.activate(replacement);
    await edge.commit(replacement);
    assert.equal(edge.find(server('gnoi-1')), undefined);
    assert.deepEqual(edge.find(authority('gnoi-ca-bundle'))?.certificates, []);
  });

  it('are as new as the reply to each change', async () => {
    const replacement = await stage();
    assert.deepEqual(edge.list(), []);
    assert.equal((await edge.progress(replacement)).state, 'Staged');
    await edge.activate(replacement);
    assert.deepEqual(
      edge.list().map(({ type, name, certificates }) => [type, name, certificates.length]),
      [
        ['authority', 'gnoi-ca-bundle', 1],
        ['server', 'gnoi-1', 1],
      ],
    );
    await edge.commit(replacement);
    const modified = edge.find(server('gnoi-1'))?.modified ?? 0n;
    assert.ok(modified > 10n ** 18n);
    const second = await stage(false);
    await edge.activate(second);
    const subject = () => edge.find(server('gnoi-1'))?.certificates[0]?.certificate.pem;
    assert.equal(subject(), next.certificate.pem);
    await edge.rollback(second);
    assert.equal(subject(), leaf.certificate.pem);
    await assert.rejects(edge.progress(second), refusal('not-found'));
  });

  it('are told of in order', async () => {
    await install();
    const second = await stage(false);
    await edge.activate(second);
    await edge.rollback(second);
    await edge.remove(server('gnoi-1'));
    assert.deepEqual(events, [
      'available',
      ...['endpoint added gnoi-ca-bundle', 'created gnoi-ca-bundle'],
      ...['endpoint added gnoi-1', 'created gnoi-1', 'changed gnoi-1', 'changed gnoi-1'],
      ...['removed gnoi-1', 'endpoint removed gnoi-1'],
    ]);
  });

  it('come back with what changed while the manager was away', async () => {
    await install();
    const created = await edge.stage([
      { endpoint: server('other'), create: true, content: pemContent(pairOf(next)) },
    ]);
    await edge.activate(created);
    events = [];
    await manager.stop('SIGKILL');
    await until('the edge knows', () => !edge.isAvailable);
    assert.throws(() => edge.list(), refusal('unavailable'));
    await assert.rejects(edge.add(server('x')), refusal('unavailable'));
    await start();
    await until('the manager is found', () => edge.isAvailable);
    assert.deepEqual(events, [
      ...['unavailable', 'removed other', 'endpoint removed other', 'available'],
    ]);
    assert.equal(edge.list().length, 2);
  });

  it('have keys, which sign, before and after they are there', async () => {
    const endpoint = server('cmp-1');
    const { id, pem } = await edge.generate(endpoint, csrParameters({ CommonName: 'device' }));
    const certificate = tools.sign(pem, ca);
    const { publicKey } = new X509Certificate(certificate);
    const data = encode(
      sequence(unsignedInteger(Buffer.of(2)), octetString(Buffer.from('a message'))),
    );
    const isSigned = async (request?: string) => {
      const about = {
        algorithm: 'sha256',
        data,
        ...(request !== undefined && { request }),
      } as const;
      assert.ok(verify('sha256', data, publicKey, await edge.sign(endpoint, about)));
    };
    await isSigned(id);
    assert.deepEqual(
      (await edge.outstanding(endpoint)).map((one) => [one.id, one.pem]),
      [[id, pem]],
    );
    const part = { endpoint, create: true, content: pemContent(certificate), request: id };
    const replacement = await edge.stage([part]);
    await edge.activate(replacement);
    await edge.commit(replacement);
    await isSigned();
    assert.deepEqual(await edge.outstanding(endpoint), []);
    const other = await edge.generate(endpoint, csrParameters());
    await edge.discard(endpoint, other.id);
    await assert.rejects(edge.discard(endpoint, other.id), refusal('not-found'));
  });

  it('are bound to services', async () => {
    await install();
    await edge.bind('gnoi', server('gnoi-1'));
    const ofAuthority = {
      service: 'nginx',
      endpoint: authority('clients'),
      origin: 'configuration',
    };
    assert.deepEqual(edge.bindings(), [
      { service: 'gnoi', endpoint: server('gnoi-1'), origin: 'run time' },
      ofAuthority,
    ]);
    assert.deepEqual(edge.find(server('gnoi-1'))?.services, ['gnoi']);
    await edge.unbind('gnoi');
    assert.deepEqual(edge.bindings(), [ofAuthority]);
    assert.deepEqual(edge.find(server('gnoi-1'))?.services, []);
    assert.equal(events.filter((one) => one === 'bindings').length, 2);
  });

  it('are emptied, and stay', async () => {
    await install();
    await edge.clear(authority('gnoi-ca-bundle'));
    assert.deepEqual(edge.find(authority('gnoi-ca-bundle'))?.certificates, []);
  });
});

function lineOf(event: EdgeEndpointEvent): string {
  return 'endpoint' in event ? `${event.kind} ${event.endpoint.name}` : event.kind;
}
