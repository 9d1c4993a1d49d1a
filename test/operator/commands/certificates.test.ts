import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openssl } from '../../fakes/openssl-authority.ts';
import { type OperatorWorld, operatorWorld } from '../../fakes/operator-world.ts';

let world: OperatorWorld;
before(async () => {
  world = await operatorWorld();
});
after(() => world?.close());

const keysOf = (value: unknown) => Object.keys(Object(value));
const summary = [
  ...['subject', 'issuer', 'names', 'notBefore', 'notAfter', 'daysLeft', 'state', 'sha256'],
];

describe('bmc-certs list', () => {
  it('has a row for each certificate and for each endpoint that is empty', async () => {
    const { stdout, status } = await world.run(['list']);
    assert.equal(status, 0);
    const [title, ...rows] = stdout.trimEnd().split('\n');
    assert.match(title ?? '', /^WHERE +SUBJECT +ISSUER +NAMES +DAYS +STATE +ORIGIN$/);
    assert.match(rows[0] ?? '', /^authority\/truststore +- +- +- +- +- +configuration$/);
    assert.match(rows[1] ?? '', /^client\/ldap +- /);
    assert.match(
      rows[2] ?? '',
      /^server\/https\/1 +O=OpenBMC,CN=\S+ .* 39\d +Valid +configuration$/,
    );
  });

  it('has names alone for scripts', async () => {
    const { stdout } = await world.run(['list', '-q']);
    assert.equal(stdout, 'authority/truststore\nclient/ldap\nserver/https/1\n');
  });

  it('has the same members in JSON for every row', async () => {
    const rows = await world.json('list');
    assert.ok(Array.isArray(rows));
    for (const row of rows)
      assert.deepEqual(keysOf(row), ['where', 'endpoint', 'id', ...summary, 'origin']);
    assert.deepEqual(rows[1], {
      ...{ where: 'client/ldap', endpoint: 'client/ldap', id: null },
      ...Object.fromEntries(summary.map((name) => [name, null])),
      origin: 'configuration',
    });
  });

  it('has the endpoints alone that are asked for', async () => {
    const { stdout } = await world.run(['list', '-q', 'client/ldap']);
    assert.equal(stdout, 'client/ldap\n');
  });
});

describe('bmc-certs show', () => {
  it('tells what an installed certificate says, whose number need not be given', async () => {
    const { stdout } = await world.run(['show', 'server/https']);
    assert.match(stdout, /^Kind +certificate\nWhere +server\/https\/1\nSubject +O=OpenBMC,CN=/);
    assert.match(stdout, /\nUsage +DigitalSignature, ServerAuthentication\n/);
    assert.match(stdout, /\nKey +EC P-384\n/);
    assert.doesNotMatch(stdout, /BEGIN/);
  });

  it('prints PEM alone where that is asked for', async () => {
    const { stdout } = await world.run(['show', 'server/https/1', '--pem']);
    assert.match(openssl(['x509', '-noout', '-issuer'], stdout), /OpenBMC/);
  });

  const openFile = (words: readonly string[], input = '') => world.run(['show', ...words], input);

  it('reads every form of file', async () => {
    const { authority } = world;
    const root = authority.issueCa();
    const { key, path } = authority.issue({ issuer: root, subject: '/CN=bmc' });
    const keyPath = authority.write('bmc.key', key);
    const p12 = join(authority.directory, 'bmc.p12');
    openssl([
      ...['pkcs12', '-export', '-in', path, '-inkey', keyPath, '-passout', 'pass:secret words'],
      ...['-out', p12],
    ]);
    const csr = openssl(['req', '-new', '-key', keyPath, '-subj', '/CN=asked']);
    const password = authority.write('password', 'secret words\n');
    assert.match((await openFile([path])).stdout, /^Kind +certificate\n.*\nSubject +CN=bmc\n/);
    assert.match((await openFile(['-'], csr)).stdout, /^Kind +csr\nWhere +-\nSubject +CN=asked\n/);
    const { stdout } = await openFile([p12, '--password-file', password]);
    assert.match(stdout, /^Kind +key\n.*\nKey +EC P-256\n\nKind +certificate\n/);
    assert.doesNotMatch(stdout, /PRIVATE/);
  });

  const bad: readonly (readonly [target: string, status: number, says: RegExp])[] = [
    [
      'server/foo/1',
      3,
      /^There is no endpoint server\/foo; the endpoints are authority\/truststore, /,
    ],
    [
      'server/https/2',
      3,
      /^There is no certificate server\/https\/2; there are server\/https\/1\.$/,
    ],
    ['authority/truststore', 3, /^There is no certificate at authority\/truststore\.$/],
    ['client/ldap', 3, /^There is no certificate client\/ldap\/1; the endpoint is empty\.$/],
    ['no-such-file', 3, /^The file no-such-file cannot be read: there is no such file\.$/],
    ['/etc/hostname', 5, /^no-certificate: the file holds no certificate: it is /],
    ['/etc', 5, /^The file \/etc cannot be read: it is a directory and no regular file\.$/],
  ];
  for (const [target, status, says] of bad) {
    it(`says of ${target} what is wrong, with status ${status}`, async () => {
      const outcome = await openFile([target]);
      assert.match(outcome.stderr.trimEnd(), says);
      assert.deepEqual([outcome.status, outcome.stdout], [status, '']);
    });
  }
});

