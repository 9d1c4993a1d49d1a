import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { SessionFile } from '../../../src/redfish/sessions/session-file.ts';
import { Sessions } from '../../../src/redfish/sessions/sessions.ts';
import { startService } from '../service.ts';

const admin = { userName: 'admin', address: '192.0.2.1' };

const limits = (sessions: number, perUser = sessions) => ({
  sessions,
  perUser,
  idleMilliseconds: () => 100,
});

function bitsOf(token: string): string {
  return [...token]
    .map((digit) => Number.parseInt(digit, 16).toString(2).padStart(4, '0'))
    .join('');
}

describe('sessions', () => {
  it('end when they are idle for too long, and live on with every use', () => {
    let now = 0;
    const sessions = new Sessions(limits(10), () => now);
    const used = sessions.create(admin);
    const idle = sessions.create(admin);
    now = 80;
    assert.equal(sessions.use(used.token)?.id, used.session.id);
    now = 160;
    assert.equal(sessions.use(idle.token), undefined);
    assert.equal(sessions.use(used.token)?.id, used.session.id);
  });

  it('give way to new ones, the one that was idle for longest first', () => {
    let now = 0;
    const sessions = new Sessions(limits(2), () => now);
    const first = sessions.create(admin);
    now = 1;
    const second = sessions.create(admin);
    now = 2;
    sessions.use(first.token);
    sessions.create(admin);
    assert.equal(sessions.use(second.token), undefined);
    assert.equal(sessions.use(first.token)?.id, first.session.id);
  });

  it('are known by tokens that the table does not hold', () => {
    const sessions = new Sessions(limits(2));
    const { token } = sessions.create(admin);
    assert.ok(!JSON.stringify(sessions.list()).includes(token));
  });

  it('have tokens of 256 bits that look random, a thousand of them taken together', () => {
    const sessions = new Sessions(limits(2));
    const tokens = Array.from({ length: 1000 }, () => sessions.create(admin).token);
    for (const token of tokens) assert.match(token, /^[0-9a-f]{64}$/);
    const bits = tokens.map(bitsOf);
    // Six standard deviations for 257 judgements: a sound generator is blamed once in two million runs
    const slack = (samples: number) => 6 * Math.sqrt(samples / 4);
    for (let at = 0; at < 256; at += 1) {
      const ones = bits.filter((one) => one[at] === '1').length;
      assert.ok(Math.abs(ones - 500) < slack(1000), `bit ${at} is set in ${ones} of 1000`);
    }
    const all = bits.join('');
    const changes = [...all].filter((bit, at) => at > 0 && bit !== all[at - 1]).length;
    assert.ok(Math.abs(changes - all.length / 2) < slack(all.length), `${changes} changes`);
  });
});

describe('many sessions', () => {
  it('of one user end his own, not those of others', () => {
    let now = 0;
    const sessions = new Sessions(limits(4, 3), () => now);
    const other = sessions.create({ userName: 'other', address: '' });
    const third = sessions.create({ userName: 'third', address: '' });
    for (; now < 40; now += 1) sessions.create(admin);
    assert.equal(sessions.list().length, 4);
    assert.ok(sessions.find(other.token) && sessions.find(third.token));
  });

  it('tell when they end, for whatever reason', () => {
    let now = 0;
    const sessions = new Sessions(limits(1), () => now);
    const ended: string[] = [];
    const stop = sessions.onEnd(({ id }) => ended.push(id));
    const ids = [0, 1, 2].map(() => sessions.create(admin).session.id);
    sessions.end(ids[2] ?? '');
    ids.push(sessions.create(admin).session.id);
    now = 200;
    sessions.endIdle();
    ids.push(sessions.create(admin).session.id);
    sessions.endOf('admin');
    assert.deepEqual(ended, ids);
    stop();
    sessions.create(admin);
    sessions.create(admin);
    assert.equal(ended.length, ids.length);
  });

  it('survive a restart in a file without tokens, and time goes on meanwhile', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'sessions-'));
    try {
      const path = join(directory, 'sessions.json');
      const before = new Sessions(limits(5), () => 1000);
      const { token, xsrfToken = '' } = before.create({ ...admin, cookie: true });
      await new SessionFile(path, before).save({ at: 5000 });
      const text = readFileSync(path, 'utf8');
      assert.ok(!text.includes(token) && !text.includes(xsrfToken));
      assert.equal(statSync(path).mode & 0o777, 0o600);
      for (const { at, found } of [
        { at: 5050, found: true },
        { at: 0, found: true },
        { at: 5101, found: false },
      ]) {
        const after = new Sessions(limits(5), () => 7);
        new SessionFile(path, after).load(at);
        assert.equal(after.find(token) !== undefined, found);
      }
      writeFileSync(path, '{"sessions":[{}]}');
      const damaged = new Sessions(limits(5));
      new SessionFile(path, damaged).load();
      assert.deepEqual(damaged.list(), []);
    } finally {
      rmSync(directory, { recursive: true });
    }
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
    const service = await startService({ hashCost: 2 ** 15 });
    const body = { UserName: 'reader', Password: 'wrong' };
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => service.ask('POST', collection, { as: '', body })),
    );
    const statuses = new Set(answers.map(({ status }) => status));
    assert.deepEqual([...statuses].sort(), [401, 503]);
    await service.close();
  });
});
