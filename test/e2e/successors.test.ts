import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  fingerprintOf,
  makeAuthority,
  type TestAuthority,
  writeText,
} from './certificate-authority.ts';
import { must, run } from './commands.ts';
import { curl, type HttpRequest, logIn } from './redfish-client.ts';
import { type RunningStack, removeDirectory, startStack, temporaryDirectory } from './stack.ts';

const https = '/redfish/v1/Managers/bmc/NetworkProtocol/HTTPS/Certificates';
const ldap = '/redfish/v1/AccountService/LDAP/Certificates';
const truststore = '/redfish/v1/Managers/bmc/Truststore/Certificates';
const actions = '/redfish/v1/CertificateService/Actions';

/** A certificate's successors, as Rekey, Renew and the other forms of an upload make them. */
describe('the successor of a certificate in service', () => {
  const directory = temporaryDirectory();
  let stack: RunningStack;
  let ca: TestAuthority;
  let token: string;

  const ask = (uri: string, request: HttpRequest = {}) =>
    curl(`${stack.url}${uri}`, { token, ...request });
  const shown = async () => {
    const host = stack.url.slice('https://'.length);
    return fingerprintOf(await must('openssl', ['s_client', '-connect', host]));
  };
  const replace = (pem: string, more: object = {}) =>
    ask(`${actions}/CertificateService.ReplaceCertificate`, {
      body: {
        CertificateString: pem,
        CertificateType: 'PEM',
        CertificateUri: { '@odata.id': `${https}/1` },
        ...more,
      },
    });
  const publicKey = (what: 'req' | 'x509', pem: string) =>
    must('openssl', [what, '-noout', '-pubkey'], pem);

  before(async () => {
    ca = await makeAuthority(directory, 'Test CA');
    stack = await startStack(directory);
    token = await logIn(stack.url, stack.password);
  });
  after(async () => {
    await stack?.stop();
    removeDirectory(directory);
  });

  it('comes of Rekey with a new key, and is shown by the next handshake', async () => {
    const before = String((await ask(`${https}/1`)).json.CertificateString);
    const rekey = `${https}/1/Actions/Certificate.Rekey`;
    const body = { KeyPairAlgorithm: 'TPM_ALG_ECDSA', KeyCurveId: 'TPM_ECC_NIST_P256' };
    const answer = await ask(rekey, { body });
    assert.equal(answer.status, 200, answer.text);
    const request = String(answer.json.CSRString);
    await must('openssl', ['req', '-noout', '-verify'], request);
    assert.notEqual(await publicKey('req', request), await publicKey('x509', before));
    const signed = await ca.sign(request);
    assert.equal((await replace(signed)).status, 200);
    assert.equal(await shown(), await fingerprintOf(signed));
  });

  it('comes of Renew with the key that it has', async () => {
    const before = String((await ask(`${https}/1`)).json.CertificateString);
    const answer = await ask(`${https}/1/Actions/Certificate.Renew`, { body: {} });
    assert.equal(answer.status, 200, answer.text);
    const request = String(answer.json.CSRString);
    assert.equal(await publicKey('req', request), await publicKey('x509', before));
    const names = (text: string) => /DNS:.*/.exec(text)?.[0];
    assert.equal(
      names(await must('openssl', ['req', '-noout', '-text'], request)),
      names(await must('openssl', ['x509', '-noout', '-text'], before)),
    );
    const signed = await ca.sign(request);
    assert.equal((await replace(signed)).status, 200);
    assert.equal(await shown(), await fingerprintOf(signed));
  });

  it('may come with its key in a PKCS #12 under a password, which nobody sees again', async () => {
    const { key, pem } = await ca.issue('bmc.example.com', ['-newkey', 'rsa:2048']);
    const at = (name: string) => join(directory, name);
    const [keyFile, leafFile] = [
      writeText(directory, 'leaf.key', key),
      writeText(directory, 'leaf.pem', pem),
    ];
    execFileSync('openssl', [
      ...['pkcs12', '-export', '-in', leafFile, '-inkey', keyFile, '-certfile', ca.path],
      ...['-passout', 'pass:a secret of mine', '-out', at('leaf.p12')],
    ]);
    const text = readFileSync(at('leaf.p12')).toString('base64');
    const more = { CertificateType: 'PKCS12', Password: 'a secret of mine' };
    const answer = await replace(text, more);
    assert.equal(answer.status, 200, answer.text);
    assert.equal(String(answer.json.CertificateType), 'PEMchain');
    assert.equal(await shown(), await fingerprintOf(pem));
    assert.equal((await replace(text, { ...more, Password: 'another secret' })).status, 400);
    assert.doesNotMatch(stack.output() + answer.text, /secret/);
  });

  it('says who issued it once that authority is trusted', async () => {
    const created = await ask(truststore, { body: ca.pem });
    const authority = String(created.headers.location);
    const { Links } = (await ask(`${https}/1`)).json;
    assert.equal(String(Links?.Issuer?.['@odata.id']), authority);
    const subjects = (await ask(authority)).json.Links?.Subjects;
    assert.deepEqual(subjects, [{ '@odata.id': `${https}/1` }]);
  });

  it('may be put where OpenBMC had it before Redfish', async () => {
    const { key, pem } = await ca.issue('old.example.com', ['-newkey', 'rsa:2048']);
    const file = writeText(directory, 'old.pem', key + pem);
    const url = `${stack.url}/xyz/openbmc_project/certs/server/https`;
    const login = `admin:${stack.password}`;
    const { stdout } = await run('curl', ['-sk', '-u', login, '-X', 'PUT', '-T', file, url]);
    assert.deepEqual(JSON.parse(stdout), { data: null, message: '200 OK', status: 'ok' });
    assert.equal(await shown(), await fingerprintOf(pem));
    const refused = await run('curl', ['-sk', '-i', '-u', login, '-X', 'DELETE', url]);
    assert.match(refused.stdout, /^HTTP\/1\.1 405 /);
    const deleted = await run('curl', ['-sk', '-u', login, '-X', 'DELETE', `${url}/1`]);
    assert.deepEqual(JSON.parse(deleted.stdout), { data: null, message: '200 OK', status: 'ok' });
    const { json } = await ask(`${https}/1`);
    assert.equal(json.Issuer?.CommonName, json.Subject?.CommonName, 'it is self-signed');
    assert.equal(await shown(), await fingerprintOf(String(json.CertificateString)));
    assert.equal((await ask(`${https}/1`, { method: 'DELETE' })).status, 405);
  });

  it('has its request read again from a task, also after everything was started anew', async () => {
    const body = { CertificateCollection: { '@odata.id': ldap }, CommonName: 'client' };
    const made = await ask(`${actions}/CertificateService.GenerateCSR`, { body });
    const request = String(made.json.CSRString);
    const requests = async () => {
      const { Members } = (await ask('/redfish/v1/TaskService/Tasks')).json;
      const members = Members as unknown as readonly { readonly '@odata.id': string }[];
      const tasks = await Promise.all(members.map((one) => ask(one['@odata.id'])));
      const monitors = await Promise.all(tasks.map(({ json }) => ask(String(json.TaskMonitor))));
      return monitors.map(({ json }) => String(json.CSRString));
    };
    assert.ok((await requests()).includes(request));
    await stack.stop();
    stack = await startStack(directory);
    token = await logIn(stack.url, stack.password);
    assert.ok((await requests()).includes(request));
    const signed = await ca.sign(request);
    assert.equal((await ask(ldap, { body: signed })).status, 201);
    assert.ok(!(await requests()).includes(request));
  });
});
