import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CertErrorCode } from '../../../src/core/cert-error.ts';
import { CredentialEndpoint } from '../../../src/manager/credential/credential-endpoint.ts';
import type { EndpointDefinition } from '../../../src/manager/endpoint-definition.ts';
import {
  csrParameters,
  makeWorld,
  recordEvents,
  snapshot,
  type World,
} from '../../fakes/manager-world.ts';
import {
  caExtensions,
  certificateOf,
  damagedSignature,
  keyKinds,
  openssl,
  opensslAuthority,
} from '../../fakes/openssl-authority.ts';
import { refusal } from '../../fakes/refusal.ts';

const tools = opensslAuthority();
after(() => tools.remove());

const root = tools.issueCa();
const middle = tools.issue({ issuer: root, subject: '/CN=Middle CA', extensions: caExtensions });
const leaf = tools.issue({ issuer: middle });
const other = tools.issue({ issuer: root, subject: '/CN=other' });
const renewed = tools.issue({ issuer: root, keyOf: leaf });
const weak = tools.issue({ issuer: root, key: keyKinds.rsa(1024) });
const early = tools.issue({ issuer: root, from: '19600101000000Z' });
const strange = tools.issue({ issuer: root, extensions: ['1.2.3.4=critical,ASN1:NULL'] });
const damaged = damagedSignature(other.certificate);
const sealed = openssl(['pkey', '-aes128', '-passout', 'pass:tops3cret'], leaf.key);

const good = leaf.key + leaf.pem;
const mark = (pem: string) => certificateOf(pem).fingerprint.slice(0, 8);

