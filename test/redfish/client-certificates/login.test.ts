import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { Agent } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { after, afterEach, before, describe, it } from 'node:test';
import { connect } from 'node:tls';
import { refusals } from '../../../src/identity/peer-certificates/refusal.ts';
import { utf8String } from '../../../src/x509/der.ts';
import { finishWithReset } from '../../fakes/finish-with-reset.ts';
import { forgePem, nameOf } from '../../fakes/forged-certificate.ts';
import {
  type CertificateShape,
  caExtensions,
  type Issued,
  keyKinds,
  type OpensslAuthority,
  opensslAuthority,
} from '../../fakes/openssl-authority.ts';
import { eventually } from '../events/manual-clock.ts';
import { revoked, startTlsService, type TlsService, truststore } from './tls-service.ts';

const sessions = '/redfish/v1/SessionService/Sessions';
const accountService = '/redfish/v1/AccountService';

const clientExtensions = [
  'basicConstraints=critical,CA:FALSE',
  'keyUsage=critical,digitalSignature,keyAgreement',
  'extendedKeyUsage=clientAuth',
];
const always = { from: '20200101000000Z', until: '20990101000000Z' };

describe('a login with a client certificate', () => {
  let authority: OpensslAuthority;
  let service: TlsService;
  let root: Issued;
  let other: Issued;
  let intermediate: Issued;
  let good: Issued;

  const client = (shape: CertificateShape = {}) =>
    authority.issue({
      ...always,
      subject: '/O=Ops/CN=admin',
      extensions: clientExtensions,
      issuer: root,
      ...shape,
    });

  before(async () => {
    authority = opensslAuthority();
    root = authority.issueCa({ ...always, subject: '/CN=Root' });
    other = authority.issueCa({ ...always, subject: '/CN=Other' });
    intermediate = authority.issueCa({ ...always, subject: '/CN=Intermediate', issuer: root });
    good = client();
    service = await startTlsService(authority);
    service.client.put(truststore, '1', root.pem);
  });

  after(async () => {
    await service.close();
    authority.remove();
  });

  afterEach(async () => {
    for (const endpoint of [truststore, revoked]) {
      for (const { id } of service.client.list(endpoint)) await service.client.delete(endpoint, id);
    }
    service.client.put(truststore, '1', root.pem);
    service.ahead = 0;
    await service.setLogin({});
    service.log.length = 0;
  });

  const admitted: Record<string, () => [Issued, ...Issued[]]> = {
    'a good certificate': () => [good],
    'one without usages': () => [client({ extensions: ['basicConstraints=CA:FALSE'] })],
    'one with an RSA key': () => [client({ key: keyKinds.rsa(2048) })],
    'one with an Ed25519 key': () => [client({ key: keyKinds.ed25519 })],
    'the first of two common names': () => [client({ subject: '/CN=admin/CN=nobody' })],
    'one with its intermediate': () => [client({ issuer: intermediate }), intermediate],
    'a chain of six': () => {
      const cas = [root];
      for (let depth = 1; depth < 5; depth += 1) {
        const subject = `/CN=CA ${depth}`;
        cas.unshift(authority.issueCa({ ...always, subject, issuer: cas[0] ?? root }));
      }
      return [client({ issuer: cas[0] ?? root }), ...cas.slice(0, -1)];
    },
    'one whose root comes along': () => [good, root],
    'one with a stray certificate behind it': () => [good, other],
  };
  for (const [what, make] of Object.entries(admitted)) {
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      it(`admits ${what} over ${maxVersion}`, async () => {
        const [show, ...chain] = make();
        const answer = await service.ask(sessions, { show, chain, tls: { maxVersion } });
        assert.equal(answer.status, 200, answer.text);
        const { user } = await service.certificates.peers.explain(
          [show, ...chain].map(({ certificate }) => certificate),
        );
        assert.equal(user?.userName, 'admin', 'the dry run admits it too');
      });
    }
  }

  const refused: Record<string, readonly [keyof typeof refusals, () => [Issued, ...Issued[]]]> = {
    'of an unknown authority': ['untrusted-issuer', () => [client({ issuer: other })]],
    'of an authority that only has the name': [
      'untrusted-issuer',
      () => [client({ issuer: authority.issueCa({ ...always, subject: '/CN=Root' }) })],
    ],
    'that is self-signed': ['untrusted-issuer', () => [selfSigned('admin')]],
    'without its intermediate': ['untrusted-issuer', () => [client({ issuer: intermediate })]],
    'behind a certificate that is no CA': ['rejected', () => [client({ issuer: good }), good]],
    'that has expired': ['expired', () => [client({ until: '20210101000000Z' })]],
    'that is not valid yet': ['not-yet-valid', () => [client({ from: '20980101000000Z' })]],
    'of an intermediate that has expired': [
      'expired',
      () => {
        const old = authority.issueCa({
          ...always,
          until: '20210101000000Z',
          subject: '/CN=Old',
          issuer: root,
        });
        return [client({ issuer: old }), old];
      },
    ],
    'for servers': [
      'purpose',
      () => [client({ extensions: ['basicConstraints=CA:FALSE', 'extendedKeyUsage=serverAuth'] })],
    ],
    'whose key only encrypts': [
      'purpose',
      () => [client({ extensions: ['basicConstraints=CA:FALSE', 'keyUsage=keyEncipherment'] })],
    ],
    'of a CA for servers only': [
      'purpose',
      () => {
        const ca = authority.issueCa({
          ...always,
          subject: '/CN=Servers',
          issuer: root,
          extensions: [...caExtensions, 'extendedKeyUsage=serverAuth'],
        });
        return [client({ issuer: ca }), ca];
      },
    ],
    'without a common name': ['no-user-name', () => [client({ subject: '/O=admin' })]],
    'that names nobody': ['unknown-user', () => [client({ subject: '/CN=nobody' })]],
    'that names a user in other letters': [
      'unknown-user',
      () => [client({ subject: '/CN=Admin' })],
    ],
    'with more than 255 bytes of name': [
      'unknown-user',
      () => [client({ subject: `/CN=${'a'.repeat(64)}` })],
    ],
  };
  for (const [what, [reason, make]] of Object.entries(refused)) {
    it(`refuses a certificate ${what} and says why`, async () => {
      const [show, ...chain] = make();
      const answer = await service.ask(sessions, { show, chain });
      assert.equal(answer.status, 401);
      assert.ok(answer.text.includes(refusals[reason]), answer.text);
      const lines = service.log.filter((line) => line.startsWith('client certificate refused'));
      assert.equal(lines.length, 1, lines.join('\n'));
      assert.match(lines[0] ?? '', new RegExp(`"reason":"${reason}"`));
      assert.equal(service.certificates.peers.report.clients.list()[0]?.reason, reason);
      const explanation = await service.certificates.peers.explain(
        [show, ...chain].map(({ certificate }) => certificate),
      );
      assert.ok(explanation.refusal, 'the dry run refuses it too');
      const other = await service.ask(sessions, { show, chain, as: 'admin:admin-pw' });
      assert.equal(other.status, 200, 'a password still counts');
      const open = await service.ask('/redfish/v1', { show, chain });
      assert.equal(open.status, 200);
    });
  }

  it('gives the role of the user and no more', async () => {
    const show = client({ subject: '/CN=reader' });
    assert.equal((await service.ask(sessions, { show })).status, 200);
    assert.equal(
      (await service.ask('/redfish/v1/CertificateService/CertificateLocations', { show })).status,
      403,
    );
    // The certificate comes first, as upstream has it
    const both = { show, as: 'admin:admin-pw' };
    assert.equal(
      (await service.ask('/redfish/v1/CertificateService/CertificateLocations', both)).status,
      403,
    );
  });

  it('lets nobody in with an empty truststore, not even with a public authority', async () => {
    await service.client.delete(truststore, '1');
    assert.equal((await service.ask(sessions, { show: good })).status, 401);
  });

  it('trusts an intermediate in the truststore only with its root, as openssl does', async () => {
    const show = client({ issuer: intermediate });
    service.client.put(truststore, '1', intermediate.pem);
    assert.equal((await service.ask(sessions, { show })).status, 401);
    service.client.put(truststore, '2', root.pem);
    assert.equal((await service.ask(sessions, { show })).status, 200);
  });

  it('shakes hands with more authorities than a handshake can name, and verifies with those that fit', async () => {
    for (let at = 2; at <= 100; at += 1) {
      const name = utf8String(`${'x'.repeat(1000)} ${at}`);
      service.client.put(truststore, String(at), forgePem({ subject: nameOf(['2.5.4.3', name]) }));
    }
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const answer = await service.ask(sessions, { show: good, tls: { maxVersion } });
      assert.equal(answer.status, 200, answer.text);
    }
    assert.match(service.log.join('\n'), /authorities do not fit into the handshake/);
  });

  it('ends when the root leaves the truststore, on a connection that stays open', async () => {
    await onOneConnection(async (ask) => {
      assert.equal(await ask(), 200);
      await service.client.delete(truststore, '1');
      assert.equal(await ask(), 401);
    });
  });

  for (const [what, of] of [
    ['certificate', () => good.pem],
    ['root', () => root.pem],
  ] as const) {
    it(`ends when its ${what} is revoked, on a connection that stays open`, async () => {
      await onOneConnection(async (ask) => {
        assert.equal(await ask(), 200);
        service.client.put(revoked, '1', of());
        assert.equal(await ask(), 401);
        await service.client.delete(revoked, '1');
        assert.equal(await ask(), 200);
      });
    });
  }

  it('ends when an intermediate is revoked, in whatever order it is shown', async () => {
    const show = client({ issuer: intermediate });
    const twin = authority.issueCa({
      ...always,
      until: '20210101000000Z',
      subject: '/CN=Intermediate',
    });
    service.client.put(revoked, '1', intermediate.pem);
    for (const chain of [[intermediate], [twin, intermediate], [intermediate, twin]]) {
      assert.equal((await service.ask(sessions, { show, chain })).status, 401);
    }
  });

  it('ends when the certificate expires, on a connection that stays open', async () => {
    await onOneConnection(async (ask) => {
      assert.equal(await ask(), 200);
      service.ahead = 100 * 365 * 86_400_000;
      assert.equal(await ask(), 401);
    });
  });

  it('is refused while the manager is away', async () => {
    await onOneConnection(async (ask) => {
      assert.equal(await ask(), 200);
      service.client.away = true;
      try {
        assert.equal(await ask(), 401);
        assert.equal((await service.ask(sessions, { show: good })).status, 401);
      } finally {
        service.client.away = false;
      }
    });
  });

  it('cuts an answer that goes on when its certificate is revoked', async () => {
    const socket = connect({
      ...{ port: service.port, host: '127.0.0.1', rejectUnauthorized: false },
      ...{ key: good.key, cert: good.pem },
    });
    await new Promise((resolve) => socket.once('secureConnect', resolve));
    socket.write(
      'POST /redfish/v1/AccountService HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n',
    );
    await service.ask('/redfish/v1');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => undefined);
    socket.resume();
    service.client.put(revoked, '1', good.pem);
    await closed;
  });

  it('resumes no session while certificates are asked for', async () => {
    for (const version of ['-tls1_2', '-tls1_3']) {
      const file = `${authority.directory}/session${version}`;
      const base = ['s_client', '-connect', `127.0.0.1:${service.port}`, version];
      const own = ['-cert', good.path, '-key', good.keyPath];
      await sClient([...base, ...own, '-sess_out', file]);
      const stdout = await sClient([...base, '-sess_in', file]);
      assert.match(stdout, /^New, TLS/m);
      assert.doesNotMatch(stdout, /^Reused/m);
    }
  });

  it('takes no session from before for one with a certificate', async () => {
    await service.client.delete(truststore, '1');
    const session = await new Promise<Buffer>((resolve) => {
      const socket = connect({ port: service.port, host: '127.0.0.1', rejectUnauthorized: false });
      socket.once('session', (got) => {
        socket.destroy();
        resolve(got);
      });
    });
    service.client.put(truststore, '1', root.pem);
    assert.equal((await service.ask(sessions, { tls: { session } as object })).status, 401);
  });

  it('asks for no certificate when AccountService says so', async () => {
    await service.setLogin({ enabled: false });
    const answer = await service.ask(sessions, { show: good });
    assert.equal(answer.status, 401);
    assert.doesNotMatch(answer.text, /certificate/);
  });

  const principals: readonly [string, number][] = [
    ['admin@example.com', 200],
    ['admin@LAB.example.COM', 200],
    ['admin@com', 200],
    ['admin@ample.com', 401],
    ['admin@host.bmc.lab.example.com', 401],
    ['admin@', 401],
    ['admin', 401],
    ['@example.com', 401],
    ['nobody@example.com', 401],
  ];
  for (const [principal, status] of principals) {
    it(`answers ${status} to the principal ${principal}`, async () => {
      await service.setLogin({ mapping: 'UserPrincipalName' });
      const name = `otherName:1.3.6.1.4.1.311.20.2.3;UTF8:${principal}`;
      const show = client({
        subject: '/CN=reader',
        extensions: [...clientExtensions, `subjectAltName=${name}`],
      });
      assert.equal((await service.ask(sessions, { show })).status, status);
    });
  }

  it('has a line of audit where only clients with a valid certificate are served, and its own lets nobody in', async () => {
    await service.setLogin({ respond: false });
    const refused: readonly (readonly [Issued, string])[] = [
      [client({ subject: '/CN=nobody' }), 'unknown-user'],
      [client({ issuer: other }), 'untrusted-issuer'],
    ];
    for (const [show, outcome] of refused) {
      service.audit.length = 0;
      assert.equal((await service.ask(sessions, { show })).status, 0);
      const about = { address: '127.0.0.1', edge: 'redfish', method: 'certificate' };
      const fields = { ...about, outcome };
      assert.deepEqual(service.audit, [`warn audit: login failed ${JSON.stringify(fields)}`]);
    }
    await service.setLogin({});
  });

  it('has the address in the line of a client that resets its connection with the end of its handshake', async () => {
    await service.setLogin({ respond: false });
    service.audit.length = 0;
    const { key, pem: cert } = client({ issuer: other });
    const socket = connectTcp(service.port, '127.0.0.1').on('error', () => undefined);
    await finishWithReset(socket, 'GET / HTTP/1.1\r\n\r\n', { key, cert });
    await eventually('the line', () => service.audit.length > 0);
    assert.match(service.audit.join(), /"address":"127\.0\.0\.1".*"untrusted-issuer"/);
    await service.setLogin({});
  });

  const pages: readonly [string, Record<string, string>, boolean][] = [
    ['no browser', {}, true],
    ['a page of the service', { 'Sec-Fetch-Site': 'same-origin' }, true],
    ['the user himself', { 'Sec-Fetch-Site': 'none' }, true],
    ['a page of another site', { 'Sec-Fetch-Site': 'cross-site' }, false],
    ['a page of a sister site', { 'Sec-Fetch-Site': 'same-site' }, false],
    ['an old browser with another origin', { Origin: 'https://evil.example' }, false],
    ['an old browser with a hidden origin', { Origin: 'null' }, false],
    ['an old browser at home', { Origin: 'https://bmc', Host: 'bmc' }, true],
    ['an old browser at home with the port', { Origin: 'https://bmc', Host: 'bmc:443' }, true],
  ];
  for (const [who, headers, allowed] of pages) {
    it(`${allowed ? 'lets' : 'does not let'} ${who} use the certificate for a change`, async () => {
      const body = {
        MultiFactorAuth: { ClientCertificate: { CertificateMappingAttribute: 'CommonName' } },
      };
      const options = { method: 'PATCH', show: good, headers, body };
      service.audit.length = 0;
      const { status } = await service.ask(accountService, options);
      assert.equal(status, allowed ? 200 : 403);
      const line = allowed
        ? /^info audit: change .*:200\}$/
        : /^warn audit: change refused .*:403\}$/;
      assert.match(service.audit.at(-1) ?? '', line);
      const read = await service.ask(accountService, { show: good, headers });
      assert.equal(read.status, 200);
    });
  }

  function selfSigned(name: string): Issued {
    return authority.issue({ ...always, subject: `/CN=${name}`, extensions: clientExtensions });
  }

  /** Requests with the good certificate over one connection. */
  async function onOneConnection(use: (ask: () => Promise<number>) => Promise<void>) {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    let first = true;
    // The requests decide, however slow the machine is
    service.cutMilliseconds = 600_000;
    try {
      await use(async () => {
        const { status, reused } = await service.ask(sessions, { show: good, agent });
        assert.equal(reused, !first, 'the connection is kept');
        first = false;
        return status;
      });
    } finally {
      service.cutMilliseconds = 50;
      agent.destroy();
    }
  }
});

/** What `openssl s_client` prints over a request. */
function sClient(args: readonly string[]): Promise<string> {
  const child = spawn('openssl', [...args, '-ign_eof']);
  child.stdin.end('GET /redfish/v1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  return new Promise((resolve) => {
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
    });
    child.on('close', () => resolve(text));
  });
}
