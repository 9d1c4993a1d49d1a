import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { BusCertificateClient } from '../../../src/dbus/client/bus-certificate-client.ts';
import { pemContent } from '../../../src/x509/containers.ts';
import { makeAuthority, type TestAuthority } from '../../e2e/certificate-authority.ts';
import { must, until } from '../../e2e/commands.ts';
import { busTools } from '../../fakes/bus-tools.ts';
import { type ManagerProcess, names, paths, startManager } from '../../fakes/manager-process.ts';
import { csrParameters } from '../../fakes/manager-world.ts';
import { type PrivateBus, startPrivateBus } from '../../fakes/private-bus.ts';

const truststore = { type: 'authority', name: 'truststore' } as const;
const https = { type: 'server', name: 'https' } as const;
const silent = () => undefined;
const log = { debug: silent, info: silent, warn: silent, error: silent };

describe('the client of an edge', () => {
  let bus: PrivateBus;
  let manager: ManagerProcess;
  let client: BusCertificateClient;
  let ca: TestAuthority;
  let second: TestAuthority;

  before(async () => {
    bus = await startPrivateBus();
    ca = await makeAuthority(bus.directory, 'Test CA');
    second = await makeAuthority(bus.directory, 'Second CA');
    manager = await startManager(bus);
    client = new BusCertificateClient({ busAddress: bus.address, requestTimeout: 30_000, log });
    await client.start();
  });
  after(async () => {
    client?.close();
    await manager?.stop();
    await bus?.stop();
  });

  const subjects = () =>
    client
      .list(truststore)
      .map(({ id, certificate }) => [
        id,
        certificate.subject.flat().find(({ type }) => type === 'CN')?.value,
      ]);

  it('knows every endpoint once it is started, in order', () => {
    assert.deepEqual(client.endpoints(), [
      { type: 'authority', name: 'truststore' },
      { type: 'client', name: 'ldap' },
      { type: 'server', name: 'https' },
    ]);
    assert.equal(client.isAvailable(https), true);
    assert.equal(client.isAvailable({ type: 'server', name: 'gnmi' }), false);
    assert.throws(() => client.list({ type: 'server', name: 'gnmi' }), { code: 'unavailable' });
  });

  it('has what was there before it came', () => {
    assert.equal(client.list(https).length, 1);
    assert.match(client.get(https, '1').certificate.pem, /BEGIN CERTIFICATE/);
    assert.throws(() => client.get(https, '2'), { code: 'not-found' });
  });

  it('has its own change in its copy when the call is over', async () => {
    const { id, certificate } = await client.install(truststore, pemContent(ca.pem));
    assert.equal(certificate.pem, ca.pem);
    assert.deepEqual(subjects(), [[id, 'Test CA']]);
    await client.replace(truststore, id, pemContent(second.pem));
    assert.deepEqual(subjects(), [[id, 'Second CA']]);
    await client.delete(truststore, id);
    assert.deepEqual(subjects(), []);
  });

  it('follows what others change', async () => {
    const tools = busTools({ address: bus.address, destination: names.authority });
    const install = 'xyz.openbmc_project.Certs.Install.Install';
    const { 0: path } = await tools.call(paths.authority, install, 's', ca.path);
    await until('the new one is in the copy', () => subjects().length === 1);
    const replace = 'xyz.openbmc_project.Certs.Replace.Replace';
    await tools.call(String(path), replace, 's', second.path);
    await until('the other one is', () => subjects()[0]?.[1] === 'Second CA');
    await tools.call(String(path), 'xyz.openbmc_project.Object.Delete.Delete');
    await until('it is gone', () => subjects().length === 0);
  });

  it('makes requests and tells which argument is wrong', async () => {
    const pem = await client.makeRequest(https, csrParameters({ CommonName: 'bmc.example.com' }));
    const subject = await must('openssl', ['req', '-noout', '-verify', '-subject'], pem);
    assert.match(subject, /CN = bmc\.example\.com/);
    const wrong = client.makeRequest(https, csrParameters({ Country: 'CHE' }));
    await assert.rejects(wrong, { code: 'argument-invalid', message: /^Country / });
  });

  it('makes requests for the successor of a certificate', async () => {
    const { certificate } = client.get(https, '1');
    const rekeyed = await client.rekey(https, '1', {
      ChallengePassword: 'open sesame',
      KeyBitLength: 2048n,
      KeyCurveId: '',
      KeyPairAlgorithm: 'RSA',
    });
    const text = await must('openssl', ['req', '-noout', '-text'], rekeyed);
    assert.match(text, /Public-Key: \(2048 bit\)/);
    assert.match(text, /challengePassword\s*:open sesame/);
    const names = (where: string) => /DNS:[^\n]*/.exec(where)?.[0];
    const own = await must('openssl', ['x509', '-noout', '-text'], certificate.pem);
    assert.equal(names(text), names(own));
    const renewed = await client.renew(https, '1', '');
    const [key, subject] = ['-pubkey', '-subject'];
    for (const what of [key, subject]) {
      assert.equal(
        await must('openssl', ['req', '-noout', String(what)], renewed),
        await must('openssl', ['x509', '-noout', String(what)], certificate.pem),
      );
    }
    const outstanding = await client.outstanding(https);
    assert.equal(outstanding.at(-1)?.pem, rekeyed);
    assert.ok(outstanding.every(({ pem }) => pem !== renewed));
  });

  it('has the chain that is served with a certificate, and tells of a change of it alone', async () => {
    const leaf = await second.issue('client.example.com', [
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
    ]);
    const events: string[] = [];
    const stop = client.subscribe(({ kind, id }) => events.push(`${kind} ${id}`));
    const ldap = { type: 'client', name: 'ldap' } as const;
    const { chain } = await client.install(ldap, pemContent(leaf.key + leaf.pem + second.pem));
    assert.deepEqual(
      chain.map(({ pem }) => pem),
      [second.pem],
    );
    const alone = await client.replace(ldap, '1', pemContent(leaf.key + leaf.pem));
    assert.deepEqual(alone.chain, []);
    assert.deepEqual(client.get(ldap, '1').chain, []);
    await client.delete(ldap, '1');
    assert.deepEqual(events, ['created 1', 'expiring 1', 'changed 1', 'removed 1']);
    stop();
  });

  it('passes on why a change was refused, and keeps its copy', async () => {
    await assert.rejects(client.install(truststore, pemContent('garbage')), {
      code: 'no-certificate',
    });
    await assert.rejects(client.install(https, pemContent(ca.pem)), { code: 'already-installed' });
    await assert.rejects(client.delete(truststore, '4711'), { code: 'not-found' });
    assert.deepEqual(subjects(), []);
  });
});
