import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { run } from '../../e2e/commands.ts';
import { clone } from '../../e2e/stack.ts';
import { type Issued, opensslAuthority } from '../../fakes/openssl-authority.ts';
import {
  openDoor,
  type RecordingService,
  recordingService,
} from '../../fakes/recording-service.ts';
import { scratchDirectory } from '../../storage/scratch.ts';

const program = join(clone, 'dist', 'bmc-certs.js');
const directory = scratchDirectory();
const tools = opensslAuthority();
const secret = 'correct horse battery';

let ca: Issued;
let identity: Issued;
let service: RecordingService;
let password: string;
before(async () => {
  ca = tools.issueCa();
  identity = serverCertificate('IP:127.0.0.1');
  password = tools.write('password', `${secret}\n`);
  service = await recordingService(identity, openDoor);
});
after(async () => {
  await service?.close();
  tools.remove();
});

function serverCertificate(name: string, issuer: Issued = ca): Issued {
  return tools.issue({ issuer, subject: '/CN=bmc', extensions: [`subjectAltName=${name}`] });
}

const fingerprintOf = ({ certificate }: Issued) => certificate.x509.fingerprint256;

/** The home of an operator who knows no service yet. */
let home: string;
beforeEach(() => {
  home = directory();
  service.forget();
  service.present(identity);
});

const knownHosts = () => join(home, 'bmc-certs', 'known-hosts');
const environment = () => ['-u', 'BMC_CERTS_URL', '-u', 'BMC_CERTS_USER', `XDG_STATE_HOME=${home}`];

function list(...words: readonly string[]) {
  const login = ['--user', 'admin', '--user-password-file', password];
  const line = [program, 'list', '--url', service.url, ...login, ...words];
  return run('/usr/bin/env', [...environment(), process.execPath, ...line]);
}

/** What an accepted service was sent. */
const conversation = [
  'GET /redfish/v1/',
  'POST /redfish/v1/SessionService/Sessions',
  'DELETE /redfish/v1/SessionService/Sessions/1',
];
const heard = () => service.requests.map(({ method, url }) => `${method} ${url}`);

describe('a Redfish service that is not known yet', () => {
  it('is sent nothing where no person can be asked', async () => {
    const { status, stderr } = await list();
    assert.equal(status, 11, stderr);
    assert.match(stderr, /^127\.0\.0\.1:\d+ is not known yet\. .*--cacert FILE\.\n$/);
    assert.ok(stderr.includes(fingerprintOf(identity)), stderr);
    assert.deepEqual(heard(), []);
  });

  it('is sent nothing where the fingerprint is another', async () => {
    const { status, stderr } = await list('--fingerprint', fingerprintOf(ca));
    assert.equal(status, 11);
    assert.match(stderr, /SHOWS ANOTHER CERTIFICATE/);
    assert.deepEqual(heard(), []);
  });

  it('is remembered by its fingerprint, in a file for its owner alone', async () => {
    await list('--fingerprint', fingerprintOf(identity).replaceAll(':', '').toLowerCase());
    assert.deepEqual(heard(), conversation);
    const line = `127.0.0.1:${service.port} ${fingerprintOf(identity)}\n`;
    assert.equal(readFileSync(knownHosts(), 'utf8'), line);
    assert.equal(statSync(knownHosts()).mode & 0o777, 0o600);
    service.forget();
    const { status } = await list();
    assert.equal(status, 4, 'this one shows no certificates');
    assert.deepEqual(heard(), conversation);
  });

  it('is asked, with a warning, where its fingerprint cannot be remembered', async () => {
    home = tools.write('no-directory', '');
    const { stderr } = await list('--fingerprint', fingerprintOf(identity));
    assert.match(stderr, /^127\.0\.0\.1:\d+ is not remembered: The file \S+ cannot be written: /);
    assert.deepEqual(heard(), conversation);
  });

  for (const [answer, requests, status] of [
    ['yes', conversation, 4],
    ['no', [], 11],
  ] as const) {
    it(`is ${answer === 'yes' ? 'asked' : 'sent nothing'} when a person at the terminal says ${answer}`, async () => {
      const words = [program, 'list', '--url', service.url, '--user', 'admin'];
      const typed = answer === 'yes' ? `${answer}\n${secret}\n` : `${answer}\n`;
      const line = ['env', ...environment(), process.execPath, ...words].join(' ');
      const ended = await run('script', ['-qec', line, '/dev/null'], typed);
      assert.ok(ended.stdout.includes(fingerprintOf(identity)), ended.stdout);
      assert.match(ended.stdout, /Subject +CN=bmc/);
      assert.deepEqual([heard(), ended.status], [requests, status], ended.stdout);
    });
  }
});

