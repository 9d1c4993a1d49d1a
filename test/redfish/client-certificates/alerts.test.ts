import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, afterEach, before, describe, it } from 'node:test';
import {
  type Issued,
  type OpensslAuthority,
  opensslAuthority,
} from '../../fakes/openssl-authority.ts';
import { startTlsService, type TlsService, truststore } from './tls-service.ts';

const always = { from: '20200101000000Z', until: '20990101000000Z' };

describe('a service that answers only clients with certificates', () => {
  let authority: OpensslAuthority;
  let service: TlsService;
  let root: Issued;
  let good: Issued;

  before(async () => {
    authority = opensslAuthority();
    root = authority.issueCa({ ...always, subject: '/CN=Root' });
    good = authority.issue({ ...always, subject: '/CN=admin', issuer: root });
    service = await startTlsService(authority);
    service.client.put(truststore, '1', root.pem);
    await service.setLogin({ respond: false });
  });

  after(async () => {
    await service.close();
    authority.remove();
  });

  afterEach(async () => {
    service.alwaysRespond = false;
    service.log.length = 0;
  });

  const sClient = (...args: readonly string[]) =>
    run('openssl', 's_client', '-connect', `127.0.0.1:${service.port}`, '-ign_eof', ...args);
  const curl = (...args: readonly string[]) =>
    run(
      'curl',
      '-skv',
      '--max-time',
      '30',
      ...args,
      `https://127.0.0.1:${service.port}/redfish/v1`,
    );

  it('ends with the alert certificate_required over TLS 1.3 (RFC 8446 §4.4.2.4)', async () => {
    assert.match(await sClient('-tls1_3'), /certificate required.*SSL alert number 116/);
    assert.match(await curl('--tlsv1.3'), /alert certificate required/);
  });

  it('ends with the alert handshake_failure over TLS 1.2 (RFC 5246 §7.4.6)', async () => {
    assert.match(await sClient('-tls1_2'), /handshake failure.*SSL alert number 40/);
    assert.match(await curl('--tls-max', '1.2'), /alert handshake failure/);
  });

  it('keeps the handshakes of clients without a certificate in the list of refused clients', async () => {
    const countNow = () =>
      service.certificates.peers.report.clients
        .list()
        .find(({ reason }) => reason === 'no-certificate')?.count;
    for (const version of ['1.2', '1.3']) {
      const before = countNow() ?? 0;
      await curl('--tls-max', version);
      assert.equal(countNow(), before + 1);
    }
    const [newest] = service.certificates.peers.report.clients.list();
    assert.equal(newest?.reason, 'no-certificate');
    assert.equal(newest?.fingerprint, '');
  });

  it('answers a client with a certificate', async () => {
    assert.match(await curl('--cert', good.path, '--key', good.keyPath), /^< HTTP\/1.1 200/m);
  });

  for (const version of ['1.2', '1.3']) {
    it(`sends nothing to a client whose certificate is refused over TLS ${version}, and logs why`, async () => {
      const old = authority.issue({
        ...always,
        until: '20210101000000Z',
        subject: '/CN=admin',
        issuer: root,
      });
      const shown = await curl('--tls-max', version, '--cert', old.path, '--key', old.keyPath);
      assert.doesNotMatch(shown, /^< HTTP/m);
      assert.match(service.log.join('\n'), /client certificate refused.*"reason":"expired"/);
      assert.match(service.log.join('\n'), new RegExp(old.certificate.fingerprint));
      const [newest] = service.certificates.peers.report.clients.list();
      assert.deepEqual([newest?.reason, newest?.subject], ['expired', 'CN=admin']);
      assert.equal(newest?.fingerprint, `04:${old.certificate.x509.fingerprint256}`);
      assert.match(newest?.address ?? '', /127\.0\.0\.1$/);
    });
  }

  it('answers everybody while an operator on the device says so, or the truststore is empty', async () => {
    service.alwaysRespond = true;
    assert.match(await curl(), /^< HTTP\/1.1 200/m);
    service.alwaysRespond = false;
    await service.client.delete(truststore, '1');
    assert.match(await curl(), /^< HTTP\/1.1 200/m);
    service.client.put(truststore, '1', root.pem);
    assert.doesNotMatch(await curl(), /^< HTTP/m);
  });
});

/** What a program prints. */
function run(command: string, ...args: readonly string[]): Promise<string> {
  const child = spawn(command, args);
  child.stdin.end('GET /redfish/v1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  child.stdin.on('error', () => undefined);
  return new Promise((resolve) => {
    let text = '';
    const add = (chunk: Buffer) => {
      text += chunk.toString();
    };
    child.stdout.on('data', add);
    child.stderr.on('data', add);
    child.on('close', () => resolve(text));
  });
}
