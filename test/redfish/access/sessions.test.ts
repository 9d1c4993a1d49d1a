import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Sessions } from '../../../src/redfish/access/sessions.ts';
import { startService } from '../service.ts';

const admin = { userName: 'admin', role: 'Administrator' } as const;

describe('sessions', () => {
  it('end when they are idle for too long, and live on with every use', () => {
    let now = 0;
    const sessions = new Sessions({ sessions: 10, idleMilliseconds: 100 }, () => now);
    const used = sessions.create(admin, '');
    const idle = sessions.create(admin, '');
    now = 80;
    assert.equal(sessions.use(used.token)?.id, used.session.id);
    now = 160;
    assert.equal(sessions.use(idle.token), undefined);
    assert.equal(sessions.use(used.token)?.id, used.session.id);
  });

  it('give way to new ones, the one that was idle for longest first', () => {
    let now = 0;
    const sessions = new Sessions({ sessions: 2, idleMilliseconds: 1000 }, () => now);
    const first = sessions.create(admin, '');
    now = 1;
    const second = sessions.create(admin, '');
    now = 2;
    sessions.use(first.token);
    sessions.create(admin, '');
    assert.equal(sessions.use(second.token), undefined);
    assert.equal(sessions.use(first.token)?.id, first.session.id);
  });

  it('are known by tokens that the table does not hold', () => {
    const sessions = new Sessions({ sessions: 2, idleMilliseconds: 1000 });
    const { token } = sessions.create(admin, '');
    assert.ok(!JSON.stringify(sessions.list()).includes(token));
  });
});

describe('the session resources', () => {
  const collection = '/redfish/v1/SessionService/Sessions';
  const credentials = { UserName: 'reader', Password: 'reader-pw' };

  it('create, show and delete a session', async () => {
    const service = await startService();
    for (const path of [collection, `${collection}/Members`]) {
      const created = await service.ask('POST', path, { as: '', body: credentials });
      assert.equal(created.status, 201, created.text);
      const uri = String(created.headers.location);
      const headers = { 'X-Auth-Token': String(created.headers['x-auth-token']) };
      const shown = await service.ask('GET', uri, { as: '', headers });
      assert.equal(JSON.parse(shown.text).UserName, 'reader');
      assert.deepEqual(JSON.parse(shown.text).Roles, ['ReadOnly']);
      assert.equal((await service.ask('DELETE', uri, { as: '', headers })).status, 200);
      assert.equal((await service.ask('GET', uri, { as: '', headers })).status, 401);
    }
    await service.close();
  });

  it('show a user his own sessions, and an administrator everybody’s', async () => {
    const service = await startService();
    const own = await service.ask('POST', collection, { as: '', body: credentials });
    const other = await service.ask('POST', collection, {
      as: '',
      body: { UserName: 'admin', Password: 'admin-pw' },
    });
    const headers = { 'X-Auth-Token': String(own.headers['x-auth-token']) };
    const list = await service.ask('GET', collection, { as: '', headers });
    assert.equal(JSON.parse(list.text)['Members@odata.count'], 1);
    const foreign = String(other.headers.location);
    assert.equal((await service.ask('DELETE', foreign, { as: '', headers })).status, 403);
    assert.equal(JSON.parse((await service.ask('GET', collection)).text)['Members@odata.count'], 2);
    assert.equal((await service.ask('DELETE', String(own.headers.location))).status, 200);
    await service.close();
  });

  it('refuse unknown users and wrong passwords in the same words', async () => {
    const service = await startService();
    const texts = [];
    for (const UserName of ['reader', 'nobody']) {
      const body = { UserName, Password: 'wrong' };
      const answer = await service.ask('POST', collection, { as: '', body });
      assert.equal(answer.status, 401);
      texts.push(answer.text);
    }
    assert.equal(texts[0], texts[1]);
    await service.close();
  });

  it('answer 503 when too many logins wait for their password check', async () => {
    const service = await startService();
    const body = { UserName: 'reader', Password: 'wrong' };
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => service.ask('POST', collection, { as: '', body })),
    );
    const statuses = new Set(answers.map(({ status }) => status));
    assert.deepEqual([...statuses].sort(), [401, 503]);
    await service.close();
  });
});
