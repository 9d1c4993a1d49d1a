import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type OperatorWorld, operatorWorld } from '../../fakes/operator-world.ts';

let world: OperatorWorld;
before(async () => {
  world = await operatorWorld();
});
after(() => world?.close());

const subjects = async () => {
  const rows = await world.json('trust', 'list');
  assert.ok(Array.isArray(rows));
  return rows.map(({ subject }) => String(subject));
};

describe('bmc-certs trust', () => {
  it('adds each CA of a bundle that is not there yet', async () => {
    const one = world.authority.issueCa({ subject: '/CN=one' });
    const two = world.authority.issueCa({ subject: '/CN=two' });
    const added = await world.run(['trust', 'add', one.path]);
    assert.match(added.stdout, /^authority\/truststore\/\d+: CN=one, until /, added.stderr);
    const bundle = world.authority.write('bundle.pem', one.pem + two.pem);
    const again = await world.run(['trust', 'add', bundle]);
    assert.match(again.stdout, /^authority\/truststore\/\d+: CN=two, until .*\n$/);
    assert.equal(again.stderr, 'The other CAs are there already.\n');
    const once = await world.run(['trust', 'add', bundle]);
    assert.deepEqual([once.status, once.stderr], [0, 'All of these CAs are there already.\n']);
    assert.deepEqual(await subjects(), ['CN=one', 'CN=two']);
    const { stdout } = await world.run(['trust', 'list']);
    assert.match(stdout, /^CA +SUBJECT +ISSUER +NAMES +DAYS +STATE\n/);
  });

  it('says what was added before a CA that is refused', async () => {
    const good = world.authority.issueCa({ subject: '/CN=good' });
    const leaf = world.authority.issue({ issuer: good, subject: '/CN=no CA' });
    const { status, stderr } = await world.run(['trust', 'add', good.path, leaf.path]);
    assert.equal(status, 5);
    assert.match(stderr, /^not-a-ca: .*\. Added before it: authority\/truststore\/\d+\.\n$/);
  });

  it('removes one by its number or its name', async () => {
    for (const shorten of [true, false]) {
      const ca = world.authority.issueCa({ subject: '/CN=short-lived' });
      const row = Object(await world.json('trust', 'add', ca.path))[0];
      const name = shorten ? row.certificate.split('/').at(-1) : row.certificate;
      const { stdout } = await world.run(['trust', 'remove', name]);
      assert.equal(stdout, `${row.certificate}: removed (CN=short-lived)\n`);
    }
    const { status, stderr } = await world.run(['trust', 'remove', '999']);
    assert.equal(status, 3);
    assert.match(stderr, /^There is no certificate authority\/truststore\/999; /);
  });

  it('removes nothing by the name of what is no CA', async () => {
    const { status, stderr } = await world.run(['trust', 'remove', 'server/https/1']);
    assert.equal(status, 2);
    assert.match(stderr, /^A CA is named like authority\/truststore\/1, not "server\/https\/1"/);
  });

  it('replaces all of them, or none when one is bad', async () => {
    const three = world.authority.issueCa({ subject: '/CN=three' });
    const { status, stderr } = await world.run(['trust', 'replace', three.path]);
    assert.equal(status, 0, stderr);
    assert.deepEqual(await subjects(), ['CN=three']);
    const leaf = world.authority.issue({ issuer: three, subject: '/CN=no CA' });
    const bad = await world.run(['trust', 'replace', three.path, leaf.path]);
    assert.equal(bad.status, 5);
    assert.deepEqual(await subjects(), ['CN=three']);
  });

  it('takes another truststore by its name, and no endpoint of another type', async () => {
    const absent = await world.run(['trust', 'list', '-e', 'authority/other']);
    assert.equal(absent.status, 3);
    const server = await world.run(['trust', 'list', '-e', 'server/https']);
    assert.equal(server.status, 2);
    assert.match(server.stderr, /named like authority\/truststore, not "server\/https"/);
  });
});
