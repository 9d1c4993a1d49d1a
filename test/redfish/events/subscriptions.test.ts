import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { syncBuiltinESMExports } from 'node:module';
import { after, afterEach, before, describe, it } from 'node:test';
import { startService, type TestService } from '../service.ts';

const collection = '/redfish/v1/EventService/Subscriptions';
const wanted = {
  Context: 'RPV test subscription',
  Protocol: 'Redfish',
  Destination: 'https://192.168.1.50/Destination1',
};

describe('event subscriptions', () => {
  let service: TestService;

  before(async () => {
    service = await startService({ events: { allowLoopback: false } });
    await service.accounts.setPassword('operator', 'Operator', 'operator-pw');
    await service.accounts.setPassword('other', 'Operator', 'other-pw');
  });
  after(() => service.close());
  afterEach(async () => {
    for (const { id } of service.events.subscriptions.list()) {
      await service.events.subscriptions.remove(id);
    }
  });

  const create = (body: object, as = 'admin:admin-pw', path = collection) =>
    service.ask('POST', path, { body, as });

  async function created(as?: string): Promise<string> {
    const { status, headers, text } = await create(wanted, as);
    assert.equal(status, 201, text);
    return String(headers.location);
  }

  for (const path of [collection, `${collection}/Members`, `${collection}/`]) {
    it(`are created at ${path}, checked and active unless the client says otherwise`, async () => {
      const { status, headers, text } = await create(wanted, undefined, path);
      assert.equal(status, 201);
      const view = JSON.parse(text);
      assert.equal(headers.location, view['@odata.id']);
      assert.deepEqual(JSON.parse((await service.ask('GET', String(headers.location))).text), view);
      for (const [name, value] of Object.entries(wanted)) assert.equal(view[name], value);
      assert.equal(view.VerifyCertificate, true);
      assert.equal(view.DeliveryRetryPolicy, 'TerminateAfterRetries');
      assert.equal(view.SubscriptionType, 'RedfishEvent');
      assert.deepEqual(view.Status, { State: 'Enabled', Health: 'OK' });
      const list = JSON.parse((await service.ask('GET', collection)).text);
      assert.deepEqual(list.Members, [{ '@odata.id': view['@odata.id'] }]);
    });
  }

  const refusals: Readonly<Record<string, readonly [object, string, string?]>> = {
    'the protocol FTP': [{ Protocol: 'FTP' }, 'Protocol'],
    'another kind of subscription': [{ SubscriptionType: 'SSE' }, 'SubscriptionType'],
    'another payload': [{ EventFormatType: 'MetricReport' }, 'EventFormatType'],
    'no URI': [{ Destination: 'receiver' }, 'Destination'],
    'a relative URI': [{ Destination: '//192.168.1.50/' }, 'Destination'],
    'another scheme': [{ Destination: 'file:///etc/passwd' }, 'Destination'],
    'a user name in the URI': [{ Destination: 'https://user@192.168.1.50/' }, 'Destination'],
    'a password in the URI': [{ Destination: 'https://u:p@192.168.1.50/' }, 'Destination'],
    'port 0': [{ Destination: 'https://192.168.1.50:0/' }, 'Destination'],
    'a port that is none': [{ Destination: 'https://192.168.1.50:70000/' }, 'Destination'],
    'a line break in the URI': [{ Destination: 'https://192.168.1.50/\r\nX: y' }, 'Destination'],
    'the machine itself': [{ Destination: 'http://127.0.0.1/' }, 'Destination'],
    'the machine itself in another notation': [{ Destination: 'http://0x7f.1/' }, 'Destination'],
    'the machine itself as IPv6': [{ Destination: 'http://[::1]/' }, 'Destination'],
    'the machine itself, mapped': [{ Destination: 'http://[::ffff:127.0.0.1]/' }, 'Destination'],
    'the machine itself by name': [{ Destination: 'http://localhost/' }, 'Destination'],
    'the unspecified address': [{ Destination: 'http://0.0.0.0/' }, 'Destination'],
    'a link-local address': [{ Destination: 'http://169.254.169.254/' }, 'Destination'],
    'a link-local IPv6 address': [{ Destination: 'http://[fe80::1]/' }, 'Destination'],
    'a multicast address': [{ Destination: 'http://224.0.0.1/' }, 'Destination'],
    'a header that frames the request': [
      { HttpHeaders: [{ 'Transfer-Encoding': 'chunked' }] },
      'HttpHeaders',
    ],
    'a header of the connection': [{ HttpHeaders: [{ 'Proxy-Thing': 'x' }] }, 'HttpHeaders'],
    'a header name with a space': [{ HttpHeaders: [{ 'a b': 'x' }] }, 'HttpHeaders'],
    'a header name with a line break': [{ HttpHeaders: [{ 'a\r\nb': 'x' }] }, 'HttpHeaders'],
    'a header value with a line break': [{ HttpHeaders: [{ a: 'x\r\nb: y' }] }, 'HttpHeaders'],
    'a header that is given twice': [{ HttpHeaders: [{ A: 'x' }, { a: 'y' }] }, 'HttpHeaders'],
    'too long headers': [{ HttpHeaders: [{ a: 'x'.repeat(300) }] }, 'HttpHeaders'],
    'too many headers': [
      {
        HttpHeaders: [
          { a: '', b: '', c: '' },
          { d: '', e: '' },
        ],
      },
      'HttpHeaders',
    ],
    'a registry that it never sends from': [
      { RegistryPrefixes: ['Nix'] },
      'RegistryPrefixes/0',
      'PropertyValueNotInList',
    ],
    'a second registry that it never sends from': [
      { RegistryPrefixes: ['Base', 'Nix'] },
      'RegistryPrefixes/1',
      'PropertyValueNotInList',
    ],
    'a resource that no event is about': [
      { ResourceTypes: ['Nix'] },
      'ResourceTypes/0',
      'PropertyValueNotInList',
    ],
    'a message that is none': [
      { MessageIds: ['Nix.1.0.Foo'] },
      'MessageIds/0',
      'PropertyValueNotInList',
    ],
    'a message of a later version': [
      { MessageIds: ['ResourceEvent.ResourceChanged', 'ResourceEvent.2.0.ResourceChanged'] },
      'MessageIds/1',
      'PropertyValueNotInList',
    ],
    'events of metric reports': [
      { EventTypes: ['MetricReport'] },
      'EventTypes/0',
      'PropertyValueNotInList',
    ],
    'the machine itself behind NAT64': [
      { Destination: 'http://[64:ff9b::7f00:1]/' },
      'Destination',
    ],
    'a policy that is none': [{ DeliveryRetryPolicy: 'Never' }, 'DeliveryRetryPolicy'],
    'an origin that is no reference': [{ OriginResources: ['/redfish/v1'] }, 'OriginResources'],
    'a whole resource in each event': [
      { IncludeOriginOfCondition: true },
      'IncludeOriginOfCondition',
    ],
    'an unknown member': [{ Colour: 'red' }, 'Colour'],
  };
  for (const [what, [change, member, message = '']] of Object.entries(refusals)) {
    it(`are refused with 400 that names ${member} for ${what}`, async () => {
      const { status, text } = await create({ ...wanted, ...change });
      assert.equal(status, 400, text);
      const [info] = JSON.parse(text).error['@Message.ExtendedInfo'];
      assert.match(info.RelatedProperties[0], new RegExp(`^#/${member}`));
      assert.ok(info.MessageId.endsWith(message), info.MessageId);
      assert.equal(service.events.subscriptions.list().length, 0);
    });
  }

  it('take every value that the service says it knows, and no fewer headers than the limit', async () => {
    const { RegistryPrefixes, ResourceTypes, Severities } = JSON.parse(
      (await service.ask('GET', '/redfish/v1/EventService')).text,
    );
    const HttpHeaders = [
      { a: 'x'.repeat(296), b: '' },
      { c: '', d: '' },
    ];
    const body = { ...wanted, RegistryPrefixes, ResourceTypes, Severities, HttpHeaders };
    const { status, text } = await create(body);
    assert.equal(status, 201, text);
  });

  it('are put off while nobody can tell whether a destination is the machine itself', async () => {
    const real = dgram.createSocket;
    dgram.createSocket = () => {
      const socket = real('udp4');
      const error = Object.assign(new Error('no descriptors'), { code: 'EMFILE' });
      return Object.assign(socket, { connect: () => socket.emit('error', error) });
    };
    syncBuiltinESMExports();
    try {
      const { status, headers } = await create(wanted);
      assert.deepEqual([status, headers['retry-after']], [503, '5']);
    } finally {
      dgram.createSocket = real;
      syncBuiltinESMExports();
    }
    assert.deepEqual(service.events.subscriptions.list(), []);
  });

  it('show what they were created with', async () => {
    const criteria = {
      RegistryPrefixes: ['ResourceEvent'],
      ExcludeRegistryPrefixes: ['Base'],
      ResourceTypes: ['Certificate'],
      MessageIds: ['ResourceEvent.1.3.0.ResourceCreated'],
      ExcludeMessageIds: ['ResourceEvent.1.3.0.ResourceRemoved'],
      Severities: ['OK'],
      EventTypes: ['ResourceAdded'],
      OriginResources: [{ '@odata.id': '/redfish/v1/Managers' }],
      SubordinateResources: true,
    };
    const view = JSON.parse((await create({ ...wanted, ...criteria })).text);
    for (const [name, value] of Object.entries(criteria)) assert.deepEqual(view[name], value);
  });

  it('are no more than the limit', async () => {
    for (let count = 0; count < 3; count += 1) await created();
    for (const { status, text } of await Promise.all([create(wanted), create(wanted)])) {
      assert.equal(status, 503);
      assert.match(text, /EventSubscriptionLimitExceeded/);
    }
  });

  it('take changes of what may change and refuse the rest by name', async () => {
    const uri = await created();
    const body = { Context: 'new', VerifyCertificate: false, DeliveryRetryPolicy: 'RetryForever' };
    const { status, text } = await service.ask('PATCH', uri, { body });
    assert.equal(status, 200, text);
    const view = JSON.parse(text);
    for (const [name, value] of Object.entries(body)) assert.equal(view[name], value);
    const refused = await service.ask('PATCH', uri, {
      body: { Context: 'newer', Destination: 'https://192.168.1.51/' },
    });
    assert.equal(refused.status, 400);
    assert.match(refused.text, /PropertyNotWritable/);
    assert.equal(JSON.parse((await service.ask('GET', uri)).text).Context, 'new');
  });

  it('are gone after DELETE', async () => {
    const uri = await created();
    assert.equal((await service.ask('DELETE', uri)).status, 200);
    for (const method of ['GET', 'DELETE']) {
      assert.equal((await service.ask(method, uri)).status, 404);
    }
  });

  it('belong to whoever created them, and to those who may configure the manager', async () => {
    const operator = 'operator:operator-pw';
    const uri = await created(operator);
    const touch = (as: string) => service.ask('PATCH', uri, { body: { Context: 'x' }, as });
    assert.equal((await touch('other:other-pw')).status, 403);
    const suspend = `${uri}/Actions/EventDestination.SuspendSubscription`;
    assert.equal((await service.ask('POST', suspend, { as: 'other:other-pw' })).status, 403);
    assert.equal((await service.ask('DELETE', uri, { as: 'other:other-pw' })).status, 403);
    assert.equal((await touch(operator)).status, 200);
    assert.equal((await touch('admin:admin-pw')).status, 200);
    assert.equal((await service.ask('DELETE', uri, { as: operator })).status, 200);
  });

  it('show where they lead to their owners and managers alone; others see scheme, host and port', async () => {
    const Destination = 'https://192.168.1.50:8443/hooks/path-secret?key=query-secret';
    const { headers } = await create({ ...wanted, Destination }, 'operator:operator-pw');
    const uri = String(headers.location);
    const whole = { 'operator:operator-pw': true, 'admin:admin-pw': true };
    const others = { 'other:other-pw': false, 'reader:reader-pw': false };
    for (const [as, isWhole] of Object.entries({ ...whole, ...others })) {
      const filter = `?$filter=Destination eq '${Destination}'`;
      const found = await service.ask('GET', encodeURI(`${collection}${filter}`), { as });
      assert.equal(JSON.parse(found.text).Members?.length, isWhole ? 1 : 0, found.text);
      for (const path of [uri, `${collection}?$expand=.`]) {
        const { status, text } = await service.ask('GET', path, { as });
        assert.equal(status, 200, text);
        assert.equal(text.includes(Destination), isWhole, `${as} ${path}`);
        if (isWhole) continue;
        assert.doesNotMatch(text, /path-secret|query-secret/);
        assert.match(text, /"Destination": "https:\/\/192\.168\.1\.50:8443"/);
      }
    }
  });

  it('are no more of one user than his share', async () => {
    const own = await startService({ events: { subscriptionsPerUser: 1, allowLoopback: false } });
    try {
      await own.accounts.setPassword('operator', 'Operator', 'operator-pw');
      const ask = (as: string) => own.ask('POST', collection, { body: wanted, as });
      const both = await Promise.all([ask('operator:operator-pw'), ask('operator:operator-pw')]);
      assert.deepEqual(both.map(({ status }) => status).sort(), [201, 503]);
      assert.equal((await ask('admin:admin-pw')).status, 201);
    } finally {
      await own.close();
    }
  });

  it('are not for readers', async () => {
    assert.equal((await create(wanted, 'reader:reader-pw')).status, 403);
    assert.equal((await service.ask('GET', collection, { as: 'reader:reader-pw' })).status, 200);
  });

  const bounds = [
    { DeliveryRetryAttempts: -1 },
    { DeliveryRetryIntervalSeconds: 0 },
    { ServiceEnabled: 'yes' },
    { RegistryPrefixes: [] },
  ];
  for (const body of bounds) {
    it(`leave the service as it is when it is asked for ${JSON.stringify(body)}`, async () => {
      const before = (await service.ask('GET', '/redfish/v1/EventService')).text;
      const { status } = await service.ask('PATCH', '/redfish/v1/EventService', { body });
      assert.equal(status, 400);
      assert.equal((await service.ask('GET', '/redfish/v1/EventService')).text, before);
    });
  }
});
