import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { startService, type TestService } from '../service.ts';
import { eventually, ManualClock } from './manual-clock.ts';

const subscriptions = '/redfish/v1/EventService/Subscriptions';
const accounts = '/redfish/v1/AccountService/Accounts';
const destination = { Protocol: 'Redfish', Destination: 'https://192.168.1.50/' };
const basic = (login: string) => `Basic ${Buffer.from(login).toString('base64')}`;

describe('what a user listens with', () => {
  let clock: ManualClock;
  let service: TestService;
  let sockets: Socket[] = [];

  beforeEach(async () => {
    clock = new ManualClock();
    const events = { streams: 5, streamsPerUser: 5, allowLoopback: false };
    service = await startService({ clock, events });
    await service.accounts.setPassword('operator', 'Operator', 'operator-pw');
  });
  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    sockets = [];
    await service.close();
  });

  const streams = () => service.events.streams.list();
  const owned = () => service.events.subscriptions.list().map(({ owner }) => owner);

  async function listen(headers: Readonly<Record<string, string>>): Promise<void> {
    const before = streams().length;
    const socket = connect(service.port, '127.0.0.1');
    sockets.push(socket.on('error', () => undefined).resume());
    const lines = Object.entries({ Host: 'bmc', ...headers }).map((one) => one.join(': '));
    socket.write(`GET /redfish/v1/EventService/SSE HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
    await eventually('a stream', () => streams().length === before + 1);
  }

  async function subscribe(as: string): Promise<void> {
    const { status, text } = await service.ask('POST', subscriptions, { body: destination, as });
    assert.equal(status, 201, text);
  }

  async function setUp(): Promise<void> {
    await listen({ Authorization: basic('operator:operator-pw') });
    await listen({ Authorization: basic('admin:admin-pw') });
    await subscribe('operator:operator-pw');
    await subscribe('admin:admin-pw');
  }

  const patch = (body: object, as?: string, headers: Readonly<Record<string, string>> = {}) =>
    service.ask('PATCH', `${accounts}/operator`, {
      body,
      headers,
      ...(as !== undefined && { as }),
    });

  const changes: readonly (readonly [string, object | undefined, boolean])[] = [
    ['his password is changed', { Password: 'another-pw' }, true],
    ['he becomes a reader', { RoleId: 'ReadOnly' }, false],
    ['he is disabled', { Enabled: false }, false],
    ['he becomes an administrator', { RoleId: 'Administrator' }, true],
    ['he is deleted', undefined, false],
  ];
  for (const [what, body, keeps] of changes) {
    it(`ends when ${what}, but for subscriptions that he may ${keeps ? '' : 'not '}have`, async () => {
      await setUp();
      const { status, text } = body
        ? await patch(body)
        : await service.ask('DELETE', `${accounts}/operator`);
      assert.ok(status < 300, text);
      // The answer comes after it is done
      assert.deepEqual(
        streams().map(({ identity }) => identity.account.userName),
        ['admin'],
      );
      assert.deepEqual(owned(), keeps ? ['operator', 'admin'] : ['admin']);
    });
  }

  it('ends with the password that was set on the device, though it began with HTTP Basic', async () => {
    await setUp();
    await service.accounts.setPassword('operator', 'Operator', 'another-pw');
    await eventually('the end of the stream', () => {
      clock.advance(5000);
      return streams().length === 1;
    });
    assert.deepEqual(owned(), ['operator', 'admin']);
  });

  it('goes on in the session in which he changes his own password, and nowhere else', async () => {
    const one = service.sessions.create({ userName: 'operator', address: '' });
    const other = service.sessions.create({ userName: 'operator', address: '' });
    await listen({ 'X-Auth-Token': one.token });
    await listen({ 'X-Auth-Token': other.token });
    await listen({ Authorization: basic('operator:operator-pw') });
    const headers = { 'X-Auth-Token': one.token };
    assert.equal((await patch({ Password: 'another-pw' }, '', headers)).status, 200);
    assert.deepEqual(
      streams().map(({ identity }) => identity.session?.id),
      [one.session.id],
    );
  });

  it('stays when nothing is changed that matters', async () => {
    await setUp();
    assert.equal((await patch({ Enabled: true })).status, 200);
    assert.equal(streams().length, 2);
    assert.deepEqual(owned(), ['operator', 'admin']);
  });

  it('ends when users change elsewhere, and at the next start', async () => {
    await subscribe('operator:operator-pw');
    await subscribe('admin:admin-pw');
    await service.accounts.changes.remove('operator');
    assert.deepEqual(owned(), ['operator', 'admin']);
    const next = await startService({ directory: service.directory });
    try {
      const left = () => next.events.subscriptions.list().map(({ owner }) => owner);
      await eventually('the removal', () => left().join() === 'admin');
      clock.advance(5000);
      await eventually('the removal', () => owned().join() === 'admin');
    } finally {
      await next.close();
    }
  });

  it('stays while nobody can say who is a user', async () => {
    await subscribe('operator:operator-pw');
    const { users } = service.access;
    const find = users.find.bind(users);
    users.find = () => Promise.reject(new Error('away'));
    await service.events.rights.reviewAll();
    assert.deepEqual(owned(), ['operator']);
    users.find = find;
  });

  it('does not come back for another user of the same name', async () => {
    await subscribe('operator:operator-pw');
    await service.accounts.changes.remove('operator');
    const body = { UserName: 'operator', Password: 'another-pw', RoleId: 'Administrator' };
    const { status, text } = await service.ask('POST', accounts, { body });
    assert.equal(status, 201, text);
    assert.deepEqual(owned(), []);
  });
});