describe('a Redfish service that is known', () => {
  it('is refused loudly once it shows another certificate, and is sent nothing', async () => {
    await list('--fingerprint', fingerprintOf(identity));
    service.forget();
    const other = serverCertificate('IP:127.0.0.1');
    service.present(other);
    const { status, stderr } = await list();
    assert.equal(status, 11);
    assert.match(
      stderr,
      /^127\.0\.0\.1:\d+ SHOWS ANOTHER CERTIFICATE than the one that is trusted/,
    );
    assert.deepEqual(heard(), []);
    await list('--fingerprint', fingerprintOf(other));
    assert.match(
      readFileSync(knownHosts(), 'utf8'),
      new RegExp(`^\\S+ ${fingerprintOf(other)}\n$`),
    );
  });
});

describe('the CAs of --cacert', () => {
  const rows: readonly (readonly [what: string, identity: () => Issued, fault: RegExp])[] = [
    [
      'that did not issue it',
      () => serverCertificate('IP:127.0.0.1', tools.issueCa()),
      /UNABLE|verify/i,
    ],
    ['under another name', () => serverCertificate('DNS:other.example'), /ALTNAME/],
  ];
  for (const [what, other, fault] of rows) {
    it(`refuse a certificate ${what}, and it is sent nothing`, async () => {
      service.present(other());
      const { status, stderr } = await list('--cacert', ca.path);
      assert.equal(status, 11);
      assert.match(stderr, /^The certificate of 127\.0\.0\.1:\d+ is not to be trusted: /);
      assert.match(stderr, fault);
      assert.deepEqual(heard(), []);
    });
  }

  it('vouch for the service without a fingerprint', async () => {
    await list('--cacert', ca.path);
    assert.deepEqual(heard(), conversation);
  });
});

describe('a client certificate', () => {
  const asClient = async (...words: readonly string[]) => {
    const client = tools.issue({ issuer: ca, subject: '/CN=operator' });
    const login = ['--client-certificate', client.path, '--client-key', client.keyPath];
    const line = [program, 'list', '--url', service.url, ...login, ...words];
    return run('/usr/bin/env', [...environment(), process.execPath, ...line]);
  };

  it('is not shown to a service that is not known', async () => {
    assert.equal((await asClient()).status, 11);
    assert.deepEqual([heard(), service.shown], [[], []]);
  });

  it('takes the place of a session', async () => {
    await asClient('--fingerprint', fingerprintOf(identity));
    assert.deepEqual(heard(), ['GET /redfish/v1/']);
    assert.deepEqual(service.shown, ['CN=operator']);
  });
});

describe('the options of the second road', () => {
  const rows: readonly (readonly [words: string, says: RegExp])[] = [
    ['--url http://bmc', /^--url: A Redfish service is named like https:\/\//],
    ['--url https://admin:hunter22@bmc', /named like/],
    ['--url https://bmc', /^Say who asks: give --user, or --client-certificate\.$/],
    ['--url https://bmc --user x --bus unix:path=/x', /^Give --bus or --url/],
    ['--fingerprint 00', /SHA-256 fingerprint is 64 hexadecimal digits/],
    ['--user x', /^--user is for a Redfish service: give --url, too\.$/],
  ];
  for (const [words, says] of rows) {
    it(`refuse "${words.replace('hunter22', 'PASSWORD')}" with status 2`, async () => {
      const line = [...environment(), process.execPath, program, 'list', ...words.split(' ')];
      const { status, stderr } = await run('/usr/bin/env', line);
      assert.match(stderr.trimEnd(), says);
      assert.doesNotMatch(stderr, /hunter22/);
      assert.equal(status, 2);
    });
  }

  it('may stand in the environment, as for a password file', async () => {
    const variables = [
      `BMC_CERTS_URL=${service.url}`,
      'BMC_CERTS_USER=admin',
      `BMC_CERTS_PASSWORD_FILE=${password}`,
    ];
    const words = ['list', '--fingerprint', fingerprintOf(identity)];
    const line = [`XDG_STATE_HOME=${home}`, ...variables, process.execPath, program, ...words];
    await run('/usr/bin/env', line);
    assert.deepEqual(heard(), conversation);
  });

  it('are in no way of a command that asks no service', async () => {
    const line = [`BMC_CERTS_URL=${service.url}`, process.execPath, program, 'show', ca.path];
    const { stdout } = await run('/usr/bin/env', ['-u', 'BMC_CERTS_USER', ...line]);
    assert.match(stdout, /^Kind +certificate$/m);
    assert.deepEqual(heard(), []);
  });

  it('are refused by commands that work on the device itself', async () => {
    for (const name of ['set-password', 'up']) {
      const words = [
        program,
        name,
        '--url',
        service.url,
        '--user',
        'x',
        '--password-file',
        password,
      ];
      const line = [...environment(), process.execPath, ...words];
      const { status, stderr } = await run('/usr/bin/env', line);
      assert.match(stderr, new RegExp(`^${name} works on the device itself`));
      assert.equal(status, 2);
    }
  });
});
