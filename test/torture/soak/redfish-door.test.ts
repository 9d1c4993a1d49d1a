import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Asked } from './https-client.ts';
import { Logins } from './logins.ts';
import { Outages } from './outages.ts';
import { asker } from './redfish-door.ts';

describe('a client whose service was ended and is back', () => {
  it('logs in anew when he asks first long after that', async () => {
    const outages = new Outages();
    let valid = 'first';
    const client = {
      reconnect: () => undefined,
      async ask(path: string, { token }: Asked = {}) {
        const isLogin = path.endsWith('/Sessions');
        const status = isLogin ? 201 : token === valid ? 200 : 401;
        const headers = isLogin ? { 'x-auth-token': valid } : {};
        return { status, headers, text: '', began: 0, ended: performance.now() };
      },
    };
    const ask = asker({ outages }, client, new Logins('a password'));
    const statusOf = async () => {
      const answer = await ask('/redfish/v1');
      return answer === 'away' ? answer : answer.status;
    };
    assert.equal(await statusOf(), 200);
    const back = outages.begin();
    outages.serviceEnded = performance.now();
    valid = 'second';
    back();
    assert.deepEqual(await Promise.all([statusOf(), statusOf()]), [200, 200]);
  });
});
