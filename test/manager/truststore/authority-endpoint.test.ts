import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import type { CertErrorCode } from '../../../src/core/cert-error.ts';
import type { EndpointDefinition } from '../../../src/manager/endpoint-definition.ts';
import { AuthorityEndpoint } from '../../../src/manager/truststore/authority-endpoint.ts';
import { formatPem } from '../../../src/x509/pem.ts';
import { makeWorld, recordEvents, snapshot, type World } from '../../fakes/manager-world.ts';
import { type Issued, keyKinds, openssl, opensslAuthority } from '../../fakes/openssl-authority.ts';
import { refusal } from '../../fakes/refusal.ts';

const tools = opensslAuthority();
after(() => tools.remove());

const cas = ['One', 'Two', 'Three', 'Four'].map((name) =>
  tools.issueCa({ subject: `/CN=${name}` }),
);
const [one, two, three, four] = cas as [Issued, Issued, Issued, Issued];
const namesake = tools.issueCa({ subject: '/CN=One' });
const leaf = tools.issue({ issuer: one });
const weak = tools.issueCa({ key: keyKinds.rsa(1024), subject: '/CN=Weak' });
const mark = ({ certificate }: Issued) => certificate.fingerprint.slice(0, 8);

describe('a truststore', () => {
  let world: World;
  let definition: EndpointDefinition;
  let endpoint: AuthorityEndpoint;
  let events: string[];
  const listed = (of = endpoint) =>
    of.list().map(({ id, certificate }) => `${id} ${certificate.fingerprint.slice(0, 8)}`);
  /** What another manager would find on the disk. */
  const stored = async () => {
    const again = new AuthorityEndpoint(definition, world.dependencies);
    await again.start();
    return listed(again);
  };

  beforeEach(async () => {
    world = makeWorld({ limits: { authorities: 3 } });
    const path = join(world.directory, 'authority');
    definition = { type: 'authority', name: 'truststore', path, reload: [] };
    endpoint = new AuthorityEndpoint(definition, world.dependencies);
    events = recordEvents(endpoint);
    await endpoint.start();
  });
  afterEach(() => world.remove());

  it('is empty at first and stays so', async () => {
    await endpoint.maintain();
    assert.deepEqual(listed(), []);
    assert.deepEqual(events, []);
    assert.deepEqual(world.reloads, []);
  });

  it('installs one after another under growing ids', async () => {
    assert.equal((await endpoint.install(one.pem)).id, '1');
    assert.equal((await endpoint.install(two.pem)).id, '2');
    assert.deepEqual(listed(), [`1 ${mark(one)}`, `2 ${mark(two)}`]);
    assert.deepEqual(events, [`added 1 ${mark(one)}`, `added 2 ${mark(two)}`]);
    assert.deepEqual(world.reloads, ['truststore', 'truststore']);
    assert.deepEqual(await stored(), listed());
  });

  describe('to which a bundle is added', () => {
    it('has all of it beside what is there, which is no obstacle', async () => {
      await endpoint.install(one.pem);
      const added = await endpoint.add(two.pem + one.pem + three.pem);
      assert.deepEqual(
        added.map(({ id }) => id),
        ['2', '3'],
      );
      assert.deepEqual(listed(), [`1 ${mark(one)}`, `2 ${mark(two)}`, `3 ${mark(three)}`]);
      assert.deepEqual(events.slice(1), [`added 2 ${mark(two)}`, `added 3 ${mark(three)}`]);
      assert.deepEqual(await stored(), listed());
    });

    const refused: [string, CertErrorCode, string][] = [
      ['a leaf is in it', 'not-a-ca', two.pem + leaf.pem],
      ['nothing of it is new', 'already-installed', one.pem],
      ['it is more than fits', 'limit-reached', two.pem + three.pem + four.pem],
    ];
    for (const [what, code, bundle] of refused) {
      it(`stays as it is when ${what}`, async () => {
        await endpoint.install(one.pem);
        await assert.rejects(endpoint.add(bundle), refusal(code));
        assert.deepEqual(listed(), [`1 ${mark(one)}`]);
        assert.deepEqual(await stored(), listed());
      });
    }
  });

  it('installs two of one subject', async () => {
    await endpoint.install(one.pem);
    assert.equal((await endpoint.install(namesake.pem)).id, '2');
  });

  it('takes the first certificate of a file, and never a key', async () => {
    await endpoint.install(`${two.pem}${two.key}${one.pem}`);
    assert.deepEqual(listed(), [`1 ${mark(two)}`]);
    for (const text of Object.values(snapshot(world.directory))) {
      assert.doesNotMatch(text, /PRIVATE KEY/);
    }
  });

  it('replaces one under its id', async () => {
    await endpoint.install(one.pem);
    await endpoint.install(two.pem);
    const { id } = await endpoint.replace('1', three.pem);
    assert.equal(id, '1');
    assert.deepEqual(listed(), [`1 ${mark(three)}`, `2 ${mark(two)}`]);
    assert.equal(events.at(-1), `changed 1 ${mark(three)}`);
    assert.deepEqual(await stored(), listed());
  });

  it('replaces one by itself', async () => {
    await endpoint.install(one.pem);
    assert.equal((await endpoint.replace('1', one.pem)).id, '1');
  });

  it('deletes one and never gives its id out again, also after a restart', async () => {
    await endpoint.install(one.pem);
    await endpoint.install(two.pem);
    await endpoint.delete('2');
    assert.deepEqual(listed(), [`1 ${mark(one)}`]);
    assert.equal(events.at(-1), `removed 2 ${mark(two)}`);
    assert.deepEqual(await stored(), listed());
    const again = new AuthorityEndpoint(definition, world.dependencies);
    await again.start();
    assert.equal((await again.install(two.pem)).id, '3');
  });

  it('installs a bundle under the ids of its order', async () => {
    const installed = await endpoint.installAll(`${two.pem}text\n${one.pem}${two.pem}${two.key}`);
    assert.deepEqual(
      installed.map(({ id }) => id),
      ['1', '2', '1'],
    );
    assert.deepEqual(listed(), [`1 ${mark(two)}`, `2 ${mark(one)}`]);
    assert.deepEqual(events, [`added 1 ${mark(two)}`, `added 2 ${mark(one)}`]);
    assert.deepEqual(world.reloads, ['truststore']);
    assert.deepEqual(await stored(), listed());
  });

  it('replaces all: what stays keeps its id, what is new gets one that nobody had', async () => {
    await endpoint.installAll(one.pem + two.pem);
    events.length = 0;
    const installed = await endpoint.replaceAll(three.pem + one.pem);
    assert.deepEqual(
      installed.map(({ id }) => id),
      ['3', '1'],
    );
    assert.deepEqual(listed(), [`1 ${mark(one)}`, `3 ${mark(three)}`]);
    assert.deepEqual(events, [`removed 2 ${mark(two)}`, `added 3 ${mark(three)}`]);
    assert.deepEqual(await stored(), listed());
  });

  it('deletes all and goes on with new ids', async () => {
    await endpoint.installAll(one.pem + two.pem);
    await endpoint.deleteAll();
    assert.deepEqual(listed(), []);
    assert.deepEqual(events.slice(2), [`removed 1 ${mark(one)}`, `removed 2 ${mark(two)}`]);
    assert.deepEqual(readdirSync(definition.path), []);
    assert.equal((await endpoint.install(one.pem)).id, '3');
  });

  it('announces at a start what is stored', async () => {
    await endpoint.installAll(one.pem + two.pem);
    const again = new AuthorityEndpoint(definition, world.dependencies);
    const lines = recordEvents(again);
    await again.start();
    assert.deepEqual(lines, [`added 1 ${mark(one)}`, `added 2 ${mark(two)}`]);
  });

  it('is silent once it is stopped', async () => {
    endpoint.stop();
    await endpoint.install(one.pem);
    assert.deepEqual(events, []);
  });

  it('stores certificates as it shows them', async () => {
    await endpoint.install(`Subject: x\r\n${one.pem.replaceAll('\n', '\r\n')}`);
    assert.equal(readFileSync(join(definition.path, '1.pem'), 'utf8'), one.pem);
    assert.equal(endpoint.list()[0]?.certificate.pem, one.pem);
  });

  it('takes every certificate of a bundle, in whatever block it is', async () => {
    const trusted = openssl(['x509', '-trustout', '-addtrust', 'clientAuth'], two.pem);
    const container = openssl(['crl2pkcs7', '-nocrl', '-certfile', three.path]);
    const windows = container.replaceAll('PKCS7', 'CERTIFICATE');
    await endpoint.installAll(one.pem + trusted + windows);
    assert.deepEqual(
      endpoint.list().map(({ certificate }) => certificate.pem),
      [one.pem, two.pem, three.pem],
    );
  });

  const crl = formatPem('X509 CRL', Buffer.of(0x30, 0));
  const request = formatPem('CERTIFICATE REQUEST', Buffer.of(0x30, 0));
  const unknown = formatPem('ATTESTATION', Buffer.of(0x30, 0));
  const refusals: [string, CertErrorCode, (of: AuthorityEndpoint) => Promise<unknown>][] = [
    ['install of nothing', 'no-certificate', (of) => of.install('')],
    ['install of a leaf', 'not-a-ca', (of) => of.install(leaf.pem)],
    ['install of a weak CA', 'key-strength', (of) => of.install(weak.pem)],
    ['install of one that is there', 'already-installed', (of) => of.install(two.pem)],
    ['install of half a file', 'pem-malformed', (of) => of.install(one.pem + one.pem.slice(0, 99))],
    ['replace by one that is there', 'already-installed', (of) => of.replace('1', two.pem)],
    ['replace by a leaf', 'not-a-ca', (of) => of.replace('1', leaf.pem)],
    ['replace of nobody', 'not-found', (of) => of.replace('7', three.pem)],
    ['replace under another spelling', 'not-found', (of) => of.replace('01', three.pem)],
    ['delete of nobody', 'not-found', (of) => of.delete('7')],
    ['installAll onto others', 'not-empty', (of) => of.installAll(three.pem)],
    ['replaceAll with a leaf', 'not-a-ca', (of) => of.replaceAll(three.pem + leaf.pem)],
    ['replaceAll with a weak CA', 'key-strength', (of) => of.replaceAll(three.pem + weak.pem)],
    ['replaceAll with a CRL', 'no-certificate', (of) => of.replaceAll(one.pem + crl)],
    ['replaceAll with a CSR', 'no-certificate', (of) => of.replaceAll(one.pem + request)],
    [
      'replaceAll with a block of no known kind',
      'no-certificate',
      (of) => of.replaceAll(unknown + one.pem),
    ],
    ['replaceAll with nothing', 'no-certificate', (of) => of.replaceAll('nothing')],
    ['replaceAll with a cut file', 'pem-malformed', (of) => of.replaceAll(three.pem.slice(0, 300))],
    [
      'replaceAll with more than the limit',
      'limit-reached',
      (of) => of.replaceAll(cas.map(({ pem }) => pem).join('')),
    ],
  ];
  for (const [what, code, act] of refusals) {
    it(`is as it was after a refused ${what}`, async () => {
      await endpoint.installAll(one.pem + two.pem);
      const before = { list: listed(), disk: snapshot(world.directory), told: [...events] };
      await assert.rejects(act(endpoint), refusal(code));
      assert.deepEqual({ list: listed(), disk: snapshot(world.directory), told: events }, before);
      assert.deepEqual(world.reloads, ['truststore']);
    });
  }

  it('takes as many as the limit and no more', async () => {
    await endpoint.installAll(one.pem + two.pem + three.pem);
    await assert.rejects(endpoint.install(four.pem), refusal('limit-reached', /4 .*limit of 3/));
    await endpoint.delete('1');
    assert.equal((await endpoint.install(four.pem)).id, '4');
  });
});
