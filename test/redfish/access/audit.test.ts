import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import { after, before, beforeEach, describe, it } from 'node:test';
import { samplePem, startService, type TestService } from '../service.ts';

const accounts = '/redfish/v1/AccountService/Accounts';
const sessions = '/redfish/v1/SessionService/Sessions';

/** Statuses of GETs of one connection, each with the credentials of HTTP Basic that are given. */
async function overOneConnection(port: number, credentials: readonly string[]): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const statuses: number[] = [];
  for (const one of credentials) {
    const headers = { Authorization: `Basic ${Buffer.from(one).toString('base64')}` };
    const options = { agent, port, host: '127.0.0.1', path: '/redfish/v1/Managers', headers };
    const status = await new Promise<number>((resolve, reject) => {
      request(options, (res) => {
        res.resume().once('end', () => resolve(res.statusCode ?? 0));
      })
        .once('error', reject)
        .end();
    });
    statuses.push(status);
  }
  agent.destroy();
  return statuses;
}

describe('the audit of the Redfish service', () => {
  let service: TestService;
  /** Passwords, tokens and keys of all tests. */
  const secrets = ['admin-pw', 'reader-pw', 'wrong-pw', 'Fresh-Secret-1', 'Fresh-Secret-2'];
  const every: string[] = [];

  before(async () => {
    service = await startService({ limits: { sessions: 4 } });
  });
  beforeEach(() => {
    every.push(...service.audit.splice(0));
  });
  after(() => service.close());

  const login = async (userName: string, password: string) => {
    const body = { UserName: userName, Password: password };
    const answer = await service.ask('POST', sessions, { as: '', body });
    const token = String(answer.headers['x-auth-token'] ?? '');
    if (token) secrets.push(token);
    return { answer, token, uri: String(answer.headers.location ?? '') };
  };
  /** The lines with their ids by a letter, in the order in which they come. */
  const lines = () => {
    const ids: string[] = [];
    return service.audit.map((line) =>
      line
        .replace(/("attempt":)"[0-9a-f]{12}"/, '$1"x"')
        .replace(/"change":"([0-9a-f]{12})"/, (_, id: string) => {
          if (!ids.includes(id)) ids.push(id);
          return `"change":"${'ABCDEF'[ids.indexOf(id)]}"`;
        }),
    );
  };
  const from = '"address":"127.0.0.1"';

  it('has lines of a login with a session and of its logout, with the id of each', async () => {
    const { token, uri } = await login('admin', 'admin-pw');
    const id = uri.split('/').at(-1);
    await service.ask('DELETE', uri, { as: '', headers: { 'X-Auth-Token': token } });
    assert.deepEqual(lines(), [
      `info audit: login {"change":"A","user":"admin",${from},"edge":"redfish","method":"session","attempt":"x","outcome":"ok"}`,
      `info audit: session begun {"change":"A","session":"${id}","user":"admin",${from}}`,
      `info audit: session ended {"change":"B","session":"${id}","user":"admin",${from},"reason":"deleted"}`,
      `info audit: change {"change":"B","user":"admin",${from},"login":"session","request":"DELETE","uri":"${uri}","outcome":200}`,
    ]);
  });

  it('has a line of a failed login, whether or not the account is there', async () => {
    await login('reader', 'wrong-pw');
    await login('no "such"\nuser', 'wrong-pw');
    assert.deepEqual(lines(), [
      `warn audit: login failed {"change":"A","user":"reader",${from},"edge":"redfish","method":"session","attempt":"x","outcome":"wrong"}`,
      `warn audit: login failed {"change":"B","user":"no \\"such\\"\\nuser",${from},"edge":"redfish","method":"session","attempt":"x","outcome":"wrong"}`,
    ]);
  });

  it('has no line of a token that is unknown or stale', async () => {
    const headers = { 'X-Auth-Token': 'f'.repeat(64) };
    for (const method of ['GET', 'PATCH', 'DELETE']) {
      const { status } = await service.ask(method, sessions, { as: '', headers });
      assert.equal(status, 401);
    }
    assert.deepEqual(service.audit, []);
  });

  it('has lines of a change of an account and of the sessions that it ends, with one id and without values', async () => {
    const body = { UserName: 'bob', Password: 'Fresh-Secret-1', RoleId: 'Operator' };
    assert.equal((await service.ask('POST', accounts, { body })).status, 201);
    const { uri } = await login('bob', 'Fresh-Secret-1');
    const id = uri.split('/').at(-1);
    service.audit.length = 0;
    const patch = { Password: 'Fresh-Secret-2', Enabled: false };
    assert.equal((await service.ask('PATCH', `${accounts}/bob`, { body: patch })).status, 200);
    const others = lines().filter((line) => !line.includes('audit: login'));
    assert.deepEqual(others, [
      `info audit: session ended {"change":"A","session":"${id}","user":"bob",${from},"reason":"account-changed"}`,
      `info audit: change {"change":"A","user":"admin",${from},"login":"basic","request":"PATCH","uri":"${accounts}/bob","members":"Password,Enabled","outcome":200}`,
    ]);
  });

  it('says where a new resource is, and why a request of a known user was refused', async () => {
    const truststore = '/redfish/v1/Managers/bmc/Truststore/Certificates';
    const { token } = await login('reader', 'reader-pw');
    const headers = { 'X-Auth-Token': token };
    service.audit.length = 0;
    const body = { CertificateString: samplePem, CertificateType: 'PEM' };
    const made = await service.ask('POST', truststore, { body });
    assert.equal(made.status, 201);
    await service.ask('POST', truststore, { as: '', headers, body });
    await service.ask('PATCH', '/redfish/v1/AccountService', { body: { MinPasswordLength: 0 } });
    const changes = lines().filter((line) => line.includes('audit: change'));
    const { location } = made.headers;
    assert.deepEqual(changes, [
      `info audit: change {"change":"A","user":"admin",${from},"login":"basic","request":"POST","uri":"${truststore}","members":"CertificateString,CertificateType","location":"${location}","outcome":201}`,
      `warn audit: change refused {"change":"B","user":"reader",${from},"login":"session","request":"POST","uri":"${truststore}","outcome":403}`,
      `warn audit: change refused {"change":"C","user":"admin",${from},"login":"basic","request":"PATCH","uri":"/redfish/v1/AccountService","outcome":400}`,
    ]);
  });

  it('has one line of HTTP Basic for each connection, user and outcome', async () => {
    const credentials = [
      ...['admin:admin-pw', 'admin:admin-pw', 'reader:wrong-pw', 'admin:admin-pw'],
      ...['reader:wrong-pw', 'reader:reader-pw'],
    ];
    for (const _ of [1, 2]) {
      service.audit.length = 0;
      const statuses = await overOneConnection(service.port, credentials);
      assert.deepEqual(statuses, [200, 200, 401, 200, 401, 200]);
      assert.deepEqual(lines(), [
        `info audit: login {"user":"admin",${from},"edge":"redfish","method":"basic","attempt":"x","outcome":"ok"}`,
        `warn audit: login failed {"user":"reader",${from},"edge":"redfish","method":"basic","attempt":"x","outcome":"wrong"}`,
        `info audit: login {"user":"reader",${from},"edge":"redfish","method":"basic","attempt":"x","outcome":"ok"}`,
      ]);
    }
  });

  it('has a line when an account is locked and when it is not any more, which its resource shows until it is unlocked', async () => {
    const isLocked = async () =>
      JSON.parse((await service.ask('GET', `${accounts}/reader`)).text).Locked;
    for (let count = 0; count < 7; count += 1) await login('reader', 'wrong-pw');
    const outcomes = service.audit.map((line) => /"outcome":"(\w+)"|lockout/.exec(line)?.at(1));
    assert.deepEqual(outcomes, [...Array(4).fill('wrong'), undefined, 'wrong', 'locked', 'locked']);
    const [begun = '', login5 = ''] = service.audit.slice(4, 6);
    assert.match(
      begun,
      /^warn audit: lockout begun \{"change":"\w+","user":"reader","address":"127\.0\.0\.1","edge":"redfish","attempt":"\w+","of":"account","seconds":300\}$/,
    );
    const ids = (line: string) => line.match(/"(?:change|attempt)":"\w+"/g);
    assert.deepEqual(ids(begun), ids(login5), 'of one login');
    assert.equal(await isLocked(), true);
    service.audit.length = 0;
    await service.ask('PATCH', `${accounts}/reader`, { body: { Locked: false } });
    assert.match(
      service.audit.join('\n'),
      /lockout ended \{"change":"\w+","user":"reader".*"reason":"unlocked"/,
    );
    assert.match(service.audit.at(-1) ?? '', /"members":"Locked","outcome":200/);
    assert.equal(await isLocked(), false);
  });

  it('says why a session ended that nobody deleted', async () => {
    for (let count = 0; count < 4; count += 1) await login('admin', 'admin-pw');
    const ended = lines().filter((line) => line.includes('session ended'));
    assert.equal(ended.length, 1);
    assert.match(
      ended[0] ?? '',
      /"change":"\w","session":"\w+","user":"admin".*"reason":"displaced"/,
    );
  });

  it('does not take the end of a session with an old password for the change of whoever is there when it is seen', async () => {
    await login('reader', 'reader-pw');
    await service.accounts.setPassword('reader', 'ReadOnly', 'Fresh-Secret-2');
    service.audit.length = 0;
    await login('admin', 'admin-pw');
    const [ended = ''] = service.audit.filter((line) => line.includes('session ended'));
    assert.match(ended, /^info audit: session ended \{"session":.*"reason":"password-changed"\}$/);
  });

  it('has no secret in any line', () => {
    every.push(...service.audit);
    assert.ok(every.length > 20);
    for (const secret of [...secrets, 'BEGIN CERTIFICATE', 'Basic ']) {
      assert.deepEqual(
        every.filter((line) => line.includes(secret)),
        [],
      );
    }
  });
});
