import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { openssl } from '../../fakes/openssl-authority.ts';
import { type OperatorWorld, operatorWorld } from '../../fakes/operator-world.ts';

let world: OperatorWorld;
before(async () => {
  world = await operatorWorld();
});
after(() => world?.close());

const textOf = (csr: string) => openssl(['req', '-noout', '-text', '-nameopt', 'oneline'], csr);
const rows = async (...words: string[]) => {
  const found = await world.json(...words);
  assert.ok(Array.isArray(found));
  return found;
};

describe('bmc-certs csr', () => {
  it('prints a request for a server by the usages and names that TLS clients want', async () => {
    const words = [
      'csr',
      'server/https',
      '--common-name',
      'bmc.example.com',
      '--name',
      '192.0.2.7',
    ];
    const { stdout, stderr, status } = await world.run([...words, '--organization', 'Acme']);
    assert.equal(status, 0, stderr);
    assert.match(stderr, /with: bmc-certs replace server\/https FILE\n$/);
    const text = textOf(stdout);
    assert.match(text, /Subject: CN = bmc\.example\.com, O = Acme/);
    assert.match(text, /DNS:bmc\.example\.com, IP Address:192\.0\.2\.7\n/);
    assert.match(text, /TLS Web Server Authentication\n/);
    assert.match(text, /secp384r1/);
  });

  it('asks for the usages of a client at a client, and takes its options', async () => {
    const key = ['--algorithm', 'RSA', '--bits', '2048'];
    const { stdout } = await world.run(['csr', 'client/ldap', '--common-name', 'bmc7', ...key]);
    const text = textOf(stdout);
    assert.match(text, /TLS Web Client Authentication\n/);
    assert.match(text, /Public-Key: \(2048 bit\)/);
    assert.doesNotMatch(text, /Alternative Name/);
  });

  it('takes a challenge password from a file alone', async () => {
    const file = world.authority.write('challenge', 'secret words\n');
    const words = ['csr', 'server/https', '--name', 'bmc', '--challenge-password-file', file];
    assert.match(textOf((await world.run(words)).stdout), /challengePassword +: ?secret words/);
    const { stderr, status } = await world.run([...words.slice(0, 4), '--challenge-password', 'x']);
    assert.equal(status, 2);
    assert.match(stderr, /Unknown option '--challenge-password'/);
  });

  const bad: readonly (readonly [words: string, status: number, says: RegExp])[] = [
    [
      'authority/truststore --common-name x',
      2,
      /^authority\/truststore keeps certificates of CAs and has no key; /,
    ],
    ['server/https --organization Acme', 2, /: give --common-name or --name\.$/],
    ['server/foo --name x', 3, /^There is no endpoint server\/foo; /],
    ['https --name x', 2, /^An endpoint is named like server\/https, not "https"\.$/],
    ['server/https --name x --country Mars', 2, /^--country: "Mars" is not a code of two letters /],
    ['server/https --name x --bits many', 2, /^--bits: "many" is none of 2048, 3072, 4096\.$/],
    ['server/https --name x --curve P-1', 2, /^--curve: "P-1" is none of P-256, P-384, P-521\.$/],
    ['server/https --name x --name @', 2, /^--name: "@" is no DNS name /],
    ['server/https --name x --algorithm DSA', 2, /^--algorithm: "DSA" is none of RSA, EC\.$/],
    ['server/https --name x --usage Any', 2, /^--usage: "Any" is none of DigitalSignature, /],
    ['server/https --name x --algorithm RSA --curve P-256', 2, /^An EC key has a --curve, /],
    ['server/https --name x --algorithm EC --bits 2048', 2, /^An EC key has a --curve, /],
    ['server/https --name x --curve P-256 --bits 2048', 2, /^An EC key has a --curve, /],
  ];
  for (const [words, status, says] of bad) {
    it(`refuses "${words}" with status ${status}`, async () => {
      const outcome = await world.run(['csr', ...words.split(' ')]);
      assert.match(outcome.stderr.trimEnd(), says);
      assert.deepEqual([outcome.status, outcome.stdout], [status, '']);
    });
  }
});

