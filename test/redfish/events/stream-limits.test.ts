import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { after, afterEach, before, describe, it } from 'node:test';
import { startService, type TestService } from '../service.ts';
import { eventually } from './manual-clock.ts';

const uri = '/redfish/v1/EventService/SSE';

interface Client {
  readonly socket: Socket;
  text: string;
}

describe('the places for event streams', () => {
  const clients: Client[] = [];
  let service: TestService;

  before(async () => {
    const events = { streams: 5, streamsPerUser: 3 };
    service = await startService({ events, limits: { sessions: 10, sessionsPerUser: 10 } });
    await service.accounts.setPassword('operator', 'Operator', 'operator-pw');
  });
  after(() => service.close());
  afterEach(async () => {
    for (const { socket } of clients.splice(0)) socket.destroy();
    await eventually('no stream', () => open().length === 0);
  });

  const open = () => service.events.streams.list();

  function tokenOf(userName: string): string {
    return service.sessions.create({ userName, address: '' }).token;
  }

  function dial(port: number): Client {
    const client = { socket: connect(port, '127.0.0.1'), text: '' };
    clients.push(client);
    client.socket.setEncoding('utf8');
    client.socket.on('error', () => undefined);
    client.socket.on('data', (chunk) => {
      client.text += chunk;
    });
    return client;
  }

  function request(token: string, headers: Readonly<Record<string, string>> = {}): string {
    const all = { Host: 'bmc', 'X-Auth-Token': token, ...headers };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    return `GET ${uri} HTTP/1.1\r\n${lines.join('')}\r\n`;
  }

  function ask(token: string, headers?: Readonly<Record<string, string>>): Client {
    const client = dial(service.port);
    client.socket.write(request(token, headers));
    return client;
  }

  const status = ({ text }: Client) => Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0);

  it('are taken once by a client that asks many times on one connection, and free after it', async () => {
    const { socket } = dial(service.port);
    socket.write(request(tokenOf('admin')).repeat(5));
    await eventually('a stream', () => open().length > 0);
    // Each request has been dealt with when as many have been refused
    const refused = () => service.log.filter((line) => line.includes('earlier request')).length;
    await eventually('the refusals', () => refused() === 4);
    assert.equal(open().length, 1);
    socket.destroy();
    await eventually('no stream', () => open().length === 0);
  });

  it('are free after a connection whose response heard nothing of its end', async () => {
    const { streams } = service.events;
    const account = await service.accounts.find('admin');
    assert.ok(account);
    const server = createServer((_req, res) => streams.open(res, { account }, () => true, []));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const { socket } = dial((server.address() as AddressInfo).port);
      socket.write('GET / HTTP/1.1\r\nHost: bmc\r\n\r\n'.repeat(2));
      await eventually('two streams', () => open().length === 2);
      socket.destroy();
      await eventually('no stream', () => open().length === 0);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it('are never more than the limit, however many ask at once, and a user has his share', async () => {
    const [admin, operator] = [tokenOf('admin'), tokenOf('operator')];
    const ofAdmin = Array.from({ length: 6 }, () => ask(admin));
    await eventually('six answers', () => ofAdmin.every((one) => status(one) !== 0));
    assert.equal(ofAdmin.filter((one) => status(one) === 200).length, 3);
    const ofOperator = Array.from({ length: 6 }, () => ask(operator));
    await eventually('six answers', () => ofOperator.every((one) => status(one) !== 0));
    assert.equal(ofOperator.filter((one) => status(one) === 200).length, 2);
    assert.equal(open().length, 5);
    const refused = [...ofAdmin, ...ofOperator].filter((one) => status(one) === 503);
    await eventually('their errors', () =>
      refused.every(({ text }) => text.includes('EventSubscriptionLimitExceeded')),
    );
    for (const { text } of refused) assert.match(text, /^Content-Type: application\/json/m);
  });

  const pages: readonly (readonly [string, Readonly<Record<string, string>>, number])[] = [
    ['a page of another site', { 'Sec-Fetch-Site': 'cross-site' }, 403],
    ['a page of a sister site', { 'Sec-Fetch-Site': 'same-site' }, 403],
    ['a page of another origin, by an old browser', { Origin: 'https://evil.example' }, 403],
    ['a page of no origin', { Origin: 'null' }, 403],
    ['a page of the service', { 'Sec-Fetch-Site': 'same-origin' }, 200],
    ['a page of the service, by an old browser', { Origin: 'https://bmc' }, 200],
    ['a client that is no browser', {}, 200],
  ];
  for (const [what, headers, expected] of pages) {
    it(`are ${expected === 200 ? '' : 'not '}for ${what}`, async () => {
      const { token } = service.sessions.create({ userName: 'admin', address: '', cookie: true });
      const cookie = { 'X-Auth-Token': '', Cookie: `BMCWEB-SESSION=${token}` };
      for (const login of [{}, cookie]) {
        const given = Object.entries({ 'X-Auth-Token': token, ...login, ...headers });
        const client = dial(service.port);
        const lines = given.filter(([, value]) => value !== '').map((one) => one.join(': '));
        client.socket.write(`GET ${uri} HTTP/1.1\r\nHost: bmc\r\n${lines.join('\r\n')}\r\n\r\n`);
        await eventually('an answer', () => status(client) !== 0);
        assert.equal(status(client), expected);
        if (expected === 403) assert.equal(open().length, 0);
      }
    });
  }
});
