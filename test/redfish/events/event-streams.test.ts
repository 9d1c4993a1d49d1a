import assert from 'node:assert/strict';
import { type ClientRequest, get, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { after, afterEach, before, describe, it } from 'node:test';
import { samplePem, startService, type TestService } from '../service.ts';
import { eventually, ManualClock } from './manual-clock.ts';

const uri = '/redfish/v1/EventService/SSE';
const subscriptions = '/redfish/v1/EventService/Subscriptions';
const https = { type: 'server', name: 'https' } as const;

interface Reader {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  text: string;
  ended: boolean;
  events(): { id: number; message: string; origin: string }[];
  close(): void;
}

describe('event streams', () => {
  const clock = new ManualClock(Date.now());
  let service: TestService;

  before(async () => {
    service = await startService({
      clock,
      expiryThresholds: [7],
      events: { filterCharacters: 1000 },
    });
    await service.accounts.setPassword('operator', 'Operator', 'operator-pw');
  });
  after(() => service.close());
  afterEach(() => service.events.streams.closeAll());

  const basic = (login: string) => ({
    Authorization: `Basic ${Buffer.from(login).toString('base64')}`,
  });

  function open(
    query = '',
    headers: Record<string, string> = {},
    login = 'admin:admin-pw',
  ): Promise<Reader> {
    return new Promise((resolve, reject) => {
      const options = {
        ...{ host: '127.0.0.1', port: service.port, agent: false },
        path: `${uri}${query}`,
        headers: 'X-Auth-Token' in headers ? headers : { ...basic(login), ...headers },
      };
      const request: ClientRequest = get(options, (response) => {
        const reader: Reader = {
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: '',
          ended: false,
          close: () => request.destroy(),
          events: () => parse(reader.text),
        };
        response.setEncoding('utf8');
        response.on('data', (chunk) => {
          reader.text += chunk;
        });
        response.on('error', () => undefined);
        response.on('close', () => {
          reader.ended = true;
        });
        resolve(reader);
      });
      request.on('error', reject);
    });
  }

  const members = async () => {
    const { text } = await service.ask('GET', subscriptions);
    return JSON.parse(text).Members.map((one: { '@odata.id': string }) => one['@odata.id']);
  };

  async function closed(...readers: Reader[]): Promise<void> {
    for (const reader of readers) reader.close();
    await eventually('no stream', () => service.events.streams.list().length === 0);
  }

  it('send what happens to certificates, each with an id that grows', async () => {
    const reader = await open();
    assert.equal(reader.status, 200);
    assert.equal(reader.headers['content-type'], 'text/event-stream; charset=utf-8');
    service.client.put(https, '1', samplePem);
    service.client.put(https, '1', samplePem);
    await service.client.delete(https, '1');
    await eventually('three events', () => reader.events().length === 3);
    const events = reader.events();
    assert.deepEqual(
      events.map(({ message }) => message),
      ['ResourceCreated', 'ResourceChanged', 'ResourceRemoved'],
    );
    assert.ok(
      events.every(({ origin }) => origin.endsWith('/NetworkProtocol/HTTPS/Certificates/1')),
    );
    const ids = events.map(({ id }) => id);
    assert.deepEqual(ids, [...new Set(ids)].sort());
    await closed(reader);
  });

  it('send no more than their filter lets pass', async () => {
    const filter = encodeURIComponent("MessageId eq 'ResourceEvent.1.3.0.ResourceRemoved'");
    const reader = await open(`?$filter=${filter}`);
    service.client.put(https, '3', samplePem);
    await service.client.delete(https, '3');
    await eventually('an event', () => reader.events().length > 0);
    assert.deepEqual(
      reader.events().map(({ message }) => message),
      ['ResourceRemoved'],
    );
    await closed(reader);
  });

  const https9 = '/redfish/v1/Managers/bmc/NetworkProtocol/HTTPS/Certificates/9';
  const filters = {
    'without quotes': `OriginResource eq ${https9}`,
    'longer than those of collections may be': `OriginResource eq '${https9}'${` or MessageId eq 'x'`.repeat(30)}`,
  };
  for (const [what, filter] of Object.entries(filters)) {
    it(`have a filter of their own grammar: one ${what}`, async () => {
      const reader = await open(`?$filter=${encodeURIComponent(filter)}`);
      assert.equal(reader.status, 200);
      for (const id of ['8', '9']) service.client.put(https, id, samplePem);
      await eventually('an event', () => reader.events().length > 0);
      assert.deepEqual(
        reader.events().map(({ origin }) => origin),
        [https9],
      );
      for (const id of ['8', '9']) await service.client.delete(https, id);
      await closed(reader);
    });
  }

  it('go on after the event that Last-Event-ID names', async () => {
    const first = await open();
    service.client.put(https, '4', samplePem);
    await eventually('an event', () => first.events().length === 1);
    await closed(first);
    await service.client.delete(https, '4');
    const second = await open('', { 'Last-Event-ID': String(first.events()[0]?.id) });
    await eventually('an event', () => second.events().length === 1);
    assert.equal(second.events()[0]?.message, 'ResourceRemoved');
    await closed(second);
  });

  for (const id of ['1', '99999999999999', 'nonsense', '-1', '']) {
    it(`say that events may be lost when Last-Event-ID is ${JSON.stringify(id)}, and send all there is`, async () => {
      const reader = await open('', { 'Last-Event-ID': id });
      await eventually('four events', () => reader.events().length === 4);
      const events = reader.events();
      assert.equal(events[0]?.message, 'EventBufferExceeded');
      assert.equal(new Set(events.map((one) => one.id)).size, 4);
      await closed(reader);
    });
  }

  it('appear among the subscriptions for as long as they are open', async () => {
    const reader = await open();
    const [member] = await members();
    const view = JSON.parse((await service.ask('GET', member)).text);
    assert.equal(view.SubscriptionType, 'SSE');
    assert.match(view.Destination, /^redfish-sse:\/\/127\.0\.0\.1:\d+$/);
    assert.equal(typeof view.Context, 'string');
    await closed(reader);
    assert.equal((await service.ask('GET', member)).status, 404);
  });

  it('end when their subscription is deleted', async () => {
    const reader = await open();
    const [member] = await members();
    assert.equal((await service.ask('DELETE', member)).status, 200);
    await eventually('the end', () => reader.ended);
    assert.deepEqual(await members(), []);
  });

  it('end with the session that opened them', async () => {
    const { session, token } = service.sessions.create({ userName: 'admin', address: '' });
    const reader = await open('', { 'X-Auth-Token': token });
    service.sessions.end(session.id);
    assert.equal(reader.ended, false);
    clock.advance(5000);
    await eventually('the end', () => reader.ended);
  });

  function tokenOf(userName: string): string {
    for (const { id } of service.sessions.list()) service.sessions.end(id);
    return service.sessions.create({ userName, address: '' }).token;
  }

  const losses: Readonly<Record<string, (accounts: TestService['accounts']) => Promise<unknown>>> =
    {
      'a lower role': ({ changes }) => changes.update('guest', { role: 'ReadOnly' }),
      'its deletion': ({ changes }) => changes.remove('guest'),
      'its disabling': ({ changes }) => changes.update('guest', { enabled: false }),
    };
  for (const [what, lose] of Object.entries(losses)) {
    for (const way of ['a password', 'a session']) {
      it(`end at the next check after ${what} of the user, who came with ${way}`, async () => {
        await service.accounts.setPassword('guest', 'Operator', 'guest-pw');
        const reader = await (way === 'a session'
          ? open('', { 'X-Auth-Token': tokenOf('guest') })
          : open('', {}, 'guest:guest-pw'));
        const other = await open();
        assert.equal(reader.status, 200);
        clock.advance(5000);
        await new Promise((resolve) => setImmediate(resolve));
        assert.equal(reader.ended, false);
        await lose(service.accounts);
        clock.advance(5000);
        await eventually('the end', () => reader.ended);
        assert.equal(other.ended, false);
        await closed(other);
      });
    }
  }

  it('send nothing after their session ended, even before anybody looked', async () => {
    const { session, token } = service.sessions.create({ userName: 'admin', address: '' });
    const reader = await open('', { 'X-Auth-Token': token });
    service.sessions.end(session.id);
    service.client.put(https, '5', samplePem);
    await eventually('the end', () => reader.ended);
    assert.deepEqual(reader.events(), []);
  });

  it('show signs of life', async () => {
    const reader = await open();
    clock.advance(30_000);
    await eventually('a comment', () => reader.text.includes(': alive\n\n'));
    await closed(reader);
  });

  it('drop a client that never reads, and go on for the others', async () => {
    const socket = connect(service.port, '127.0.0.1');
    socket.on('error', () => undefined);
    const login = basic('admin:admin-pw').Authorization;
    socket.write(`GET ${uri} HTTP/1.1\r\nHost: bmc\r\nAuthorization: ${login}\r\n\r\n`);
    socket.pause();
    const { streams } = service.events;
    await eventually('the stream', () => streams.list().length === 1);
    const reader = await open();
    let told = 0;
    const message = 'x'.repeat(20_000);
    while (streams.list().length > 1 && told < 1500) {
      service.events.publish({ messageId: 'Test.1.0.Flood', eventType: 'Other', message });
      told += 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(streams.list().length, 1);
    assert.ok(service.log.some((line) => line.includes('its client does not read')));
    await eventually('every event', () => reader.events().length === told);
    socket.destroy();
    await closed(reader);
  });

  it('are no more than the limit, and HEAD opens none', async () => {
    const readers = [await open(), await open()];
    const refused = await open();
    assert.equal(refused.status, 503);
    await eventually('the answer', () => refused.text.includes('EventSubscriptionLimitExceeded'));
    await closed(...readers);
    assert.equal((await service.ask('HEAD', uri)).status, 200);
    assert.equal(service.events.streams.list().length, 0);
  });

  const refusals: readonly (readonly [string, number, string, Record<string, string>, string])[] = [
    ['a filter that cannot be read', 400, '?$filter=Nonsense', {}, 'admin:admin-pw'],
    ['two filters', 400, '?$filter=MessageId eq x&$filter=MessageId eq y', {}, 'admin:admin-pw'],
    ['$expand', 400, '?$expand=.', {}, 'admin:admin-pw'],
    ['a parameter that nobody knows', 501, '?$else=1', {}, 'admin:admin-pw'],
    ['another media type', 406, '', { Accept: 'application/json' }, 'admin:admin-pw'],
    ['a reader, who may not subscribe', 403, '', {}, 'reader:reader-pw'],
    ['a wrong password', 401, '', {}, 'admin:wrong'],
  ];
  for (const [what, status, query, headers, login] of refusals) {
    it(`answer ${status} with a JSON error to ${what}`, async () => {
      const reader = await open(query.replaceAll(' ', '%20'), headers, login);
      await eventually('the answer', () => reader.ended);
      assert.equal(reader.status, status);
      assert.match(String(reader.headers['content-type']), /^application\/json/);
      assert.ok(JSON.parse(reader.text).error['@Message.ExtendedInfo'].length > 0);
    });
  }

  it('end and are refused while the service is disabled', async () => {
    const reader = await open();
    const change = (enabled: boolean) =>
      service.ask('PATCH', '/redfish/v1/EventService', { body: { ServiceEnabled: enabled } });
    assert.equal((await change(false)).status, 200);
    await eventually('the end', () => reader.ended);
    assert.equal((await open()).status, 503);
    service.client.put(https, '6', samplePem);
    assert.equal((await change(true)).status, 200);
    const again = await open();
    assert.deepEqual(again.events(), []);
    await closed(again);
  });
});

function parse(text: string) {
  return text
    .split('\n\n')
    .filter((block) => block.startsWith('id: ') && block.includes('\ndata: '))
    .flatMap((block) => {
      const [first = '', second = ''] = block.split('\n');
      const payload = tryParse(second.slice('data: '.length));
      if (!payload) return [];
      const [record] = payload.Events;
      return [
        {
          id: Number(first.slice('id: '.length)),
          message: String(record.MessageId).split('.').at(-1) ?? '',
          origin: String(record.OriginOfCondition?.['@odata.id']),
        },
      ];
    });
}

/** The last block may have arrived in part only. */
function tryParse(text: string) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