describe('bmc-certs install, replace and delete', () => {
  const serverFile = () => readFileSync(join(world.bus.directory, 'https', 'server.pem'), 'utf8');

  it('put a certificate into service with a key of another file, and take it away again', async () => {
    const root = world.authority.issueCa();
    const { key, path } = world.authority.issue({ issuer: root, subject: '/CN=ldap' });
    const keyPath = world.authority.write('ldap.key', key);
    const installed = await world.run(['install', 'client/ldap', path, keyPath]);
    assert.equal(installed.status, 0, installed.stderr);
    assert.match(installed.stdout, /^client\/ldap\/1: CN=ldap, until \d{4}-\d\d-\d\d\n$/);
    const again = await world.run(['install', 'client/ldap', path, keyPath]);
    assert.equal(again.status, 6);
    assert.match(again.stderr, /^already-installed: .*; use bmc-certs replace\.\n$/);
    const { stdout, status } = await world.run(['delete', 'client/ldap']);
    assert.deepEqual([stdout, status], ['client/ldap/1: deleted (CN=ldap)\n', 0]);
  });

  it('tell what of a file is not served, and warnings, on standard error', async () => {
    const { authority } = world;
    const root = authority.issueCa();
    const other = authority.issueCa({ subject: '/CN=Other CA' });
    const { key, path } = authority.issue({ issuer: root, subject: '/CN=bmc' });
    const keyPath = authority.write('bmc.key', key);
    const words = ['replace', 'server/https', path, keyPath, other.path];
    const { stderr, status } = await world.run(words);
    assert.equal(status, 0, stderr);
    assert.match(stderr, /^Left out: CN=Other CA: /m);
    assert.match(stderr, /^Note: its issuer .* is not served with it; /m);
    const row = await world.json(...words);
    assert.deepEqual(keysOf(row), ['certificate', ...summary, 'warnings', 'leftOut', 'missing']);
    assert.equal(Object(row).leftOut[0].subject, 'CN=Other CA');
  });

  it('tell of a server that has expired and has no alternative names', async () => {
    const { authority } = world;
    const { key, path } = authority.issue({
      ...{ from: '20250101000000Z', until: '20260101000000Z' },
      extensions: ['basicConstraints=CA:FALSE'],
    });
    const keyPath = authority.write('expired.key', key);
    const { stderr, status } = await world.run(['replace', 'server/https', path, keyPath]);
    assert.equal(status, 0, stderr);
    assert.match(stderr, /^Warning: expired: it expired at 2026-01-01T00:00:00Z; /m);
    assert.match(stderr, /^Warning: name-missing: web browsers and others refuse it: /m);
  });

  it('take a PKCS #12 from standard input with the password of a file', async () => {
    const { authority } = world;
    const { key, path } = authority.issue({ issuer: authority.issueCa(), subject: '/CN=p12' });
    const der = join(authority.directory, 'key.der');
    const keyPath = authority.write('p12.key', key);
    const args = ['pkcs8', '-topk8', '-passout', 'pass:secret words', '-outform', 'PEM'];
    openssl([...args, '-in', keyPath, '-out', der]);
    const password = authority.write('password', 'secret words');
    const words = ['replace', 'server/https', path, '-', '--password-file', password];
    const { stdout, stderr } = await world.run(words, readFileSync(der, 'utf8'));
    assert.match(stdout, /^server\/https\/1: CN=p12, /, stderr);
    assert.match(openssl(['x509', '-noout', '-subject'], serverFile()), /CN = p12/);
  });

  const refused = [
    [
      'a certificate without its key',
      'certificate',
      5,
      /^key-(?:missing|mismatch): .*; give the file of the key/,
    ],
    [
      'an encrypted key without a password',
      'encrypted',
      5,
      /^key-encrypted: .*; give its password with --password-file\.$/,
    ],
    [
      'a wrong password',
      'wrong',
      5,
      /^password-wrong: .*; give the right password with --password-file\.$/,
    ],
    ['no certificate', 'nothing', 5, /^no-certificate: /],
    ['an empty file', 'empty', 5, /^The file \S+ is empty\.$/],
    ['standard input twice', 'twice', 2, /^Standard input can be read once/],
  ] as const;
  for (const [what, which, status, says] of refused) {
    it(`change nothing for ${what}, and say what to do`, async () => {
      const { authority } = world;
      const before = serverFile();
      const { key, path } = authority.issue({ issuer: authority.issueCa(), subject: '/CN=x' });
      const encrypted = authority.write(
        'encrypted.key',
        openssl([
          'pkcs8',
          '-topk8',
          '-passout',
          'pass:right',
          '-in',
          authority.write('x.key', key),
        ]),
      );
      const password = authority.write('password', 'wrong words');
      const files = {
        certificate: [path],
        encrypted: [path, encrypted],
        wrong: [path, encrypted, '--password-file', password],
        nothing: [authority.write('nothing', 'nothing')],
        empty: [authority.write('empty', '')],
        twice: ['-', '-'],
      }[which];
      const outcome = await world.run(['replace', 'server/https', ...files]);
      assert.match(outcome.stderr.trimEnd(), says);
      assert.deepEqual([outcome.status, outcome.stdout], [status, '']);
      assert.equal(serverFile(), before);
      assert.doesNotMatch(outcome.stderr, /PRIVATE KEY|wrong words/);
    });
  }
});
