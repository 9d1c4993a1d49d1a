import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { generateCertificate } from '../../../src/manager/credential/generated-certificate.ts';
import { type Answer, startService, type TestService } from '../service.ts';

const accounts = '/redfish/v1/AccountService/Accounts';
const sessionsUri = '/redfish/v1/SessionService/Sessions';
const [from, to] = ['operator', 'night-shift'];
const login = 'operator-pw';

let service: TestService;
beforeEach(async () => {
  service = await startService();
  await service.accounts.setPassword(from, 'Operator', login);
});
afterEach(() => service.close());

const rename = (UserName: string = to, more: object = {}, options: object = {}) =>
  service.ask('PATCH', `${accounts}/${from}`, { body: { UserName, ...more }, ...options });
const names = async () => (await service.accounts.list()).map(({ userName }) => userName);
const kept = () => {
  const { accountCertificates } = service.parts.access;
  assert.ok(accountCertificates);
  return accountCertificates;
};
const tokenOf = (userName: string) => {
  const { session, token } = service.sessions.create({ userName, address: '' });
  return { id: session.id, headers: { 'X-Auth-Token': token } };
};
const file = (name: string) => readFileSync(join(service.directory, name), 'utf8');

const certificateOf = (hostName: string) =>
  generateCertificate(
    { hostName, addresses: [] },
    { validDays: 10, renewBeforeDays: 1, curve: 'prime256v1', organization: 'Test' },
    Date.now(),
  ).leaf;

async function give(userName: string): Promise<void> {
  await kept().add(userName, certificateOf(userName), async () => true);
  const Destination = 'https://192.168.1.50/';
  const body = { Protocol: 'Redfish', Destination };
  const { status, text } = await service.ask('POST', '/redfish/v1/EventService/Subscriptions', {
    body,
    as: userName === from ? `${from}:${login}` : 'admin:admin-pw',
  });
  assert.equal(status, 201, text);
}

const belongings = () => ({
  certificates: kept().kept.map(({ userName }) => userName),
  subscriptions: service.events.subscriptions.list().map(({ owner }) => owner),
  sessions: service.sessions.list().map(({ userName }) => userName),
});
const all = (name: string) => ({
  certificates: [name],
  subscriptions: [name],
  sessions: [name],
});

describe('an account that is renamed', () => {
  it('is at its new URI, which the answer tells, with all that it was', async () => {
    const { status, headers, text } = await rename();
    assert.equal(status, 200, text);
    assert.equal(headers.location, `${accounts}/${to}`);
    const shown = JSON.parse(text);
    assert.deepEqual(
      [shown['@odata.id'], shown.Id, shown.UserName, shown.RoleId],
      [`${accounts}/${to}`, to, to, 'Operator'],
    );
    const read = await service.ask('GET', `${accounts}/${to}`);
    assert.equal(read.headers.etag, headers.etag);
    assert.equal((await service.ask('GET', `${accounts}/${from}`)).status, 404);
    assert.deepEqual(await names(), ['admin', 'reader', to]);
  });

  it('opens with its password under the new name alone', async () => {
    await rename();
    const statusAs = async (name: string) =>
      (await service.ask('GET', sessionsUri, { as: `${name}:${login}` })).status;
    assert.deepEqual([await statusAs(to), await statusAs(from)], [200, 401]);
  });

  it('keeps its certificates, subscriptions and sessions, in memory and on the disk', async () => {
    await give(from);
    const { id, headers } = tokenOf(from);
    assert.equal((await rename()).status, 200);
    assert.deepEqual(belongings(), all(to));
    for (const one of ['account-certificates.json', 'events.json']) {
      assert.ok(file(one).includes(to) && !file(one).includes(from), one);
    }
    const session = await service.ask('GET', `${sessionsUri}/${id}`, { as: '', headers });
    assert.equal(JSON.parse(session.text).UserName, to);
    const own = await service.ask('GET', `${accounts}/${to}`, { as: '', headers });
    assert.equal(own.status, 200);
  });

  it('leaves nothing to the next one of its old name', async () => {
    await give(from);
    tokenOf(from);
    await rename();
    const body = { UserName: from, Password: 'another-pw', RoleId: 'Administrator' };
    assert.equal((await service.ask('POST', accounts, { body })).status, 201);
    assert.deepEqual(belongings(), all(to));
    const certificates = await service.ask('GET', `${accounts}/${from}/Certificates`);
    assert.deepEqual(JSON.parse(certificates.text).Members, []);
  });

  it('gets nothing that an earlier one with its new name left', async () => {
    await service.accounts.setPassword(to, 'Operator', login);
    await kept().add(to, certificateOf('earlier'), async () => true);
    const { headers } = tokenOf(to);
    await service.accounts.changes.remove(to);
    assert.equal((await rename()).status, 200);
    assert.deepEqual(belongings(), { certificates: [], subscriptions: [], sessions: [] });
    assert.equal((await service.ask('GET', sessionsUri, { as: '', headers })).status, 401);
  });

  it('is changed in its other members by the same step, or not at all', async () => {
    const more = { Password: 'a-new-horse', RoleId: 'ReadOnly', Enabled: true };
    const bad = await rename(to, { ...more, Password: 'short' });
    assert.equal(bad.status, 400);
    assert.deepEqual(await names(), ['admin', 'reader', from]);
    const { headers } = tokenOf(from);
    const { status, text } = await rename(to, more);
    assert.equal(status, 200, text);
    assert.equal(JSON.parse(text).RoleId, 'ReadOnly');
    assert.equal((await service.ask('GET', sessionsUri, { as: '', headers })).status, 401);
    assert.equal((await service.ask('GET', sessionsUri, { as: `${to}:a-new-horse` })).status, 200);
  });

  it('may not have its new name as its password', async () => {
    assert.equal((await rename(to, { Password: to })).status, 400);
  });

  it('may differ from its old name by case alone', async () => {
    await give(from);
    assert.equal((await rename('Operator')).status, 200);
    assert.deepEqual(belongings(), { ...all('Operator'), sessions: [] });
    assert.deepEqual(await names(), ['admin', 'reader', 'Operator']);
  });

  it('heeds If-Match', async () => {
    const { headers } = await service.ask('GET', `${accounts}/${from}`);
    const stale = await rename(to, {}, { headers: { 'If-Match': '"stale"' } });
    assert.equal(stale.status, 412);
    const good = await rename(to, {}, { headers: { 'If-Match': String(headers.etag) } });
    assert.equal(good.status, 200, good.text);
  });

  it('is told of as one resource removed and one created', async () => {
    await rename();
    const told = service.events
      .after('0')
      .map(({ messageId, origin }) => [messageId.split('.').at(-1), origin]);
    assert.deepEqual(told.slice(-2), [
      ['ResourceRemoved', `${accounts}/${from}`],
      ['ResourceCreated', `${accounts}/${to}`],
    ]);
  });

  it('is not locked by guesses at its old name, nor is the next one of that', async () => {
    for (let at = 0; at < 6; at += 1) await service.ask('GET', accounts, { as: `${from}:guess` });
    const { text } = await rename();
    assert.equal(JSON.parse(text).Locked, false);
    assert.equal((await service.ask('GET', sessionsUri, { as: `${to}:${login}` })).status, 200);
  });
});