describe('a client endpoint', () => {
  let world: World;
  let definition: EndpointDefinition;
  let endpoint: CredentialEndpoint;
  let events: string[];
  const listed = (of = endpoint) =>
    of.list().map(({ id, certificate }) => `${id} ${mark(certificate.pem)}`);
  const text = () => readFileSync(definition.path, 'utf8');
  const restart = async () => {
    const again = new CredentialEndpoint(definition, world.dependencies);
    await again.start();
    return again;
  };

  beforeEach(async () => {
    world = makeWorld();
    const path = join(world.directory, 'ldap', 'cert.pem');
    definition = { type: 'client', name: 'ldap', path, reload: [] };
    endpoint = new CredentialEndpoint(definition, world.dependencies);
    events = recordEvents(endpoint);
    await endpoint.start();
  });
  afterEach(() => world.remove());

  it('answers a change before the next one is heard of, however long its note among the requests takes', async () => {
    const { requests } = endpoint;
    const noteInstalled = requests.noteInstalled.bind(requests);
    let isNoted = () => {};
    const noted = new Promise<void>((resolve) => {
      isNoted = resolve;
    });
    requests.noteInstalled = async (pair) => {
      await noted;
      await noteInstalled(pair);
    };
    const installed = endpoint.install(good).then(() => events.push('answered'));
    const deleted = endpoint.delete('1');
    // The deletion would be over by then
    await Promise.race([deleted, sleep(200)]);
    isNoted();
    await Promise.all([installed, deleted]);
    const id = `1 ${mark(leaf.pem)}`;
    assert.deepEqual(events, [`added ${id}`, 'answered', `removed ${id}`]);
  });

  it('has no certificate at first, and never makes one', async () => {
    await endpoint.maintain();
    assert.deepEqual(listed(), []);
    assert.deepEqual(events, []);
    assert.ok(!existsSync(definition.path));
  });

  it('installs a pair under the id 1', async () => {
    const installed = await endpoint.install(root.pem + middle.pem + good);
    assert.equal(installed.id, '1');
    assert.deepEqual(
      installed.chain.map(({ pem }) => pem),
      [middle.pem, root.pem],
    );
    assert.equal(text(), leaf.key + leaf.pem + middle.pem + root.pem);
    assert.equal(statSync(definition.path).mode & 0o777, 0o600);
    assert.deepEqual(events, [`added 1 ${mark(leaf.pem)}`]);
    assert.deepEqual(world.reloads, ['ldap']);
    assert.deepEqual(listed(await restart()), listed());
  });

  it('writes for the group of the configuration', async () => {
    definition = { ...definition, group: process.getgid?.() ?? 0 };
    await (await restart()).install(good);
    assert.equal(statSync(definition.path).mode & 0o777, 0o640);
  });

  it('replaces its pair under the same id', async () => {
    await endpoint.install(good);
    await endpoint.replace('1', other.pem + other.key);
    assert.deepEqual(listed(), [`1 ${mark(other.pem)}`]);
    assert.equal(events.at(-1), `changed 1 ${mark(other.pem)}`);
    assert.equal(text(), other.key + other.pem);
    assert.deepEqual(world.reloads, ['ldap', 'ldap']);
  });

  it('renews its certificate with the key in service', async () => {
    await endpoint.install(good);
    await endpoint.replace('1', renewed.pem);
    assert.equal(text(), leaf.key + renewed.pem);
  });

  it('installs a certificate for a request, and a later one for the same request', async () => {
    const request = await endpoint.requests.make(csrParameters({ CommonName: 'bmc' }));
    assert.equal(endpoint.requests.newest(), request);
    await endpoint.requests.make(csrParameters({ CommonName: 'newer' }));
    await endpoint.install(tools.sign(request, root));
    await endpoint.replace('1', good);
    await endpoint.replace('1', tools.sign(request, root));
    const publicKey = openssl(['req', '-noout', '-pubkey'], request);
    assert.equal(openssl(['pkey', '-pubout', '-in', definition.path]), publicKey);
    assert.deepEqual(listed(await restart()), listed());
  });

  it('stores no key but the one of its certificate', async () => {
    await endpoint.install(other.key + good);
    assert.equal(text().match(/BEGIN PRIVATE KEY/g)?.length, 1);
  });

  it('deletes its pair, and takes another', async () => {
    await endpoint.install(good);
    await endpoint.delete('1');
    assert.deepEqual(listed(), []);
    assert.ok(!existsSync(definition.path));
    assert.equal(events.at(-1), `removed 1 ${mark(leaf.pem)}`);
    assert.equal((await endpoint.install(other.key + other.pem)).id, '1');
    await endpoint.deleteAll();
    assert.deepEqual(listed(await restart()), []);
  });

  it('deletes all when there is nothing', async () => {
    await endpoint.deleteAll();
    assert.deepEqual(events, []);
  });

  it('announces at a start what is stored', async () => {
    await endpoint.install(good);
    const again = new CredentialEndpoint(definition, world.dependencies);
    const lines = recordEvents(again);
    await again.start();
    assert.deepEqual(lines, [`added 1 ${mark(leaf.pem)}`]);
  });

  it('is silent once it is stopped', async () => {
    endpoint.stop();
    await endpoint.install(good);
    assert.deepEqual(events, []);
  });

  const refusals: [string, CertErrorCode, (of: CredentialEndpoint) => Promise<unknown>][] = [
    ['install of a second pair', 'already-installed', (of) => of.install(other.key + other.pem)],
    ['installAll', 'wrong-endpoint-type', (of) => of.installAll()],
    ['replaceAll', 'wrong-endpoint-type', (of) => of.replaceAll()],
    ['replace of nobody', 'not-found', (of) => of.replace('2', other.key + other.pem)],
    ['delete of nobody', 'not-found', (of) => of.delete('2')],
    ...(
      [
        ['nothing', 'no-certificate', ''],
        ['a key alone', 'no-certificate', leaf.key],
        ['half a certificate', 'pem-malformed', good.slice(0, -100)],
        ['too many certificates', 'too-many-certificates', good + root.pem.repeat(10)],
        ['the key of another', 'key-mismatch', other.key + leaf.pem],
        ['a certificate for no key', 'key-missing', other.pem],
        ['an encrypted key', 'key-encrypted', sealed + leaf.pem],
        ['a weak key', 'key-strength', weak.key + weak.pem],
        ['a weak certificate before it lacks a key', 'key-strength', weak.pem],
        ['a begin before 1970', 'validity-start', early.key + early.pem],
        ['an unknown critical extension', 'critical-extension', strange.key + strange.pem],
        ['a damaged certificate', 'chain-signature', other.key + damaged + root.pem],
      ] as const
    ).map(
      ([what, code, pem]): [
        string,
        CertErrorCode,
        (of: CredentialEndpoint) => Promise<unknown>,
      ] => [`replace by ${what}`, code, (of) => of.replace('1', pem)],
    ),
  ];
  for (const [what, code, act] of refusals) {
    it(`is as it was after a refused ${what}`, async () => {
      await endpoint.install(good);
      const before = { list: listed(), disk: snapshot(world.directory), told: [...events] };
      await assert.rejects(act(endpoint), refusal(code));
      assert.deepEqual({ list: listed(), disk: snapshot(world.directory), told: events }, before);
      assert.deepEqual(world.reloads, ['ldap']);
    });
  }

  it('refuses a certificate for none of its requests as a mismatch', async () => {
    await endpoint.requests.make(csrParameters());
    await assert.rejects(endpoint.install(leaf.pem), refusal('key-mismatch'));
  });

  it('does not serve a damaged file, and says why', async () => {
    await endpoint.install(good);
    writeFileSync(definition.path, other.key + leaf.pem);
    assert.deepEqual(listed(await restart()), []);
    const reported = world.logged.find(({ level }) => level === 'error');
    assert.match(String(reported?.fields.reason), /key-mismatch/);
    assert.doesNotMatch(JSON.stringify(world.logged), /PRIVATE|MI[GH]/);
    assert.equal(text(), other.key + leaf.pem);
  });
});
