import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { KeyedMutex } from '../../../src/redfish/http/keyed-mutex.ts';
import { RedfishError } from '../../../src/redfish/messages/redfish-error.ts';
import { until } from '../../e2e/commands.ts';
import { startService, type TestService } from '../service.ts';

describe('turns', () => {
  it('run tasks of one key one after the other, go on after a failure and forget the key', async () => {
    const turns = new KeyedMutex();
    const order: string[] = [];
    const first = turns.take('a', 'jane', async () => {
      await new Promise((resolve) => setImmediate(resolve));
      order.push('first');
      throw new Error('no');
    });
    const second = turns.take('a', 'jane', async () => order.push('second'));
    await assert.rejects(first);
    await second;
    assert.deepEqual(order, ['first', 'second']);
    assert.equal(turns.size, 0);
  });

  it('are for so many tasks of one user at a key, and as many of another or at another', async () => {
    const turns = new KeyedMutex(2);
    let end = () => {};
    const held = new Promise<void>((resolve) => {
      end = resolve;
    });
    const take = (key: string, userName: string) => turns.take(key, userName, () => held);
    const taken = [take('a', 'jane'), take('a', 'jane'), take('a', 'joe'), take('b', 'jane')];
    await assert.rejects(take('a', 'jane'), (error) => {
      assert.ok(error instanceof RedfishError);
      assert.deepEqual([error.status, error.headers], [503, { 'Retry-After': '5' }]);
      return true;
    });
    end();
    await Promise.all(taken);
    await take('a', 'jane');
    assert.equal(turns.size, 0);
  });
});

describe('changes of one account', () => {
  const reader = '/redfish/v1/AccountService/Accounts/reader';
  let service: TestService;
  let begun: number;
  let goOn: () => void;

  beforeEach(async () => {
    service = await startService({ http: { changesPerUser: 2 } });
    begun = 0;
    const held = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const { changes } = service.accounts;
    Object.assign(changes, {
      async update() {
        begun += 1;
        await held;
        return service.accounts.find('reader');
      },
    });
  });
  afterEach(() => service.close());

  const token = () => service.sessions.create({ userName: 'reader', address: '' }).token;
  const body = { Password: 'another-pw' };

  it('by its own user do not fill the line to its deletion', async () => {
    const headers = { 'X-Auth-Token': token() };
    const statuses: number[] = [];
    const all = Array.from({ length: 6 }, async () => {
      const { status } = await service.ask('PATCH', reader, { as: '', headers, body });
      statuses.push(status);
    });
    await until('those beyond his share are refused', () => statuses.length === 4);
    assert.deepEqual([statuses, begun], [[503, 503, 503, 503], 1]);
    const removed = service.ask('DELETE', reader);
    goOn();
    assert.equal((await removed).status, 204);
    await Promise.all(all);
    assert.equal(begun, 2);
  });

  it('are not begun for a client that has gone before their turn', async () => {
    const first = service.ask('PATCH', reader, { body: { Enabled: true, Locked: false } });
    await until('the first is at work', () => begun === 1);
    const text = JSON.stringify(body);
    const head = `PATCH ${reader} HTTP/1.1\r\nHost: bmc\r\nContent-Length: ${text.length}\r\n`;
    const socket = connect(service.port, '127.0.0.1');
    socket.write(`${head}X-Auth-Token: ${token()}\r\n\r\n${text}`);
    // Nobody else sees that it waits
    await sleep(200);
    const next = service.ask('PATCH', reader, { body: { Enabled: true, Locked: false } });
    socket.destroy();
    await sleep(200);
    goOn();
    assert.deepEqual([(await first).status, (await next).status], [200, 200]);
    assert.equal(begun, 2);
  });
});
