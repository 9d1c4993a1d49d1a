import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { killProcesses, must, run, until } from '../e2e/commands.ts';
import {
  clone,
  type RunningStack,
  removeDirectory,
  startStack,
  temporaryDirectory,
} from '../e2e/stack.ts';
import { certificateOf, type Issued, opensslAuthority } from '../fakes/openssl-authority.ts';
import { connectClient, type TlsClient } from './tls-client.ts';

const program = join(clone, 'dist/bmc-certs.js');
const closing = '<close-session/>';
const getting = '<get-config><source><running/></source></get-config>';
const serverExtensions = [
  'subjectAltName=DNS:localhost,IP:127.0.0.1',
  'basicConstraints=CA:FALSE',
  'subjectKeyIdentifier=hash',
];

/** The service on the stack as `npm start` runs it, with a real manager and real accounts. */
describe('the NETCONF service of the local stack', () => {
  const state = temporaryDirectory();
  const tools = opensslAuthority();
  const clients: TlsClient[] = [];
  let stack: RunningStack;
  let serverCa: Issued;
  let clientCa: Issued;
  let client: Issued;
  let port: number;

  const certs = (...args: readonly string[]) =>
    must(process.execPath, [program, '--bus', stack.bus, ...args]);
  const standing = async () => JSON.parse(await certs('netconf', 'status', '--json'));
  const refused = async () => JSON.parse(await certs('netconf', 'refused', '--json'));
  const serverFile = (name: string) => {
    const { key, pem } = tools.issue({
      issuer: serverCa,
      subject: `/CN=${name}`,
      extensions: serverExtensions,
    });
    return tools.write(`${name}.pem`, key + pem);
  };
  async function connect(...shows: readonly Issued[]): Promise<TlsClient> {
    const [own, ...chain] = shows;
    const made = await connectClient({
      ...{ port, trusts: serverCa.pem },
      ...(own && { shows: [own, ...chain] as const }),
    });
    clients.push(made);
    return made;
  }
  const over = (one: TlsClient) => until('the connection has ended', async () => one.isOver());
  const inSession = async (...shows: readonly Issued[]) => {
    const made = await connect(...shows);
    await until('there is a hello', async () => made.received().includes(']]>]]>'));
    return made;
  };

  before(async () => {
    stack = await startStack(state, ['--with', 'netconf', '--netconf-port', '0']);
    port = Number(/ netconf=127\.0\.0\.1:(\d+)$/m.exec(stack.output())?.[1]);
    serverCa = tools.issueCa({ subject: '/CN=Server CA' });
    clientCa = tools.issueCa({ subject: '/CN=Client CA' });
    client = tools.issue({ issuer: clientCa, subject: '/CN=client', extensions: [] });
  });
  after(async () => {
    for (const one of clients) one.close();
    await stack?.stop();
    tools.remove();
    removeDirectory(state);
  });

  it('closes every connection at once while it has no certificate to show, and says why', async () => {
    assert.equal((await standing()).state, 'no-certificate');
    const made = await connect(client);
    await over(made);
    assert.deepEqual([made.shown(), made.received()], ['', '']);
    assert.equal((await refused())[0].reason, 'no-server-certificate');
  });

  it('closes them also with a certificate that it signed itself', async () => {
    const own = tools.issue({ subject: '/CN=localhost', extensions: serverExtensions });
    await certs('endpoint', 'add', 'server/selfsigned');
    await certs('install', 'server/selfsigned', tools.write('own.pem', own.key + own.pem));
    await certs('bind', 'netconf', 'selfsigned');
    await until('the state is another', async () => (await standing()).state === 'self-signed');
    const made = await connect(client);
    await over(made);
    assert.equal(made.shown(), '');
  });

  it('lets clients in as soon as a certificate of a CA and the CA of the clients are there', async () => {
    await certs('endpoint', 'add', 'server/one');
    await certs('install', 'server/one', serverFile('first'));
    await certs('bind', 'netconf', 'one');
    await certs('endpoint', 'add', 'authority/netconf');
    await certs('trust', 'add', clientCa.path, '--endpoint', 'authority/netconf');
    await certs('netconf', 'add-identity', client.path, 'specified', '--name', 'admin');
    await until('clients can come in', async () => (await standing()).state === 'ready');
    const made = await inSession(client);
    // The user is told ahead of everything else
    assert.match(made.received(), /^(?:<\?xml[^>]*>)?\s*<!--[^>]*admin[^>]*-->/);
    assert.match(await made.rpc(getting), /<data/);
    assert.match(await made.rpc(closing), /<ok/);
    await over(made);
  });

  it('shows the certificate that is installed under its id to the next client, and keeps sessions', async () => {
    const before = await inSession(client);
    const file = serverFile('second');
    await certs('replace', 'server/one', file);
    const { fingerprint } = certificateOf(readFileSync(file, 'utf8'));
    const next = await until('the next client sees it', async () => {
      const made = await inSession(client);
      return made.shown().replaceAll(':', '') === fingerprint ? made : undefined;
    });
    assert.notEqual(next.shown(), before.shown());
    assert.match(await before.rpc(getting), /<data/);
    assert.match(await before.rpc(closing), /<ok/);
  });

  it('sends nothing of NETCONF to a client that it refuses, and lists the reason', async () => {
    const self = tools.issue({ subject: '/CN=self' });
    await certs('trust', 'add', self.path, '--endpoint', 'authority/netconf').catch(
      () => undefined,
    );
    const stranger = tools.issue({ issuer: clientCa, subject: '/CN=stranger' });
    const middle = tools.issueCa({ issuer: clientCa, subject: '/CN=middle' });
    const below = tools.issue({ issuer: middle, subject: '/CN=below' });
    const others = tools.issueCa({ subject: '/CN=others' });
    const othersMiddle = tools.issueCa({ issuer: others, subject: '/CN=others middle' });
    const foreign = tools.issue({ issuer: othersMiddle, subject: '/CN=foreign' });
    const expired = tools.issue({
      ...{ issuer: clientCa, subject: '/CN=expired' },
      ...{ from: '20200101000000Z', until: '20210101000000Z' },
    });
    const cases: readonly (readonly [string, readonly Issued[]])[] = [
      ['no-certificate', []],
      ['self-signed', [self]],
      ['incomplete-chain', [below]],
      ['untrusted-issuer', [foreign, othersMiddle]],
      ['expired', [expired]],
      ['no-client-identity', [stranger]],
    ];
    for (const [reason, shows] of cases) {
      const made = await connect(...shows);
      await over(made);
      assert.equal(made.received(), '', reason);
      const [newest] = await refused();
      assert.equal(newest.reason, reason);
    }
  });

  it('ends sessions whose clients would not be let in any more', async () => {
    const changes: readonly (readonly [string, () => Promise<unknown>, () => Promise<unknown>])[] =
      [
        [
          'after the entry is taken away',
          () => certs('netconf', 'remove-identity', client.path),
          () => certs('netconf', 'add-identity', client.path, 'specified', '--name', 'admin'),
        ],
        [
          'after the CA is taken away',
          () => certs('endpoint', 'remove', 'authority/netconf'),
          async () => {
            await certs('endpoint', 'add', 'authority/netconf');
            await certs('trust', 'add', clientCa.path, '--endpoint', 'authority/netconf');
          },
        ],
        [
          'after the certificate is revoked',
          () => certs('trust', 'add', client.path, '--endpoint', 'authority/revoked'),
          () => certs('trust', 'remove', 'authority/revoked/1'),
        ],
      ];
    for (const [what, change, back] of changes) {
      const made = await inSession(client);
      await change();
      await until(what, async () => made.isOver());
      await back();
      await until('clients can come in', async () => (await standing()).state === 'ready');
    }
  });

  it('keeps what was set at run time through a kill -9, and goes back to the configuration when it is told so', async () => {
    const made = await inSession(client);
    assert.ok(killProcesses(state, 'netconf-server.js') > 0);
    await over(made);
    const again = await until('the service is back', async () => {
      const outcome = await run(process.execPath, [
        program,
        '--bus',
        stack.bus,
        'netconf',
        'status',
        '--json',
      ]);
      return outcome.status === 0 && JSON.parse(outcome.stdout).state === 'ready';
    });
    assert.ok(again);
    assert.equal((await standing()).origin, 'run time');
    const next = await inSession(client);
    const trace = JSON.parse(await certs('netconf', 'trace', 'on', '--json'));
    assert.equal(trace.trace, true);
    assert.match(await next.rpc(getting), /<data/);
    const sessions = JSON.parse(await certs('netconf', 'sessions', '--json'));
    assert.equal(sessions[0].user, 'admin');
    assert.deepEqual(JSON.parse(await certs('netconf', 'reset-identities', '--json')), []);
    await over(next);
    await certs('netconf', 'default-identity', 'specified', '--name', 'admin');
    await inSession(client);
  });

  it('refuses a bare digest of a fingerprint, and says what to put before it', async () => {
    const digest = Array.from({ length: 32 }, () => '0A').join(':');
    const args = ['netconf', 'add-identity', digest, 'san-any'];
    const outcome = await run(process.execPath, [program, '--bus', stack.bus, ...args]);
    assert.equal(outcome.status, 2);
    assert.match(outcome.stderr, /sha256 alone: write 04: before them/);
  });

  it('has the old certificates or the new ones after a kill -9 of itself or the manager in the middle of an edit-config', async () => {
    for (const [at, victim] of ['netconf-server', 'certificate-manager'].entries()) {
      const made = await inSession(client);
      const ca = tools.issueCa({ subject: `/CN=Edited ${at}` });
      const data = ca.certificate.der.toString('base64');
      const bag = `<certificate-bag><name>edited${at}</name><certificate><name>ca</name><cert-data>${data}</cert-data></certificate></certificate-bag>`;
      const truststore = `<truststore xmlns="urn:ietf:params:xml:ns:yang:ietf-truststore"><certificate-bags>${bag}</certificate-bags></truststore>`;
      made.send(
        `<edit-config><target><running/></target><config>${truststore}</config></edit-config>`,
      );
      assert.ok(killProcesses(state, `${victim}.js`) > 0);
      await until('the service is back', async () => {
        const outcome = await run(process.execPath, [
          program,
          '--bus',
          stack.bus,
          'netconf',
          'status',
          '--json',
        ]);
        return outcome.status === 0 && JSON.parse(outcome.stdout).state === 'ready';
      });
      const list = JSON.parse(await certs('endpoint', 'list', '--json'));
      const found = list.find(
        ({ endpoint }: { endpoint: string }) => endpoint === `authority/edited${at}`,
      );
      assert.ok(found === undefined || found.certificates === 1, JSON.stringify(found));
      const next = await inSession(client);
      assert.match(await next.rpc(getting), /<data/);
    }
  });
});
