import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Call, connectBus } from '../../src/dbus/bus.ts';
import { BusCertificateClient } from '../../src/dbus/client.ts';
import type { CsrParameters } from '../../src/manager/csr/parameters.ts';
import { makeAuthority, type TestAuthority } from '../e2e/certificate-authority.ts';
import { must, until } from '../e2e/commands.ts';
import { busTools } from '../fakes/bus-tools.ts';
import { requestName } from '../fakes/fake-systemd.ts';
import { type ManagerProcess, names, paths, startManager } from '../fakes/manager-process.ts';
import { type PrivateBus, startPrivateBus } from '../fakes/private-bus.ts';

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
  let uploads: string;

  before(async () => {
    bus = await startPrivateBus();
    ca = await makeAuthority(bus.directory, 'Test CA');
    second = await makeAuthority(bus.directory, 'Second CA');
    manager = await startManager(bus);
    uploads = join(bus.directory, 'uploads');
    mkdirSync(uploads);
    writeFileSync(join(uploads, 'left-over.pem'), 'a key');
    const options = { busAddress: bus.address, uploadDirectory: uploads, log };
    client = new BusCertificateClient({ ...options, requestTimeout: 30_000 });
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

  it('clears what an earlier process left of its uploads', () => {
    assert.equal(readdirIfThere(uploads).length, 0);
  });

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
    const { id, certificate } = await client.install(truststore, ca.pem);
    assert.equal(certificate.pem, ca.pem);
    assert.deepEqual(subjects(), [[id, 'Test CA']]);
    await client.replace(truststore, id, second.pem);
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
    const pem = await client.makeRequest(https, request({ CommonName: 'bmc.example.com' }));
    const subject = await must('openssl', ['req', '-noout', '-verify', '-subject'], pem);
    assert.match(subject, /CN = bmc\.example\.com/);
    const wrong = client.makeRequest(https, request({ Country: 'CHE' }));
    await assert.rejects(wrong, { code: 'argument-invalid', message: /^Country / });
  });

  it('passes on why a change was refused, and keeps its copy', async () => {
    await assert.rejects(client.install(truststore, 'garbage'), { code: 'no-certificate' });
    await assert.rejects(client.install(https, ca.pem), { code: 'already-installed' });
    await assert.rejects(client.delete(truststore, '4711'), { code: 'not-found' });
    assert.deepEqual(subjects(), []);
    assert.deepEqual(readdirIfThere(uploads), []);
  });
});

describe('an upload', () => {
  let bus: PrivateBus;

  before(async () => {
    bus = await startPrivateBus();
  });
  after(() => bus?.stop());

  const outcomes = [
    {
      outcome: 'succeeds',
      answer: (call: Call) => call.answer('s', ['/x/1']),
      code: 'unavailable',
    },
    {
      outcome: 'fails',
      answer: (call: Call) => call.fail({ name: 'com.example.Nope', text: 'no' }),
      code: 'internal',
    },
  ];
  for (const { outcome, answer, code } of outcomes) {
    it(`is for the owner only while the call runs, and gone when it ${outcome}`, async () => {
      const uploads = join(bus.directory, 'deep', 'uploads');
      const server = await connectBus(bus.address);
      const seen: { mode: number; directory: number; text: string }[] = [];
      server.handleCalls((call) => {
        if (call.member === 'Install') {
          const path = String(call.body[0]);
          const [mode, directory] = [statSync(path).mode, statSync(uploads).mode];
          seen.push({ mode, directory, text: readFileSync(path, 'utf8') });
          answer(call);
        } else call.fail({ name: 'com.example.Nope', text: 'no' });
      });
      await requestName(server, names.authority);
      const options = { busAddress: bus.address, uploadDirectory: uploads, log };
      const client = new BusCertificateClient({ ...options, requestTimeout: 30_000 });
      try {
        await client.start();
        await assert.rejects(client.install(truststore, 'the text'), { code });
        const [upload] = seen;
        assert.equal((upload?.mode ?? 0) & 0o777, 0o600);
        assert.equal((upload?.directory ?? 0) & 0o777, 0o700);
        assert.equal(upload?.text, 'the text');
        assert.deepEqual(readdirSync(uploads), []);
      } finally {
        client.close();
        server.close();
      }
    });
  }
});

function readdirIfThere(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function request(given: Partial<CsrParameters>): CsrParameters {
  return {
    AlternativeNames: [],
    ChallengePassword: '',
    City: '',
    CommonName: '',
    ContactPerson: '',
    Country: '',
    Email: '',
    GivenName: '',
    Initials: '',
    KeyBitLength: 0n,
    KeyCurveId: '',
    KeyPairAlgorithm: '',
    KeyUsage: [],
    Organization: '',
    OrganizationalUnit: '',
    State: '',
    Surname: '',
    UnstructuredName: '',
    ...given,
  };
}
