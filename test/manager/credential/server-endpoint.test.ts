import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { CredentialEndpoint } from '../../../src/manager/credential/credential-endpoint.ts';
import type { EndpointDefinition } from '../../../src/manager/endpoint-definition.ts';
import type { EndpointDependencies } from '../../../src/manager/endpoint-dependencies.ts';
import type { Certificate } from '../../../src/x509/certificate.ts';
import { valuesOf } from '../../../src/x509/name.ts';
import { makeWorld, recordEvents, type World } from '../../fakes/manager-world.ts';
import { goodTime, openssl, opensslAuthority } from '../../fakes/openssl-authority.ts';

const tools = opensslAuthority();
after(() => tools.remove());

const root = tools.issueCa();
const operators = tools.issue({ issuer: root, subject: '/CN=by the operator' });
const other = tools.issue({ issuer: root, subject: '/CN=other' });
const short = tools.issue({ issuer: root, until: '20260602000000Z', subject: '/CN=short' });
const days = (count: number) => new Date(goodTime.getTime() + count * 86_400_000);

describe('a server endpoint', () => {
  let world: World;
  let definition: EndpointDefinition;
  const start = async (dependencies: EndpointDependencies = world.dependencies) => {
    const endpoint = new CredentialEndpoint(definition, dependencies);
    const events = recordEvents(endpoint);
    await endpoint.start();
    return { endpoint, events, served: () => served(endpoint) };
  };
  /** The one certificate, which must be in the file with its key. */
  const served = (endpoint: CredentialEndpoint): Certificate => {
    const [installed] = endpoint.list();
    assert.ok(installed);
    assert.equal(installed.id, '1');
    const { certificate } = installed;
    assert.equal(openssl(['x509', '-in', definition.path]), certificate.pem);
    const key = createPrivateKey(readFileSync(definition.path));
    assert.ok(certificate.x509.checkPrivateKey(key));
    return certificate;
  };
  const commonName = ({ subject }: Certificate) => valuesOf(subject, 'CN')[0];
  const put = (text: string) => {
    mkdirSync(dirname(definition.path), { recursive: true });
    writeFileSync(definition.path, text);
  };

  beforeEach(() => {
    world = makeWorld();
    const path = join(world.directory, 'https', 'server.pem');
    definition = { type: 'server', name: 'https', path, reload: [] };
  });
  afterEach(() => world.remove());

  const known = (...configured: readonly string[]) => {
    world.identity = { ...world.identity, configured };
  };
  const warnings = (endpoint: CredentialEndpoint) =>
    endpoint.list().flatMap(({ findings }) => findings?.warnings ?? []);

  it('makes a certificate for the names that the configuration has, too', async () => {
    known('www.example.com', '198.51.100.1');
    const { endpoint, served } = await start();
    assert.equal(served().x509.checkHost('www.example.com'), 'www.example.com');
    assert.equal(served().x509.checkIP('198.51.100.1'), '198.51.100.1');
    assert.deepEqual(warnings(endpoint), []);
  });

  it('makes its certificate anew, once, when the configuration has another name or address', async () => {
    const { endpoint, events, served } = await start();
    events.length = 0;
    known('192.0.2.99');
    await endpoint.maintain();
    assert.ok(served().x509.checkIP('192.0.2.99'));
    await endpoint.maintain();
    assert.equal(events.length, 1, events.join());
  });

  it('keeps a certificate of the operator that is not for a name of the configuration, and warns', async () => {
    put(operators.key + operators.pem);
    known('bmc.example.com', 'www.example.com', 'bmc7');
    const { endpoint, served } = await start();
    assert.equal(commonName(served()), 'by the operator');
    assert.deepEqual(warnings(endpoint), [
      {
        code: 'name-missing',
        text: 'clients that know the service as www.example.com, bmc7 refuse it: that is not among its names',
      },
    ]);
  });

  it('makes a certificate for its names and addresses when there is none', async () => {
    const { events, served } = await start();
    const { pem, notBefore, notAfter } = served();
    const path = tools.write('generated.pem', pem);
    const now = goodTime.getTime() / 1000;
    for (const host of ['bmc.example.com', 'bmc', 'localhost']) {
      const checks = ['-purpose', 'sslserver', '-verify_hostname', host];
      openssl(['verify', '-x509_strict', ...checks, '-attime', `${now}`, '-CAfile', path, path]);
    }
    for (const address of ['192.0.2.7', '2001:db8::7']) {
      openssl(['verify', '-verify_ip', address, '-attime', `${now}`, '-CAfile', path, path]);
    }
    assert.equal(notBefore, now - 3600);
    assert.ok(notAfter - notBefore <= 398 * 86_400, 'browsers refuse longer ones');
    assert.equal(events.length, 1);
    assert.deepEqual(world.reloads, ['https']);
  });

  it('keeps the one that it made at the next start', async () => {
    const first = (await start()).served();
    const again = await start();
    assert.equal(again.served().pem, first.pem);
    assert.deepEqual(world.reloads, ['https']);
  });

  it('goes from the certificate of an operator to one of its own when that is deleted', async () => {
    for (const remove of ['delete', 'deleteAll'] as const) {
      const { endpoint, events, served } = await start();
      await endpoint.replace('1', operators.key + operators.pem);
      events.length = 0;
      await endpoint[remove]('1');
      assert.equal(commonName(served()), 'bmc.example.com');
      assert.deepEqual(
        events.map((line) => line.split(' ')[0]),
        ['removed', 'added'],
      );
    }
  });

  const unservable: [string, string][] = [
    ['garbage', 'garbage'],
    ['an empty file', ''],
    ['the key of another', other.key + operators.pem],
    ['a certificate without its key', operators.pem],
    ['half a file', operators.key + operators.pem.slice(0, 300)],
  ];
  for (const [what, text] of unservable) {
    it(`puts ${what} aside, and makes a certificate`, async () => {
      put(text);
      const { served } = await start();
      assert.equal(commonName(served()), 'bmc.example.com');
      const aside = readdirSync(dirname(definition.path)).filter((name) =>
        name.includes('refused'),
      );
      assert.equal(aside.length, 1);
      assert.equal(readFileSync(join(dirname(definition.path), aside[0] ?? ''), 'utf8'), text);
      assert.ok(world.logged.some(({ level }) => level === 'error'));
    });
  }

  it('serves what an operator installed, whatever its order in the file', async () => {
    put(root.pem + operators.pem + operators.key);
    const { endpoint } = await start();
    assert.equal(endpoint.list()[0]?.certificate.pem, operators.pem);
  });

  it('never replaces the certificate of an operator by itself', async () => {
    const { endpoint, served } = await start();
    await endpoint.replace('1', short.key + short.pem);
    for (const now of [days(365), days(36_500), new Date(0)]) {
      world.now = now;
      world.identity = { hostName: `host-${now.getTime()}`, addresses: [] };
      await endpoint.maintain();
      assert.equal(served().pem, short.pem);
    }
  });

  it('keeps the certificate of an operator at a start after it expired', async () => {
    const checks = { allowExpired: false, requireCa: true, maxRsaBits: 8192 };
    const { endpoint } = await start();
    await endpoint.replace('1', short.key + short.pem);
    world.now = days(30);
    const again = await start({ ...world.dependencies, checks });
    assert.equal(again.served().pem, short.pem);
  });

  it('keeps the certificate of an operator that comes while its own is renewed', async () => {
    const { endpoint, served } = await start();
    world.now = days(390);
    await Promise.all([
      endpoint.replace('1', operators.key + operators.pem),
      endpoint.maintain(),
      endpoint.maintain(),
    ]);
    assert.equal(served().pem, operators.pem);
  });

  it('does not renew twice when it is asked twice at once', async () => {
    const { endpoint, events } = await start();
    events.length = 0;
    world.now = days(390);
    await Promise.all([endpoint.maintain(), endpoint.maintain()]);
    assert.equal(events.length, 1);
  });

  it('is not overwritten by a look at the time that comes before its start', async () => {
    put(operators.key + operators.pem);
    const endpoint = new CredentialEndpoint(definition, world.dependencies);
    await endpoint.maintain();
    assert.deepEqual(endpoint.list(), []);
    await endpoint.start();
    assert.equal(served(endpoint).pem, operators.pem);
  });

  it('is taken as upstream wrote it, and not for changed at the next look', async () => {
    put(operators.pem + operators.key);
    const dependencies = { ...world.dependencies, watch: { settle: 10, grace: 10 } };
    const { endpoint, events } = await start(dependencies);
    await endpoint.maintain();
    await new Promise((resolve) => setTimeout(resolve, 150));
    assert.equal(events.length, 1);
    assert.equal(readFileSync(definition.path, 'utf8'), operators.pem + operators.key);
    assert.deepEqual(world.reloads, []);
    endpoint.stop();
  });

  const moments: [string, (world: World) => void, boolean][] = [
    ['a day later', (w) => Object.assign(w, { now: days(1) }), false],
    ['a month before its end', (w) => Object.assign(w, { now: days(366) }), false],
    ['less than a month before its end', (w) => Object.assign(w, { now: days(368) }), true],
    ['years after its end', (w) => Object.assign(w, { now: days(5000) }), true],
    ['with the clock at 1970', (w) => Object.assign(w, { now: new Date(0) }), false],
    ['with the clock two days behind', (w) => Object.assign(w, { now: days(-2) }), true],
    ['with the clock an hour behind', (w) => Object.assign(w, { now: days(-1 / 24) }), false],
    [
      'with a new host name',
      (w) => Object.assign(w, { identity: { hostName: 'new.example', addresses: [] } }),
      true,
    ],
    [
      'with other addresses',
      (w) =>
        Object.assign(w, { identity: { hostName: 'bmc.example.com', addresses: ['192.0.2.8'] } }),
      false,
    ],
  ];
  for (const [what, happen, renews] of moments) {
    it(`${renews ? 'renews' : 'keeps'} the one that it made ${what}`, async () => {
      const { endpoint, events, served } = await start();
      const before = served();
      happen(world);
      await endpoint.maintain();
      assert.equal(served().pem !== before.pem, renews);
      assert.equal(events.length, renews ? 2 : 1);
      if (renews) assert.match(events[1] ?? '', /^changed 1 /);
      await endpoint.maintain();
      assert.equal(events.length, renews ? 2 : 1);
    });
  }

  it('has a certificate with the clock at 1970, and another when the clock is set', async () => {
    world.now = new Date(1000);
    const { endpoint, served } = await start();
    assert.equal(served().notBefore, 0);
    world.now = goodTime;
    await endpoint.maintain();
    assert.ok(served().notAfter > goodTime.getTime() / 1000);
    assert.equal((await start()).served().pem, served().pem);
  });

  it('has a certificate for a host name that no certificate can hold', async () => {
    for (const hostName of ['a'.repeat(100), 'ä ö', 'name_with.ünder', '']) {
      world.identity = { hostName, addresses: ['fe80::1%eth0', 'not an address'] };
      const { endpoint, served } = await start();
      await endpoint.maintain();
      openssl(['x509', '-noout', '-text'], served().pem);
      const events = recordEvents(endpoint);
      await endpoint.maintain();
      assert.deepEqual(events, [], `${hostName} is renewed again and again`);
    }
  });

  it('renews one of a short life now and then, and not for ever', async () => {
    const selfSigned = { ...world.dependencies.selfSigned, validDays: 10 };
    const { endpoint, events } = await start({ ...world.dependencies, selfSigned });
    await endpoint.maintain();
    assert.equal(events.length, 1);
    world.now = days(8);
    await endpoint.maintain();
    assert.equal(events.length, 2);
  });
});
