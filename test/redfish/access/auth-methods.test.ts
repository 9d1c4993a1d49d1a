import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { startService, type TestService } from '../service.ts';

const root = '/redfish/v1/AccountService';
const sessions = '/redfish/v1/SessionService/Sessions';
const credentials = { UserName: 'admin', Password: 'admin-pw' };
const script = { 'X-Requested-With': 'XMLHttpRequest' };

describe('the switches of bmcweb for the ways to log in', () => {
  let service: TestService;
  let token: string;
  let cookie: string;
  beforeEach(async () => {
    service = await startService();
    const open = (headers: Record<string, string>) =>
      service.ask('POST', sessions, { as: '', headers, body: credentials });
    token = String((await open({})).headers['x-auth-token']);
    cookie = [(await open(script)).headers['set-cookie'] ?? []].flat().join(';');
  });
  afterEach(() => service.close());

  const patch = (AuthMethods: object, more: object = {}) =>
    service.ask('PATCH', root, {
      as: '',
      headers: { Authorization: `Token ${token}`, 'X-Auth-Token': token },
      body: { Oem: { OpenBMC: { AuthMethods } }, ...more },
    });
  const methods = ({ text }: { text: string }) => JSON.parse(text).Oem.OpenBMC.AuthMethods;
  const all = { BasicAuth: true, Cookie: true, SessionToken: true, XToken: true, TLS: false };

  const ways: readonly [string, () => object][] = [
    ['BasicAuth', () => ({})],
    ['Cookie', () => ({ as: '', headers: { Cookie: cookie } })],
    ['SessionToken', () => ({ as: '', headers: { Authorization: `Token ${token}` } })],
    ['XToken', () => ({ as: '', headers: { 'X-Auth-Token': token } })],
  ];
  for (const [name, options] of ways) {
    it(`let nobody in by ${name} while it is off, and answer with the resource`, async () => {
      assert.equal((await service.ask('GET', root, options())).status, 200);
      const off = await patch({ [name]: false });
      assert.equal(off.status, 200, off.text);
      assert.deepEqual(methods(off), { ...all, [name]: false });
      assert.equal((await service.ask('GET', root, options())).status, 401);
      const on = await patch({ [name]: true });
      assert.deepEqual(methods(on), all);
      assert.equal((await service.ask('GET', root, options())).status, 200);
    });
  }

  it('are one setting with HTTPBasicAuth', async () => {
    assert.equal(JSON.parse((await patch({ BasicAuth: false })).text).HTTPBasicAuth, 'Disabled');
    const both = await patch({ BasicAuth: true }, { HTTPBasicAuth: 'Unadvertised' });
    assert.equal(JSON.parse(both.text).HTTPBasicAuth, 'Unadvertised');
    const same = await patch({ BasicAuth: true, XToken: true });
    assert.equal(JSON.parse(same.text).HTTPBasicAuth, 'Unadvertised');
    const contrary = await patch({ BasicAuth: false }, { HTTPBasicAuth: 'Enabled' });
    assert.equal(contrary.status, 400);
    assert.match(contrary.text, /PropertyValueConflict/);
  });

  it('leave a way to log in by password, whichever member would take the last one', async () => {
    const none = { Cookie: false, SessionToken: false, XToken: false };
    for (const answer of [
      await patch({ ...none, BasicAuth: false }),
      await patch(none, { HTTPBasicAuth: 'Disabled' }),
    ]) {
      assert.equal(answer.status, 400);
      assert.match(answer.text, /has to stay/);
    }
    assert.deepEqual(methods(await service.ask('GET', root)), all);
    assert.equal((await patch(none)).status, 200);
    const body = { HTTPBasicAuth: 'Disabled' };
    assert.equal((await service.ask('PATCH', root, { body })).status, 400);
  });

  it('give a browser no cookie that would not count', async () => {
    await patch({ Cookie: false });
    const opened = await service.ask('POST', sessions, {
      ...{ as: '', headers: script, body: credentials },
    });
    assert.equal(opened.headers['set-cookie'], undefined);
    assert.ok(opened.headers['x-auth-token']);
  });

  it('say so where there are no client certificates to switch', async () => {
    const answer = await patch({ TLS: true });
    assert.equal(answer.status, 400);
    assert.match(answer.text, /PropertyNotWritable/);
  });
});