describe('who renames an account', () => {
  const whos = [
    { who: 'a user without ConfigureUsers', as: `${from}:${login}`, status: 403 },
    { who: 'another user without it', as: 'reader:reader-pw', status: 403 },
    { who: 'nobody', as: '', status: 401 },
  ];
  for (const { who, as, status } of whos) {
    it(`is not ${who}`, async () => {
      assert.equal((await rename(to, {}, { as })).status, status);
      assert.deepEqual(await names(), ['admin', 'reader', from]);
    });
  }

  it('may be the last administrator himself, in the session where he goes on', async () => {
    const { headers } = tokenOf('admin');
    const body = { UserName: 'root' };
    const { status, text } = await service.ask('PATCH', `${accounts}/admin`, {
      ...{ as: '', headers, body },
    });
    assert.equal(status, 200, text);
    const next = await service.ask('GET', `${accounts}/root`, { as: '', headers });
    assert.equal(JSON.parse(next.text).RoleId, 'Administrator');
    const last = { as: '', headers, body: { RoleId: 'ReadOnly' } };
    assert.equal((await service.ask('PATCH', `${accounts}/root`, last)).status, 409);
  });

  it('is not who must change his password first', async () => {
    await service.accounts.changes.update('admin', { passwordChangeRequired: true });
    const body = { UserName: 'root', Password: 'a-new-horse' };
    assert.equal((await service.ask('PATCH', `${accounts}/admin`, { body })).status, 403);
  });
});

describe('of changes at once', () => {
  const statuses = (answers: readonly Answer[]) => answers.map(({ status }) => status).sort();
  const patch = (name: string, UserName: string) =>
    service.ask('PATCH', `${accounts}/${name}`, { body: { UserName } });

  it('two accounts get one name only once', async () => {
    assert.deepEqual(
      statuses(await Promise.all([patch(from, to), patch('reader', to)])),
      [200, 409],
    );
    assert.equal((await names()).filter((one) => one === to).length, 1);
  });

  it('two that want each other’s name both keep their own', async () => {
    const answers = await Promise.all([patch(from, 'reader'), patch('reader', from)]);
    assert.deepEqual(statuses(answers), [409, 409]);
  });

  it('one gets two names one after the other', async () => {
    await give(from);
    const answers = await Promise.all([patch(from, to), patch(from, 'third')]);
    assert.deepEqual(statuses(answers), [200, 404]);
    const [name] = (await names()).slice(2);
    assert.deepEqual(belongings(), { ...all(String(name)), sessions: [] });
  });

  it('a new name and an end leave no trace of the account, or all of it', async () => {
    await give(from);
    const end = service.ask('DELETE', `${accounts}/${from}`);
    const answers = await Promise.all([patch(from, to), end]);
    assert.ok(['200,404', '204,404'].includes(statuses(answers).join()), statuses(answers).join());
    const left = (await names()).slice(2);
    const { certificates, subscriptions } = belongings();
    assert.deepEqual([certificates, subscriptions], [left, left]);
  });

  it('a login under the old name that is checked meanwhile opens nothing', async () => {
    const body = { UserName: from, Password: login };
    const logins = [1, 2, 3].map(() => service.ask('POST', sessionsUri, { as: '', body }));
    const [renamed, ...answers] = await Promise.all([rename(), ...logins]);
    assert.equal(renamed.status, 200);
    for (const { headers, status } of answers) {
      const token = { 'X-Auth-Token': String(headers['x-auth-token']) };
      const asked = await service.ask('GET', `${accounts}/${from}`, { as: '', headers: token });
      assert.notEqual(asked.status, 200, `after ${status}`);
    }
  });

  it('a password that an operator sets is of the account that has the name then', async () => {
    await give(from);
    await Promise.all([
      rename(),
      service.accounts.setPassword(from, 'Administrator', 'of-the-device'),
    ]);
    // Where the password came first, it goes with the account to its new name
    const [administrator] = (await names()).filter((name) => name === from);
    const expected = ['admin', ...(administrator ? [administrator] : []), to, 'reader'];
    assert.deepEqual((await names()).sort(), expected.sort());
    assert.deepEqual(belongings(), { ...all(to), sessions: [] });
  });
});
