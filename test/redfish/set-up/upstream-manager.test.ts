import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { must, until } from '../../e2e/commands.ts';
import { curl, type HttpAnswer, logIn } from '../../e2e/redfish-client.ts';
import { type ManagerProcess, startManager } from '../../fakes/manager-process.ts';
import {
  type Issued,
  type OpensslAuthority,
  openssl,
  opensslAuthority,
} from '../../fakes/openssl-authority.ts';
import { type PrivateBus, startPrivateBus } from '../../fakes/private-bus.ts';
import { type RedfishProcess, redfishFiles } from '../../fakes/redfish-process.ts';
import { startUpstreamManager, type UpstreamManager } from '../../fakes/upstream-manager.ts';

const service = '/redfish/v1/CertificateService';
const https = '/redfish/v1/Managers/bmc/NetworkProtocol/HTTPS/Certificates';
const ldap = '/redfish/v1/AccountService/LDAP/Certificates';
const truststore = '/redfish/v1/Managers/bmc/Truststore/Certificates';
const generate = `${service}/Actions/CertificateService.GenerateCSR`;
const replace = `${service}/Actions/CertificateService.ReplaceCertificate`;
const oem = `${service}/Actions/Oem/BmcCertificates`;

describe("the Redfish service over managers on the bus that have upstream's interfaces alone", () => {
  const password = 'correct horse battery';
  let bus: PrivateBus;
  let ca: OpensslAuthority;
  let root: Issued;
  let managers: Record<'server' | 'client' | 'authority', UpstreamManager>;
  let redfish: RedfishProcess;
  let runtime: string;
  let certificate: string;
  let token: string;

  const startManagers = async () => ({
    server: await startUpstreamManager(bus, { type: 'server', name: 'https' }, certificate),
    client: await startUpstreamManager(bus, { type: 'client', name: 'ldap' }),
    authority: await startUpstreamManager(bus, { type: 'authority', name: 'truststore' }),
  });

  before(async () => {
    bus = await startPrivateBus();
    ca = opensslAuthority();
    root = ca.issueCa();
    const files = redfishFiles(bus);
    ({ runtime, certificate } = files);
    managers = await startManagers();
    // As a service leaves it that is killed while a file is being read
    mkdirSync(join(runtime, 'redfish-uploads'), { mode: 0o700 });
    writeFileSync(join(runtime, 'redfish-uploads', 'left.pem'), 'a key', { mode: 0o600 });
    await files.setPassword(password);
    redfish = await files.start();
    token = await logIn(redfish.url, password);
  });
  after(async () => {
    await redfish?.stop();
    for (const manager of Object.values(managers ?? {})) manager.stop();
    ca?.remove();
    await bus?.stop();
  });

  const ask = (uri: string, body?: object | string, headers: readonly string[] = []) =>
    curl(`${redfish.url}${uri}`, { token, headers, ...(body && { method: 'POST', body }) });
  const at = (uri: string) => ({ '@odata.id': uri });
  const pemOf = async (uri: string) => (await ask(uri)).json.CertificateString;
  const shown = async () => {
    const host = redfish.url.replace('https://', '');
    return must('openssl', ['x509'], await must('openssl', ['s_client', '-connect', host]));
  };
  const sentenceOf = ({ json }: HttpAnswer) =>
    String(json.error?.['@Message.ExtendedInfo']?.[0 as never]?.Resolution);

  it('leaves no key behind that a service before it left', () => {
    assert.deepEqual(readdirSync(join(runtime, 'redfish-uploads')), []);
  });

  it('shows the certificates, with their states, and nothing of our own', async () => {
    const collection = await ask(https);
    assert.equal(collection.json['Members@odata.count'], 1, collection.text);
    assert.equal('Oem' in collection.json, false);
    const { Status } = (await ask(`${https}/1`)).json;
    assert.equal(Status?.State, 'Enabled');
    const { Actions } = (await ask(service)).json;
    assert.ok(Actions?.['#CertificateService.GenerateCSR']);
    assert.equal('Oem' in Actions, false);
    for (const uri of [ldap, truststore, `${service}/CertificateLocations`]) {
      const answer = await ask(`${uri}?$expand=.($levels=1)`);
      assert.equal(answer.status, 200, answer.text);
    }
    assert.equal((await ask('/redfish/v1/TaskService/Tasks')).status, 200);
  });

  it('replaces the certificate that it shows by one with its key, as PEM and as PKCS #12', async () => {
    const leaf = ca.issue({ issuer: root });
    const pem = { CertificateString: leaf.pem + leaf.key, CertificateType: 'PEM' };
    const first = await ask(replace, { CertificateUri: at(`${https}/1`), ...pem });
    assert.equal(first.status, 200, first.text);
    assert.equal(await shown(), leaf.pem);
    const next = ca.issue({ issuer: root, subject: '/CN=next.example.com' });
    const out = join(ca.directory, 'next.p12');
    const inputs = ['-in', next.path, '-inkey', next.keyPath, '-out', out];
    openssl(['pkcs12', '-export', ...inputs, '-passout', 'pass:p']);
    const container = {
      ...{ CertificateType: 'PKCS12', Password: 'p' },
      CertificateString: readFileSync(out).toString('base64'),
    };
    const second = await ask(replace, { CertificateUri: at(`${https}/1`), ...container });
    assert.equal(second.status, 200, second.text);
    assert.equal(await pemOf(`${https}/1`), next.pem);
    assert.equal(await shown(), next.pem);
    assert.deepEqual(readdirSync(join(runtime, 'redfish-uploads')), []);
    assert.deepEqual(
      managers.server.given.map(({ mode }) => mode),
      [0o600, 0o600],
    );
  });

  it('makes requests, also as a task, and installs what comes of them', async () => {
    const body = { CertificateCollection: at(ldap), CommonName: 'bmc.example.com' };
    const task = await ask(generate, body, ['Prefer: respond-async']);
    assert.equal(task.status, 202, task.text);
    const monitor = task.headers.location ?? '';
    await until('the task ends', async () => (await ask(monitor)).status !== 202);
    const made = await ask(generate, body);
    assert.equal(made.status, 200, made.text);
    const first = ca.sign(String(made.json.CSRString), root);
    const posted = await ask(ldap, { CertificateString: first, CertificateType: 'PEM' });
    assert.equal(posted.status, 201, posted.text);
    const again = await ask(ldap, { CertificateString: first, CertificateType: 'PEM' });
    assert.equal(again.status, 409, again.text);
    const successor = await ask(`${ldap}/1/Actions/Certificate.Rekey`, {});
    assert.equal(successor.status, 200, successor.text);
    const second = ca.sign(String(successor.json.CSRString), root);
    const pem = { CertificateString: second, CertificateType: 'PEM' };
    const replaced = await ask(replace, { CertificateUri: at(`${ldap}/1`), ...pem });
    assert.equal(replaced.status, 200, replaced.text);
    assert.equal(await pemOf(`${ldap}/1`), second);
  });

  it('takes several authorities at once, and deletes one', async () => {
    const second = ca.issueCa({ subject: '/CN=Second', issuer: root });
    const posted = await ask(truststore, root.pem + second.pem);
    assert.equal(posted.status, 201, posted.text);
    assert.equal((await ask(truststore)).json['Members@odata.count'], 2);
    assert.equal((await ask(truststore, root.pem + second.pem)).status, 409);
    const leaf = ca.issue({ issuer: root });
    const mixed = await ask(truststore, ca.issueCa({ subject: '/CN=Third' }).pem + leaf.pem);
    assert.equal(mixed.status, 400, mixed.text);
    assert.match(sentenceOf(mixed), /not-a-ca/);
    const gone = await curl(`${redfish.url}${truststore}/2`, { token, method: 'DELETE' });
    assert.equal(gone.status, 204, gone.text);
    assert.equal((await ask(truststore)).json['Members@odata.count'], 1);
  });

  it('answers 501 with a sentence where the manager has nothing for it', async () => {
    const Certificates = at(https);
    const long = { KeyPairAlgorithm: 'TPM_ALG_RSA', KeyBitLength: 4096 };
    const rows: readonly (readonly [uri: string, body: object])[] = [
      [`${oem}.Reload`, { Certificates }],
      [`${oem}.Stage`, { Certificates, CertificateString: 'x' }],
      [`${oem}.Commit`, { Replacement: 'x' }],
      [`${truststore}/Actions/Oem/BmcCertificates.ReplaceAll`, { CertificateString: root.pem }],
      [`${https}/1/Actions/Certificate.Renew`, {}],
      [generate, { CertificateCollection: at(ldap), CommonName: 'x', ...long }],
    ];
    for (const [uri, body] of rows) {
      const answer = await ask(uri, body);
      assert.equal(answer.status, 501, answer.text);
      assert.match(answer.text, /Base\.1\.19\.ActionNotSupported/);
      assert.match(sentenceOf(answer), /^unsupported: .{20}/);
    }
  });

  it('goes on in our way when our manager takes their place, and back', async () => {
    const directory = join(bus.directory, 'ours');
    mkdirSync(directory);
    const isOurs = async () => 'Oem' in (await ask(truststore)).json;
    for (const manager of Object.values(managers)) manager.stop();
    let ours: ManagerProcess | undefined;
    try {
      ours = await startManager({ address: bus.address, directory });
      await until('the service has our manager', isOurs);
      const posted = await ask(truststore, root.pem + ca.issueCa({ subject: '/CN=Ours' }).pem);
      assert.equal(posted.status, 201, posted.text);
    } finally {
      await ours?.stop();
    }
    managers = await startManagers();
    await until('the service has the others again', async () => {
      const { status, json } = await ask(truststore);
      return status === 200 && json['Members@odata.count'] === (0 as never);
    });
    const posted = await ask(truststore, root.pem);
    assert.equal(posted.status, 201, posted.text);
    assert.equal(managers.authority.given.length, 1);
  });
});
