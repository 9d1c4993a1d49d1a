import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { until } from '../../e2e/commands.ts';
import { startService, type TestService } from '../service.ts';
import { turns } from '../slow-request.ts';

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
      const answer = await service.ask('PATCH', reader, { as: '', headers, body });
      statuses.push(answer.status);
      if (answer.status === 503) assert.equal(answer.headers['retry-after'], '5');
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
    await turns();
    const next = service.ask('PATCH', reader, { body: { Enabled: true, Locked: false } });
    socket.destroy();
    await turns();
    goOn();
    assert.deepEqual([(await first).status, (await next).status], [200, 200]);
    assert.equal(begun, 2);
  });
});
