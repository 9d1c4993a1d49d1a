import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { connect } from 'node:tls';
import { refusals } from '../../../src/identity/peer-certificates/refusal.ts';
import { has } from '../../fakes/accounts.ts';
import {
  type Issued,
  type OpensslAuthority,
  opensslAuthority,
} from '../../fakes/openssl-authority.ts';
import { beginRequest } from '../slow-request.ts';
import { startTlsService, type TlsService, truststore } from './tls-service.ts';

const accounts = '/redfish/v1/AccountService/Accounts';
const sessions = '/redfish/v1/SessionService/Sessions';
const password = 'admin:admin-pw';
const always = { from: '20200101000000Z', until: '20990101000000Z' };

describe('a login by the whole certificate', () => {
  let authority: OpensslAuthority;
  let service: TlsService;
  let root: Issued;
  let first: Issued;
  let second: Issued;
  let twin: Issued;
  let strange: Issued;

  before(async () => {
    authority = opensslAuthority();
    root = authority.issueCa({ ...always, subject: '/CN=Root' });
    const other = authority.issueCa({ ...always, subject: '/CN=Other' });
    // Names say nothing: those here are of nobody, or of somebody else
    first = authority.issue({ ...always, subject: '/CN=Jane Doe', issuer: root });
    second = authority.issue({ ...always, subject: '/CN=reader', issuer: root });
    twin = authority.issue({ ...always, subject: '/CN=Jane Doe', issuer: root });
    strange = authority.issue({ ...always, subject: '/CN=admin', issuer: other });
    service = await startTlsService(authority);
    service.client.put(truststore, '1', root.pem);
  });

  after(async () => {
    await service.close();
    authority.remove();
  });

  const set = (respond: boolean) => service.setLogin({ respond, mapping: 'Whole' });

  const give = (userName: string, { pem: CertificateString }: Issued, as = password) =>
    service.ask(`${accounts}/${userName}/Certificates`, {
      method: 'POST',
      as,
      body: { CertificateString, CertificateType: 'PEM' },
    });
  const given = async (userName: string, one: Issued) => {
    const { status, text } = await give(userName, one);
    assert.equal(status, 201, text);
    return String(JSON.parse(text)['@odata.id']);
  };
  const take = (uri: string, how: { as?: string; show?: Issued }) =>
    service.ask(uri, { method: 'DELETE', ...how });
  const login = (show: Issued) => service.ask(sessions, { show });

  afterEach(async () => {
    await set(true);
    service.accountCertificates.clear();
    await service.accountCertificates.store();
  });

  it('is that of the account that has it, whatever names it holds', async () => {
    await set(true);
    const uri = await given('admin', first);
    await given('reader', second);
    assert.equal((await service.ask(`${accounts}/admin`, { show: first })).status, 200);
    assert.equal((await service.ask(`${accounts}/admin`, { show: second })).status, 403);
    assert.equal((await service.ask(`${accounts}/reader`, { show: second })).status, 200);
    const refused = await login(twin);
    assert.equal(refused.status, 401);
    assert.ok(refused.text.includes(refusals['not-listed']), refused.text);
    assert.equal((await take(uri, { as: password })).status, 204);
    assert.equal((await login(first)).status, 401);
  });

  it('does not finish a request that was on its way when the certificate went to another account', async () => {
    await set(true);
    const uri = await given('admin', first);
    const finish = await beginRequest({
      port: service.port,
      method: 'POST',
      path: accounts,
      headers: {},
      body: { UserName: 'backdoor', Password: 'backdoor-pw', RoleId: 'Administrator' },
      connect: (port) => {
        const { key, pem: cert } = first;
        return connect({ host: '127.0.0.1', port, rejectUnauthorized: false, key, cert });
      },
    });
    const { accountCertificates: kept } = service;
    const [one] = kept.of('admin');
    assert.ok(one && uri.endsWith(one.id));
    await kept.remove((other) => other === one);
    await kept.add('reader', one.certificate, async () => true);
    assert.equal(await finish(), 401);
    assert.equal(has(service.accounts, 'backdoor'), false);
  });

  it('needs an authority of the truststore too', async () => {
    await set(true);
    await given('admin', strange);
    const { status, text } = await login(strange);
    assert.equal(status, 401);
    assert.ok(text.includes(refusals['untrusted-issuer']), text);
  });

  it('ends with the account, also for who gets its name', async () => {
    await set(true);
    const body = { UserName: 'brief', Password: 'hUPgd9Z4', RoleId: 'Operator' };
    for (let round = 0; round < 2; round += 1) {
      const made = await service.ask(accounts, { method: 'POST', body, as: password });
      assert.equal(made.status, 201, made.text);
      assert.equal((await login(first)).status, 401);
      await given('brief', first);
      assert.equal((await login(first)).status, 200);
      assert.equal((await take(`${accounts}/brief`, { as: password })).status, 204);
      assert.deepEqual(service.accountCertificates.of('brief'), []);
      assert.equal((await login(first)).status, 401);
      // As if the account had been removed by others
      await service.accountCertificates.add('brief', first.certificate, async () => true);
    }
  });

  const others = 'while only clients with a certificate are served';

  it(`keeps an administrator from taking his only one away ${others}`, async () => {
    const uri = await given('admin', first);
    await set(false);
    const refused = await take(uri, { show: first });
    assert.equal(refused.status, 409, refused.text);
    assert.match(refused.text, /ResourceCannotBeDeleted/);
    assert.equal((await login(first)).status, 200);
  });

  it(`lets an administrator take away the one that he did not come with ${others}`, async () => {
    const old = await given('admin', first);
    const fresh = await given('admin', second);
    await set(false);
    assert.equal((await take(fresh, { show: second })).status, 409);
    assert.equal((await take(old, { show: second })).status, 204);
    assert.equal((await login(first)).status, 0);
    assert.equal((await login(second)).status, 200);
  });

  it(`lets an operator of the device, who needs no certificate, take away nobody's way in ${others}`, async () => {
    const own = await given('admin', first);
    const readers = await given('reader', second);
    await service.accounts.setPassword('chief', 'Administrator', 'chief-pw');
    await given('chief', twin);
    await set(false);
    service.alwaysRespond = true;
    try {
      assert.equal((await take(own, { as: password })).status, 409);
      assert.equal((await take(`${accounts}/chief`, { as: password })).status, 409);
      assert.ok(has(service.accounts, 'chief'));
      assert.equal((await take(readers, { as: password })).status, 204);
      assert.equal((await take(`${accounts}/chief`, { show: first })).status, 204);
    } finally {
      service.alwaysRespond = false;
    }
  });

  it('cuts an answer that goes on when the account loses the certificate', async () => {
    await set(true);
    const uri = await given('admin', first);
    await given('reader', second);
    const opened = await Promise.all(
      [first, second].map(async ({ key, pem: cert }) => {
        const at = { port: service.port, host: '127.0.0.1', rejectUnauthorized: false };
        const socket = connect({ ...at, key, cert });
        socket.on('error', () => undefined);
        await new Promise((resolve) => socket.once('secureConnect', resolve));
        // A request that never ends
        socket.write('POST /redfish/v1 HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n');
        socket.resume();
        return socket;
      }),
    );
    await login(first);
    const [gone, other] = opened;
    assert.ok(gone && other);
    const closed = new Promise((resolve) => gone.once('close', resolve));
    assert.equal((await take(uri, { as: password })).status, 204);
    await closed;
    assert.equal(other.destroyed, false);
    other.destroy();
  });

  it('lets a reader take away his own', async () => {
    await given('admin', first);
    const uri = await given('reader', second);
    await set(false);
    assert.equal((await take(uri, { show: second })).status, 204);
    assert.equal((await login(second)).status, 0);
  });

  it('of nobody at all serves everybody, as an empty truststore does', async () => {
    await given('admin', first);
    await set(false);
    assert.equal((await service.ask(sessions, { as: password })).status, 0);
    service.accountCertificates.clear();
    await service.accountCertificates.store();
    assert.equal((await service.ask(sessions, { as: password })).status, 200);
  });

  it('is in a file of its owner', () => {
    const path = join(service.settingsPath, '..', 'account-certificates.json');
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });
});
