import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { managerDevice } from '../../../src/cmp/manager-device.ts';
import { busAdministration } from '../../../src/dbus/client/bus-administration.ts';
import { BusCertificateClient } from '../../../src/dbus/client/bus-certificate-client.ts';
import { busEndpointKeys } from '../../../src/dbus/client/bus-endpoint-keys.ts';
import { withAbsent } from '../../../src/manager/csr/parameters.ts';
import type { EndpointType } from '../../../src/manager/endpoint-definition.ts';
import { type Content, pemContent } from '../../../src/x509/containers.ts';
import { until } from '../../e2e/commands.ts';
import {
  certificateOf,
  type Issued,
  type OpensslAuthority,
  openssl,
  opensslAuthority,
} from '../../fakes/openssl-authority.ts';
import { type PrivateBus, startPrivateBus } from '../../fakes/private-bus.ts';
import { refusal } from '../../fakes/refusal.ts';
import { startUpstreamManager, type UpstreamManager } from '../../fakes/upstream-manager.ts';

const silent = () => undefined;
const log = { debug: silent, info: silent, warn: silent, error: silent };
const noParameters = withAbsent({});
const rekeyed = { ChallengePassword: '', KeyBitLength: 0n, KeyCurveId: '', KeyPairAlgorithm: '' };

