import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type TLSSocket } from 'node:tls';
import type { CertificateLogin } from '../../../src/identity/accounts/access-settings.ts';
import { makeAccess } from '../../../src/redfish/access.ts';
import { listenerLogins } from '../../../src/redfish/events/listeners.ts';
import {
  type Issued,
  type OpensslAuthority,
  opensslAuthority,
} from '../../fakes/openssl-authority.ts';
import { eventually } from '../events/manual-clock.ts';
import { startService } from '../service.ts';
import { revoked, startTlsService, type TlsService, truststore } from './tls-service.ts';

const always = { from: '20200101000000Z', until: '20990101000000Z' };
/** More than the time after which connections are cut. */
const afterCut = 150;

describe('a stream of events on a connection with a client certificate', () => {
  let authority: OpensslAuthority;
  let service: TlsService;
  let root: Issued;
  let good: Issued;
  let socket: TLSSocket;
  let isClosed: boolean;

  before(async () => {
    authority = opensslAuthority();
    root = authority.issueCa({ ...always, subject: '/CN=Root' });
    good = authority.issue({ ...always, subject: '/CN=admin', issuer: root });
    service = await startTlsService(authority);
    service.client.put(truststore, '1', root.pem);
  });

  after(async () => {
    await service.close();
    authority.remove();
  });

  beforeEach(async () => {
    await set({});
    service.ahead = 0;
    isClosed = false;
    const { port } = service;
    const shown = { key: good.key, cert: good.pem };
    socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...shown });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      isClosed = true;
    });
    socket.resume();
    socket.write('GET /redfish/v1/EventService/SSE HTTP/1.1\r\nHost: bmc\r\n\r\n');
    await eventually('the stream', () => streams() === 1);
  });

  afterEach(async () => {
    service.client.comeBack(revoked);
    service.client.away = false;
    for (const { id } of service.client.list(revoked)) await service.client.delete(revoked, id);
    socket.destroy();
    await eventually('no stream', () => streams() === 0);
  });

  const streams = () => service.events.streams.list().length;
  const set = (change: Partial<CertificateLogin>) => service.setLogin(change);
  /** The logins behind the streams are looked at. */
  const look = async () => {
    service.clock.advance(5000);
    await sleep(20);
  };

  it('goes on while the certificate serves', async () => {
    await look();
    assert.equal(streams(), 1);
  });

  it('is sent nothing more once client certificates are disabled', async () => {
    await set({ enabled: false });
    service.events.publish({ messageId: 'Test.1.0.Any', eventType: 'Other' });
    assert.equal(streams(), 0);
  });

  it('ends when the certificate has expired', async () => {
    service.ahead = 1e13;
    await look();
    await eventually('no stream', () => streams() === 0);
  });

  it('ends when the certificate names its user no more', async () => {
    await set({ mapping: 'UserPrincipalName' });
    await look();
    await eventually('no stream', () => streams() === 0);
  });

  it('goes on while nobody can say whether the certificate is trusted', async () => {
    service.client.away = true;
    await look();
    assert.equal(streams(), 1);
  });

  it('is not cut while a list is away for a moment', async () => {
    service.client.leave(revoked);
    service.client.put({ type: 'server', name: 'https' }, '1', good.pem);
    service.client.comeBack(revoked);
    await sleep(afterCut);
    assert.equal(isClosed, false);
  });

  it('is not cut when it is trusted again before the cut', async () => {
    service.client.put(revoked, '1', good.pem);
    await service.client.delete(revoked, '1');
    await sleep(afterCut);
    assert.equal(isClosed, false);
  });

  it('is cut in the end when its list was away at the moment of the cut', async () => {
    service.client.put(revoked, '1', good.pem);
    service.client.leave(revoked);
    await sleep(afterCut);
    assert.equal(isClosed, false);
    service.client.comeBack(revoked);
    await eventually('the cut', () => isClosed);
  });
});

describe('a stream of events', () => {
  it('outlives a user manager that is away, and ends when its user is gone', async () => {
    const service = await startService();
    const { accounts, access } = service;
    const account = await accounts.find('admin');
    assert.ok(account);
    let found: (() => Promise<undefined>) | undefined;
    const find = (name: string) => (found ? found() : accounts.find(name));
    const users = Object.assign(Object.create(accounts), { find });
    const limits = { sessions: 1, sessionsPerUser: 1 };
    const logins = listenerLogins(makeAccess({ ...access, users }, limits));
    assert.equal(await logins.mayListen({ account }, {}), true);
    found = () => Promise.reject(new Error('away'));
    await assert.rejects(logins.mayListen({ account }, {}));
    found = async () => undefined;
    assert.equal(await logins.mayListen({ account }, {}), false);
    await service.close();
  });
});
