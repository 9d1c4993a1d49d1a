import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { resourceEvent } from '../../../src/redfish/events/event-record.ts';
import { type OpensslAuthority, opensslAuthority } from '../../fakes/openssl-authority.ts';
import { samplePem, startService, type TestService } from '../service.ts';
import { eventually, ManualClock } from './manual-clock.ts';
import { type Receiver, type ReceiverShape, startReceiver } from './receivers.ts';

const collection = '/redfish/v1/EventService/Subscriptions';
const https = { type: 'server', name: 'https' } as const;
const truststore = { type: 'authority', name: 'truststore' } as const;
const secret = 'Bearer very-secret-value';

describe('pushed events', () => {
  let authority: OpensslAuthority;
  let service: TestService;
  let receivers: Receiver[] = [];

  before(() => {
    authority = opensslAuthority();
  });
  after(() => authority.remove());
  beforeEach(async () => {
    service = await startService({ events: { subscriptions: 5 }, expiryThresholds: [7] });
  });
  afterEach(async () => {
    for (const receiver of receivers) receiver.close();
    receivers = [];
    await service.close();
  });

  async function receiver(shape: ReceiverShape = {}): Promise<Receiver> {
    const started = await startReceiver(shape);
    receivers.push(started);
    return started;
  }

  async function subscribe(given: object): Promise<string> {
    const body = { Protocol: 'Redfish', ...given };
    const answer = await service.ask('POST', collection, { body });
    assert.equal(answer.status, 201, answer.text);
    return String(answer.headers.location);
  }

  const show = async (uri: string) => JSON.parse((await service.ask('GET', uri)).text);

  it('leave a subscription its ETag when they fail, and nobody a state that is past', async () => {
    const { port } = await receiver({ status: () => 500 });
    const body = { Protocol: 'Redfish', Destination: `http://127.0.0.1:${port}/` };
    const created = await service.ask('POST', collection, { body });
    const uri = String(created.headers.location);
    const tag = String(created.headers.etag);
    service.client.put(https, '1', samplePem);
    const id = uri.split('/').at(-1) ?? '';
    await eventually('a failure', () => service.events.subscriptions.isFailing(id));
    for (const path of [uri, `${collection}?$expand=.`, `${uri}?$select=Status/Health`]) {
      const headers = { 'If-None-Match': '*' };
      const { status, text } = await service.ask('GET', path, { headers });
      assert.equal(status, 200, path);
      assert.match(text, /"Health": "Warning"/);
    }
    const headers = { 'If-Match': tag };
    const change = { headers, body: { Context: 'other' } };
    assert.equal((await service.ask('PATCH', uri, change)).status, 200);
    assert.equal((await service.ask('PATCH', uri, change)).status, 412);
  });

  it('reach two receivers over TLS whose authority is trusted, and none that it did not certify', async () => {
    const trusted = authority.issueCa();
    const other = authority.issueCa({ subject: '/CN=Other CA' });
    const extensions = ['subjectAltName=IP:127.0.0.1'];
    const good = { extensions, issuer: trusted };
    const first = await receiver({ certificate: authority.issue(good) });
    const second = await receiver({ certificate: authority.issue(good) });
    const bad = await receiver({ certificate: authority.issue({ extensions, issuer: other }) });
    const misnamed = { extensions: ['subjectAltName=IP:127.0.0.9'], issuer: trusted };
    const wrongName = await receiver({ certificate: authority.issue(misnamed) });
    await service.events.change({ retryAttempts: 0 });
    service.client.put(truststore, '1', trusted.pem);
    for (const [at, { port }] of [first, second, bad, wrongName].entries()) {
      const Destination = `https://127.0.0.1:${port}/events?at=${at}`;
      await subscribe({ Destination, Context: `c${at}`, DeliveryRetryPolicy: 'SuspendRetries' });
    }
    service.client.put(https, '1', samplePem);
    await eventually('both', () => first.requests.length === 1 && second.requests.length === 1);
    assert.equal(JSON.parse(first.requests[0]?.body ?? '').Context, 'c0');
    assert.equal(first.requests[0]?.path, '/events?at=0');
    assert.deepEqual(first.messages(), ['ResourceCreated']);
    const list = () => service.events.subscriptions.list();
    await eventually(
      'the suspension of the other two',
      () => list().filter(({ state }) => state === 'suspended-by-failures').length === 2,
    );
    assert.deepEqual([bad.requests, wrongName.requests], [[], []]);
    const states = await Promise.all(list().map(({ id }) => show(`${collection}/${id}`)));
    assert.deepEqual(
      states.map(({ Status }) => `${Status.State} ${Status.Health}`),
      ['Enabled OK', 'Enabled OK', 'Disabled Critical', 'Disabled Critical'],
    );
  });

  it('reach a receiver that nobody vouches for only when VerifyCertificate is false', async () => {
    const certificate = authority.issue();
    const checked = await receiver({ certificate });
    const unchecked = await receiver({ certificate });
    await subscribe({ Destination: `https://127.0.0.1:${checked.port}/` });
    const Destination = `https://127.0.0.1:${unchecked.port}/`;
    const free = await subscribe({ Destination, VerifyCertificate: false });
    assert.equal((await show(free)).VerifyCertificate, false);
    service.client.put(https, '1', samplePem);
    await eventually('the event', () => unchecked.requests.length === 1);
    await eventually('the failure', () =>
      service.log.some((line) => /no trusted authority/.test(line)),
    );
    assert.deepEqual(checked.requests, []);
  });

  it('wait while the manager is away who says whom to trust, and cost no subscription', async () => {
    const issuer = authority.issueCa();
    const extensions = ['subjectAltName=IP:127.0.0.1'];
    const { port, messages } = await receiver({
      certificate: authority.issue({ extensions, issuer }),
    });
    const clock = new ManualClock(Date.now());
    const restarting = await startService({ clock, events: { retryAttempts: 0 } });
    try {
      restarting.client.put(truststore, '1', issuer.pem);
      const body = { Protocol: 'Redfish', Destination: `https://127.0.0.1:${port}/` };
      assert.equal((await restarting.ask('POST', collection, { body })).status, 201);
      restarting.client.away = true;
      restarting.events.publish(resourceEvent('TestMessage', [], {}));
      const waits = () => restarting.log.filter((line) => line.startsWith('event waits')).length;
      for (let round = 0; round < 3; round += 1) {
        await eventually('a pause', () => clock.pauses.length === 1);
        clock.advance(clock.pauses[0] ?? 0);
      }
      await eventually('a pause', () => clock.pauses.length === 1);
      assert.equal(waits(), 1, restarting.log.join('\n'));
      assert.equal(restarting.events.subscriptions.list().length, 1);
      restarting.client.away = false;
      clock.advance(clock.pauses[0] ?? 0);
      await eventually('the event', () => messages().length === 1);
      assert.deepEqual(messages(), ['TestMessage']);
    } finally {
      await restarting.close();
    }
  });

  it('do not wait for a receiver that never answers', async () => {
    const silent = await receiver({ status: () => 0 });
    const quick = await receiver();
    for (const { port } of [silent, quick]) {
      await subscribe({ Destination: `http://127.0.0.1:${port}/` });
    }
    for (const id of ['1', '2', '3']) service.client.put(https, id, samplePem);
    await eventually('three events', () => quick.requests.length === 3);
    assert.equal(silent.requests.length, 1);
  });

  it('are not sent where a receiver redirects them', async () => {
    const target = await receiver();
    const headers = { Location: `http://127.0.0.1:${target.port}/` };
    const first = await receiver({ status: () => 307, headers });
    const uri = await subscribe({ Destination: `http://127.0.0.1:${first.port}/` });
    service.client.put(https, '1', samplePem);
    await eventually('the failure', () => service.log.some((line) => line.includes('status 307')));
    assert.deepEqual(target.requests, []);
    assert.equal((await show(uri)).Status.Health, 'Warning');
  });

  it('carry the headers of the subscription, which nobody sees in answers, logs or other files', async () => {
    const one = await receiver();
    const Destination = `http://127.0.0.1:${one.port}/`;
    const uri = await subscribe({ Destination, HttpHeaders: [{ Authorization: secret }] });
    service.client.put(https, '1', samplePem);
    await eventually('the event', () => one.requests.length === 1);
    assert.equal(one.requests[0]?.headers.authorization, secret);
    assert.deepEqual((await show(uri)).HttpHeaders, []);
    const bad = [
      { HttpHeaders: secret },
      { HttpHeaders: [secret] },
      { HttpHeaders: [{ Authorization: `${secret}\r\nX: y` }] },
      { HttpHeaders: [{ Host: secret }] },
    ];
    for (const body of bad) {
      const { status, text } = await service.ask('PATCH', uri, { body });
      assert.equal(status, 400);
      assert.ok(!text.includes('very-secret'), text);
    }
    assert.ok(!service.log.join('\n').includes('very-secret'));
    const path = join(service.directory, 'events.json');
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.match(readFileSync(path, 'utf8'), /very-secret/);
  });

  it('survive a restart with their headers, settings and numbers that never go back', async () => {
    const one = await receiver();
    const Destination = `http://127.0.0.1:${one.port}/`;
    await subscribe({ Destination, HttpHeaders: [{ 'X-Key': 'k' }], Context: 'mine' });
    const body = { DeliveryRetryAttempts: 7, DeliveryRetryIntervalSeconds: 9 };
    assert.equal((await service.ask('PATCH', '/redfish/v1/EventService', { body })).status, 200);
    service.client.put(https, '1', samplePem);
    await eventually('the event', () => one.requests.length === 1);
    await service.events.close();
    const { directory } = service;
    const next = await startService({ directory, expiryThresholds: [7] });
    try {
      next.client.put(https, '1', samplePem);
      await eventually('another event', () => one.requests.length === 2);
      const [before, after] = one.requests.map(({ body }) => JSON.parse(body));
      assert.ok(Number(after.Id) > Number(before.Id));
      assert.equal(after.Context, 'mine');
      assert.equal(one.requests[1]?.headers['x-key'], 'k');
      const view = JSON.parse((await next.ask('GET', '/redfish/v1/EventService')).text);
      assert.equal(view.DeliveryRetryAttempts, 7);
      assert.equal(view.DeliveryRetryIntervalSeconds, 9);
    } finally {
      await next.close();
    }
  });

  it('stop while the subscription is suspended and are caught up on when it is resumed', async () => {
    const one = await receiver();
    const uri = await subscribe({ Destination: `http://127.0.0.1:${one.port}/` });
    const act = (name: string, body: string | object = '') =>
      service.ask('POST', `${uri}/Actions/EventDestination.${name}Subscription`, { body });
    assert.equal((await act('Suspend')).status, 200);
    assert.equal((await show(uri)).Status.State, 'Disabled');
    service.client.put(https, '1', samplePem);
    service.client.put(https, '1', samplePem);
    assert.equal((await act('Resume', { DeliverBufferedEventDuration: 'forever' })).status, 400);
    assert.equal((await act('Resume', { DeliverBufferedEventDuration: 'PT1H' })).status, 200);
    await eventually('both events', () => one.requests.length === 2);
    assert.deepEqual(one.messages(), ['ResourceCreated', 'ResourceChanged']);
  });

  it('may be tried out with what the client gives', async () => {
    const one = await receiver();
    await subscribe({ Destination: `http://127.0.0.1:${one.port}/` });
    const body = {
      ...{ MessageId: 'Base.1.0.Success', Message: 'Hot', MessageArgs: ['a'], EventId: '7' },
      ...{ MessageSeverity: 'Warning', OriginOfCondition: '/redfish/v1', EventGroupId: 3 },
      ...{ EventTimestamp: '2026-01-01T00:00:00+01:00', EventType: 'Alert' },
    };
    const action = '/redfish/v1/EventService/Actions/EventService';
    assert.equal((await service.ask('POST', `${action}.SubmitTestEvent`, { body })).status, 204);
    assert.equal((await service.ask('POST', `${action}.TestEventSubscription`)).status, 200);
    await eventually('both events', () => one.requests.length === 2);
    const [record] = JSON.parse(one.requests[0]?.body ?? '').Events;
    const { EventId, ...given } = body;
    assert.notEqual(record.EventId, EventId);
    assert.deepEqual(
      { ...given, OriginOfCondition: { '@odata.id': '/redfish/v1' } },
      Object.fromEntries(Object.keys(given).map((name) => [name, record[name]])),
    );
    assert.deepEqual(one.messages(), ['Success', 'TestMessage']);
    const badTime = { ...body, EventTimestamp: '2026-13-01T00:00:00Z' };
    const unknown = [
      'none',
      'Nix.1.0.Foo',
      'Base.1.0.Foo',
      'Base.2.0.Success',
      'Base.1.99.Success',
    ];
    const badIds = unknown.map((MessageId) => ({ ...body, MessageId }));
    const report = { ...body, EventType: 'MetricReport' };
    for (const bad of [{}, badTime, report, ...badIds]) {
      const answer = await service.ask('POST', `${action}.SubmitTestEvent`, { body: bad });
      assert.equal(answer.status, 400, JSON.stringify(bad));
    }
    assert.equal(one.requests.length, 2);
    const { Actions } = await show('/redfish/v1/EventService');
    const types = Actions['#EventService.SubmitTestEvent']['EventType@Redfish.AllowableValues'];
    assert.ok(types.includes('Alert') && !types.includes('MetricReport'));
  });
});