describe('bmc-certs requests and discard', () => {
  it('show what waits for its certificate, and give it up by the beginning of its id', async () => {
    const made = Object(await world.json('csr', 'client/ldap', '--common-name', 'waiting'));
    assert.deepEqual(Object.keys(made), ['endpoint', 'id', 'subject', 'names', 'key', 'pem']);
    const found = (await rows('requests', 'client/ldap')).find(({ id }) => id === made.id);
    assert.deepEqual(Object.keys(found), [...Object.keys(made), 'created']);
    assert.equal(found.pem, made.pem);
    const { stdout } = await world.run(['discard', 'client/ldap', made.id.slice(0, 12)]);
    assert.equal(stdout, `client/ldap: CSR ${made.id} is given up\n`);
    assert.ok(!(await rows('requests', 'client/ldap')).some(({ id }) => id === made.id));
  });

  it('know no request that is not there', async () => {
    const { status, stderr } = await world.run(['discard', 'client/ldap', 'ffffffffffff']);
    assert.equal(status, 3);
    assert.match(stderr, /has no CSR ffffffffffff; bmc-certs requests client\/ldap shows what/);
  });

  it('let a certificate find its key', async () => {
    const csr = (await world.run(['csr', 'server/https', '--name', 'found.example'])).stdout;
    const ca = world.authority.issueCa();
    const pem = world.authority.sign(csr, ca);
    const { stdout, stderr } = await world.run(['replace', 'server/https', '-'], pem);
    assert.match(stdout, /^server\/https\/1: /, stderr);
  });
});

describe('bmc-certs renew and rekey', () => {
  it('refuse a number of days for which nothing was asked', async () => {
    for (const command of ['renew', 'rekey']) {
      const { status, stderr } = await world.run([command, 'server/https', '--days', '9']);
      assert.deepEqual([status, stderr], [2, '--days goes with --if-due: give both, or none.\n']);
    }
  });

  it('make a request for the same key, and for a new key', async () => {
    const { authority } = world;
    const { key, path } = authority.issue({ issuer: authority.issueCa(), subject: '/CN=renewed' });
    await world.run(['replace', 'server/https', path, authority.write('renewed.key', key)]);
    const keyOf = (csr: string) => openssl(['req', '-noout', '-pubkey'], csr);
    const own = openssl(['x509', '-noout', '-pubkey', '-in', path]);
    const renewal = await world.run(['renew', 'server/https']);
    assert.equal(keyOf(renewal.stdout), own, renewal.stderr);
    const rekeyed = (await world.run(['rekey', 'server/https', '--curve', 'P-384'])).stdout;
    assert.notEqual(keyOf(rekeyed), own);
    assert.match(textOf(rekeyed), /Subject: CN = renewed.*secp384r1/s);
  });

  it('make none for a certificate that is not due where that is asked, with status 9', async () => {
    const { authority } = world;
    const { key, path } = authority.issue({ issuer: authority.issueCa(), subject: '/CN=due' });
    await world.run(['replace', 'server/https', path, authority.write('due.key', key)]);
    const [row] = await rows('list', 'server/https');
    for (const command of ['renew', 'rekey']) {
      const days = String(row.daysLeft - 1);
      const early = await world.run([command, 'server/https', '--if-due', '--days', days]);
      assert.deepEqual([early.status, early.stdout], [9, ''], early.stderr);
      assert.match(early.stderr, /^server\/https\/1 is not due: \d+ days are left\.\n$/);
      const due = await world.run([command, 'server/https', '--if-due', '--days', '9999']);
      assert.equal(due.status, 0, due.stderr);
      assert.match(due.stdout, /^-----BEGIN CERTIFICATE REQUEST-----\n/);
    }
    const json = await world.run(['renew', 'server/https', '--if-due', '--days', '0', '--json']);
    assert.equal(json.stdout, '');
    assert.deepEqual([json.status, JSON.parse(json.stderr).error], [9, 'not-due']);
    const { status } = await world.run(['renew', 'server/https', '--if-due']);
    assert.equal(status, row.state === 'Valid' ? 9 : 0);
  });
});
