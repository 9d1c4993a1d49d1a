import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Background, background, run, until } from '../e2e/commands.ts';
import { clone } from '../e2e/stack.ts';
import { freePort } from '../fakes/free-port.ts';
import { type Issued, opensslAuthority } from '../fakes/openssl-authority.ts';
import { writeMockup } from './foreign-mockup.ts';
import { skipWithout } from './programs.ts';

const tools = opensslAuthority();
const program = join(clone, 'dist', 'bmc-certs.js');

describe('bmc-certs at a Redfish service of another maker', {
  skip: skipWithout('sushy-static'),
}, () => {
  let server: Background;
  let root: Issued;
  let https: Issued;
  let url: string;
  before(async () => {
    root = tools.issueCa({ subject: '/CN=root' });
    const second = tools.issueCa({ subject: '/CN=second' });
    https = tools.issue({
      issuer: root,
      subject: '/CN=bmc',
      extensions: ['subjectAltName=IP:127.0.0.1'],
    });
    const mockup = join(tools.directory, 'mockup');
    writeMockup(mockup, { https: https.pem, trusted: [root.pem, second.pem], boot: second.pem });
    const port = await freePort();
    url = `https://127.0.0.1:${port}`;
    const credential = ['--ssl-certificate', https.path, '--ssl-key', https.keyPath];
    const place = ['--interface', '127.0.0.1', '--port', String(port), '--mockup-files', mockup];
    server = background(join(clone, '.venv', 'bin', 'sushy-static'), [...place, ...credential]);
    await until('the service answers', async () => {
      return (await run('curl', ['-skf', `${url}/redfish/v1/`])).status === 0;
    });
  });
  after(async () => {
    await server?.stop();
    tools.remove();
  });

  /** The service asks for no login, so that a certificate is enough which it does not look at. */
  function bmcCerts(...words: readonly string[]) {
    const client = ['--client-certificate', https.path, '--client-key', https.keyPath];
    const options = ['--url', url, '--cacert', root.path, ...client];
    return run('/usr/bin/env', [
      '-u',
      'BMC_CERTS_USER',
      process.execPath,
      program,
      ...words,
      ...options,
    ]);
  }

  async function json(...words: readonly string[]) {
    const { status, stdout, stderr } = await bmcCerts(...words, '--json');
    assert.equal(status, 0, stderr);
    return { rows: JSON.parse(stdout), stderr };
  }

  it('lists its certificates, under the names that ours have', async () => {
    const { rows, stderr } = await json('list');
    assert.deepEqual(
      rows.map(({ where, subject }: { where: string; subject: string }) => [where, subject]),
      [
        ['authority/Systems_437XR1138R2_Boot/1', 'CN=second'],
        ['authority/truststore/Corporate-CA.1', 'CN=root'],
        ['authority/truststore/Corporate-CA.2', 'CN=second'],
        ['server/https/1', 'CN=bmc'],
      ],
    );
    assert.match(
      stderr,
      /^Left out: authority\/truststore\/Sealed \(\/redfish\/\S+\) cannot be read: .+\.\n$/,
    );
  });

  const reads: readonly (readonly [words: string, says: RegExp])[] = [
    ['show server/https', /"subject": "CN=bmc"/],
    ['show authority/truststore/Corporate-CA.2', /"isCa": true/],
    ['trust list', /"certificate": "authority\/truststore\/Corporate-CA\.1"/],
    ['check', /"verdict": "OK"/],
    ['status', /"pending": null/],
    ['doctor', /"check": "services",\s+"where": "device",\s+"verdict": "skipped"/],
  ];
  for (const [words, says] of reads) {
    it(`can be asked for ${words}`, async () => {
      const { stdout } = await bmcCerts(...words.split(' '), '--json');
      assert.match(stdout, says);
    });
  }

  it('has accounts, whatever it calls them', async () => {
    const { rows } = await json('user', 'list');
    assert.deepEqual(rows, [
      {
        account: 'root',
        role: 'Administrator',
        enabled: true,
        locked: false,
        passwordChangeRequired: false,
      },
      {
        account: 'operator',
        role: 'PowerUser',
        enabled: false,
        locked: false,
        passwordChangeRequired: false,
      },
    ]);
  });

  const absent = [
    'requests',
    'discard server/https 3f9a',
    'reload server/https',
    'stage server/https CERTIFICATE',
    'activate server/https',
    'commit server/https',
    'rollback server/https',
    'trust replace CA',
    'renew server/https',
    'rekey server/https',
    'watch',
  ];
  for (const line of absent) {
    it(`is said to be unable to do ${line}, with status 10`, async () => {
      const files = new Map([
        ['CERTIFICATE', https.path],
        ['CA', root.path],
      ]);
      const words = line.split(' ').map((word) => files.get(word) ?? word);
      const { status, stdout, stderr } = await bmcCerts(...words);
      assert.match(
        stderr,
        /^This Redfish service cannot .+: it does not offer that\. Run bmc-certs on the device itself\.$/m,
      );
      assert.deepEqual([status, stdout], [10, '']);
    });
  }

  it('is told apart from one that opens a session', async () => {
    const login = ['--user', 'root', '--user-password-file', tools.write('password', 'secret')];
    const options = ['--url', url, '--cacert', root.path, ...login];
    const { status, stderr } = await run(process.execPath, [program, 'list', ...options]);
    assert.match(stderr, /^The Redfish service opens no session: the HTTP status is 204\n$/);
    assert.equal(status, 1);
  });
});