describe("the client over a manager with upstream's interfaces alone", () => {
  let bus: PrivateBus;
  let ca: OpensslAuthority;
  let root: Issued;
  let intermediate: Issued;
  let leaf: Issued;
  let other: Issued;
  let client: BusCertificateClient;
  let uploads: string;
  let manager: UpstreamManager;
  let endpoint: { readonly type: EndpointType; readonly name: string };

  before(async () => {
    bus = await startPrivateBus();
    ca = opensslAuthority();
    root = ca.issueCa();
    intermediate = ca.issueCa({ subject: '/CN=Intermediate', issuer: root });
    leaf = ca.issue({ issuer: intermediate });
    other = ca.issue({ issuer: root, subject: '/CN=other.example.com/O=Acme/OU=A/OU=B' });
    uploads = join(bus.directory, 'uploads');
    mkdirSync(uploads);
    client = new BusCertificateClient({
      ...{ busAddress: bus.address, uploadDirectory: uploads, requestTimeout: 600_000, log },
    });
    await client.start();
  });
  after(async () => {
    client?.close();
    ca?.remove();
    await bus?.stop();
  });
  afterEach(() => manager.stop());

  const start = async (type: EndpointType) => {
    endpoint = { type, name: `e${randomUUID().replaceAll('-', '')}` };
    manager = await startUpstreamManager(bus, endpoint);
    await until('the endpoint is there', () => client.isAvailable(endpoint));
  };
  const shown = () => client.list(endpoint).map(({ certificate }) => certificate.pem);
  const pair = ({ pem, key }: Issued, ...issuers: readonly Issued[]) =>
    pemContent(pem + issuers.map((one) => one.pem).join('') + key);
  const pkcs12 = (): Content => {
    const chain = ca.write('chain.pem', intermediate.pem);
    const out = join(ca.directory, 'file.p12');
    const files = ['-in', leaf.path, '-inkey', leaf.keyPath, '-certfile', chain, '-out', out];
    openssl(['pkcs12', '-export', ...files, '-passout', 'pass:secret word']);
    return { bytes: readFileSync(out), format: 'PKCS12', password: 'secret word' };
  };

  describe('for a server', () => {
    beforeEach(() => start('server'));

    it('gives it a file of its owner alone, with the key in PEM, that is gone afterwards', async () => {
      const installed = await client.install(endpoint, pair(leaf, intermediate));
      assert.deepEqual([installed.id, installed.certificate.pem], ['1', leaf.pem]);
      assert.deepEqual(shown(), [leaf.pem]);
      const [file] = manager.given;
      assert.equal(file?.mode, 0o600);
      assert.ok(file?.path.startsWith(`${uploads}/`));
      assert.deepEqual(readdirSync(uploads), []);
    });

    it('leaves no file behind a refusal either', async () => {
      await client.install(endpoint, pair(leaf));
      await assert.rejects(
        client.install(endpoint, pair(other)),
        refusal('already-installed', /there is a certificate already/),
      );
      assert.deepEqual(readdirSync(uploads), []);
      assert.deepEqual(shown(), [leaf.pem]);
    });

    it('tells which issuers went into service, and what of the file did not', async () => {
      const stranger = ca.issueCa({ subject: '/CN=Stranger' });
      const { chain, findings } = await client.install(
        endpoint,
        pair(leaf, stranger, intermediate),
      );
      assert.deepEqual(
        chain.map(({ pem }) => pem),
        [intermediate.pem],
      );
      assert.match(findings?.leftOut[0]?.subject ?? '', /CN=Stranger/);
    });

    it('opens a PKCS #12 for it, and puts the leaf before its issuers', async () => {
      await client.install(endpoint, pkcs12());
      const text = readFileSync(manager.path, 'utf8');
      assert.match(text, /-----BEGIN PRIVATE KEY-----/);
      const certificates = text.slice(text.indexOf('-----BEGIN CERTIFICATE'));
      assert.equal(certificates, leaf.pem + intermediate.pem);
    });

    it('replaces the certificate at its place, and tells of it', async () => {
      await client.install(endpoint, pair(leaf));
      const events: unknown[] = [];
      const stop = client.subscribe(({ kind, endpoint: { name } }) => {
        if (name === endpoint.name) events.push(kind);
      });
      const { id, certificate } = await client.replace(endpoint, '1', pair(other));
      stop();
      assert.deepEqual([id, certificate.pem, events], ['1', other.pem, ['changed']]);
    });

    it('deletes', async () => {
      await client.install(endpoint, pair(leaf));
      await client.delete(endpoint, '1');
      assert.deepEqual(shown(), []);
      await assert.rejects(client.delete(endpoint, '1'), refusal('not-found'));
    });

    it('takes for done what only the service was not told of', async () => {
      manager.hasSystemd = false;
      assert.equal((await client.install(endpoint, pair(leaf))).certificate.pem, leaf.pem);
      assert.equal((await client.replace(endpoint, '1', pair(other))).certificate.pem, other.pem);
      await client.delete(endpoint, '1');
      assert.deepEqual(shown(), []);
    });

    it('says itself what is wrong with a file, which the manager would not say', async () => {
      const weak = ca.issue({ key: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:1024'] });
      const rows = [
        ['no-certificate', pemContent(leaf.key)],
        ['key-mismatch', pemContent(leaf.pem + other.key)],
        ['key-strength', pair(weak)],
        ['password-wrong', { ...pkcs12(), password: 'another' }],
        ['pem-malformed', pemContent(leaf.pem.replace('-----END', '----END'))],
      ] as const;
      for (const [code, content] of rows)
        await assert.rejects(async () => client.install(endpoint, content), refusal(code));
      assert.deepEqual(manager.given, []);
    });

    it('says of a certificate without its key which key there would have to be', async () => {
      const bare = pemContent(leaf.pem);
      await assert.rejects(client.install(endpoint, bare), refusal('key-missing'));
      await client.makeRequest(endpoint, withAbsent({ CommonName: 'bmc' }));
      await assert.rejects(client.install(endpoint, bare), refusal('key-mismatch'));
    });

    it('waits until a request is announced, and installs its certificate without the key', async () => {
      const asked = withAbsent({ CommonName: 'bmc.example.com', AlternativeNames: ['bmc:443'] });
      const csr = await client.makeRequest(endpoint, { ...asked, KeyCurveId: 'P-256' });
      const certificate = ca.sign(csr, root);
      const [given] = manager.requests;
      assert.deepEqual(given?.AlternativeNames, ['bmc']);
      assert.deepEqual([given?.KeyPairAlgorithm, given?.KeyCurveId], ['EC', 'prime256v1']);
      await client.install(endpoint, pemContent(certificate));
      assert.deepEqual(shown(), [certificate]);
    });

    it('makes requests one after the other, and refuses one that comes in between', async () => {
      manager.holdsRequests = true;
      const first = client.makeRequest(endpoint, withAbsent({ CommonName: 'first' }));
      await until('it makes a request', () => manager.requests.length === 1);
      const second = client.makeRequest(endpoint, withAbsent({ CommonName: 'second' }));
      await assert.rejects(second, refusal('busy'));
      manager.stop();
      await assert.rejects(first, refusal('unavailable', /ended while it made/));
    });

    it('says of a request that is not made that the journal says why', async () => {
      const curve = { CommonName: 'bmc', KeyCurveId: 'brainpoolP512r1' };
      manager.refusedCurve = 'brainpoolP512r1';
      const failing = client.makeRequest(endpoint, withAbsent(curve));
      await assert.rejects(failing, refusal('request-failed', /journal says why/));
      const next = await client.makeRequest(endpoint, withAbsent({ CommonName: 'bmc' }));
      assert.match(next, /CERTIFICATE REQUEST/);
    });

    it('makes a request for another key with the names of a certificate', async () => {
      await client.install(endpoint, pair(other));
      const csr = await client.rekey(endpoint, '1', { ...rekeyed, KeyPairAlgorithm: 'RSA' });
      assert.match(csr, /CERTIFICATE REQUEST/);
      assert.deepEqual(manager.requests, [
        {
          ...noParameters,
          ...{ CommonName: 'other.example.com', Organization: 'Acme', OrganizationalUnit: 'A' },
          ...{ KeyPairAlgorithm: 'RSA', KeyBitLength: 2048n },
          AlternativeNames: other.certificate.alternativeNames.map(({ value }) => value),
          KeyUsage: other.certificate.keyUsage,
        },
      ]);
      const certificate = ca.sign(csr, root);
      const replaced = await client.replace(endpoint, '1', pemContent(certificate));
      assert.equal(replaced.certificate.pem, certificate);
    });

    it('says in a sentence what cannot be had', async () => {
      await client.install(endpoint, pair(leaf));
      const content = pair(other);
      const administration = busAdministration(client);
      const rows: Readonly<Record<string, () => unknown>> = {
        renewal: () => client.renew(endpoint, '1', ''),
        'list of requests': () => client.outstanding(endpoint),
        'long RSA key': () =>
          client.makeRequest(
            endpoint,
            withAbsent({ CommonName: 'x', KeyPairAlgorithm: 'RSA', KeyBitLength: 4096n }),
          ),
        'challenge password': () =>
          client.makeRequest(endpoint, withAbsent({ CommonName: 'x', ChallengePassword: 'p' })),
        'staged replacement': () => administration.stage(endpoint, { content, seconds: 0 }),
        services: () => administration.services(endpoint),
        'key for CMP': () =>
          managerDevice(client, busEndpointKeys(client)).generate(
            { ...endpoint, origin: 'configuration' },
            { kind: 'EC', curve: 'prime256v1' },
          ),
        'whole list': () => administration.replaceAll(endpoint, content),
      };
      for (const [what, ask] of Object.entries(rows))
        await assert.rejects(async () => ask(), refusal('unsupported', /.{20}/), what);
      assert.deepEqual(manager.requests, []);
      assert.deepEqual(shown(), [leaf.pem]);
    });
  });

  describe('for a truststore', () => {
    beforeEach(() => start('authority'));
    const add = (content: Content) => busAdministration(client).add(endpoint, content);

    it('installs an authority without what stands beside it', async () => {
      await client.install(endpoint, pair(root));
      assert.equal(manager.given[0]?.text, root.pem);
      assert.deepEqual(shown(), [root.pem]);
    });

    it('refuses what is no authority, and several in the place of one', async () => {
      await assert.rejects(client.install(endpoint, pair(leaf)), refusal('not-a-ca'));
      await client.install(endpoint, pair(root));
      const two = pemContent(root.pem + intermediate.pem);
      await assert.rejects(client.replace(endpoint, '1', two), refusal('too-many-certificates'));
      assert.equal(manager.given.length, 1);
    });

    it('says which of the two reasons it is that one is not allowed', async () => {
      await client.install(endpoint, pair(root));
      await assert.rejects(client.install(endpoint, pair(root)), refusal('already-installed'));
      for (let at = 2; at <= 10; at += 1)
        await client.install(endpoint, pair(ca.issueCa({ subject: `/CN=${at}` })));
      await assert.rejects(client.install(endpoint, pair(intermediate)), refusal('limit-reached'));
    });

    it('installs several one after the other, those alone that are not there', async () => {
      await client.install(endpoint, pair(root));
      const added = await add(pemContent(root.pem + intermediate.pem + root.pem));
      assert.deepEqual(
        added.map(({ certificate }) => certificate.pem),
        [intermediate.pem],
      );
      await assert.rejects(
        add(pair(root)),
        refusal('already-installed', /each of these authorities/),
      );
    });

    it('takes those out again that came before one that is refused', async () => {
      const many = Array.from({ length: 8 }, (_, at) => ca.issueCa({ subject: `/CN=many ${at}` }));
      for (const one of [root, intermediate, ...many.slice(0, 6)])
        await client.install(endpoint, pair(one));
      const before = shown();
      const further = [...many.slice(6), ca.issueCa({ subject: '/CN=eleventh' })];
      const bundle = pemContent(further.map(({ pem }) => pem).join(''));
      await assert.rejects(add(bundle), refusal('limit-reached'));
      assert.deepEqual(shown(), before);
      await assert.rejects(add(pemContent(root.pem + leaf.pem)), refusal('not-a-ca'));
    });

    it('makes no request', async () => {
      const asked = withAbsent({ CommonName: 'x' });
      await assert.rejects(client.makeRequest(endpoint, asked), refusal('wrong-endpoint-type'));
    });
  });

  it('serves the fake as it was observed: a CSR has no extensions', async () => {
    await start('client');
    const asked = withAbsent({ CommonName: 'x', AlternativeNames: ['a.example.com'] });
    const csr = await client.makeRequest(endpoint, asked);
    assert.match(openssl(['req', '-noout', '-text'], csr), /subjectAltName ?= ?a\.example\.com/);
    assert.equal(certificateOf(root.pem).isCa, true);
  });
});
