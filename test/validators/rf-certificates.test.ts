import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  describeCertificate,
  fingerprintOf,
  makeAuthority,
  writeText,
} from '../e2e/certificate-authority.ts';
import { must } from '../e2e/commands.ts';
import { curl, logIn } from '../e2e/redfish-client.ts';
import { collections, type FilledStack, startFilledStack } from './filled-stack.ts';
import { runProgram, serviceArguments, skipUninstalled } from './programs.ts';

describe('rf_certificates', { skip: skipUninstalled }, () => {
  let filled: FilledStack;

  before(async () => {
    filled = await startFilledStack();
  });

  after(() => filled?.close());

  async function use(...args: string[]): Promise<string> {
    const all = [...serviceArguments(filled.stack), ...args];
    const { status, stdout, stderr } = await runProgram('rf_certificates.py', all);
    assert.equal(status, 0, `${args.join(' ')}: ${stdout}${stderr}`);
    return stdout;
  }

  async function certificateAt(uri: string): Promise<string> {
    const token = await logIn(filled.stack.url, filled.stack.password);
    const { status, json } = await curl(`${filled.stack.url}${uri}`, { token });
    assert.equal(status, 200);
    return String(json.CertificateString);
  }

  async function requestFor(place: string, ...more: string[]): Promise<string> {
    const out = join(filled.folder, 'request.pem');
    await use(
      ...['csr', '-col', place, '-cn', 'bmc.example', '-o', 'Example', '-ou', 'Lab'],
      ...['-l', 'Berlin', '-st', 'Berlin', '-c', 'DE', '-out', out, ...more],
    );
    return readFileSync(out, 'utf8');
  }

  async function install(place: string, text: string, key?: string): Promise<void> {
    const cert = writeText(filled.folder, 'install.pem', text);
    const keyArguments =
      key === undefined ? [] : ['-key', writeText(filled.folder, 'install.key', key)];
    await use('install', '-dest', place, '-cert', cert, ...keyArguments);
  }

  function bundle(text: string): Promise<string> {
    const path = writeText(filled.folder, 'bundle.pem', text);
    return must('openssl', ['crl2pkcs7', '-nocrl', '-certfile', path]);
  }

  it('lists every certificate with its details', async () => {
    const output = await use('info', '-details');
    for (const uri of Object.values(collections)) assert.ok(output.includes(`${uri}/1`), output);
    assert.match(output, /ldap\.example/);
  });

  it('tells which parameters a request takes', async () => {
    const output = await use('csrinfo');
    assert.match(output, /CommonName/);
    assert.match(output, /KeyPairAlgorithm.*TPM_ALG_RSA/);
  });

  const algorithms = [
    ['the default algorithm', []],
    ['RSA', ['-alg', 'TPM_ALG_RSA', '-len', '2048']],
    ['ECDSA', ['-alg', 'TPM_ALG_ECDSA', '-curve', 'TPM_ECC_NIST_P384']],
  ] as const;
  for (const [what, args] of algorithms) {
    it(`has the server make a request with ${what}, whose certificate it then serves`, async () => {
      const request = await requestFor(collections.https, ...args);
      const certificate = await filled.authority.sign(request);
      await install(`${collections.https}/1`, certificate);
      const served = await certificateAt(`${collections.https}/1`);
      assert.equal(await fingerprintOf(served), await fingerprintOf(certificate));
      assert.match(await describeCertificate(served), /CN=bmc\.example/);
    });
  }

  const forms = [
    ['PEM', async (leaf: string) => leaf],
    ['PEMchain', async (leaf: string, root: string) => leaf + root],
    ['PKCS7', async (leaf: string, root: string) => bundle(leaf + root)],
  ] as const;
  for (const [form, write] of forms) {
    for (const place of ['https', 'ldap'] as const) {
      it(`installs the answer to a request in ${form} at ${place}`, async () => {
        const request = await requestFor(collections[place]);
        const leaf = await filled.authority.sign(request);
        await install(`${collections[place]}/1`, await write(leaf, filled.authority.pem));
        const served = await certificateAt(`${collections[place]}/1`);
        assert.equal(await fingerprintOf(served), await fingerprintOf(leaf));
      });
    }
  }

  it('installs a certificate with a key of its own', async () => {
    const { key, pem } = await filled.authority.issue('own-key.example', [
      ...['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
    ]);
    await install(`${collections.https}/1`, pem, key);
    const served = await certificateAt(`${collections.https}/1`);
    assert.equal(await fingerprintOf(served), await fingerprintOf(pem));
    assert.doesNotMatch(served, /PRIVATE KEY/);
  });

  for (const [form, write] of [forms[0], forms[2]]) {
    it(`adds an authority to the truststore in ${form}, replaces it and deletes it`, async () => {
      const [first, second] = await Promise.all([
        makeAuthority(filled.folder, `first-${form}`),
        makeAuthority(filled.folder, `second-${form}`),
      ]);
      const before = await members();
      await install(collections.truststore, await write(first.pem, ''));
      const [added = ''] = (await members()).filter((uri) => !before.includes(uri));
      assert.equal(await fingerprintOf(await certificateAt(added)), await fingerprintOf(first.pem));
      await install(added, await write(second.pem, ''));
      const fingerprints = await Promise.all(
        (await members()).map(async (uri) => fingerprintOf(await certificateAt(uri))),
      );
      assert.ok(fingerprints.includes(await fingerprintOf(second.pem)));
      assert.ok(!fingerprints.includes(await fingerprintOf(first.pem)));
      const [now = ''] = (await members()).filter((uri) => !before.includes(uri));
      await use('delete', '-cert', now);
      assert.deepEqual(await members(), before);
    });
  }

  async function members(): Promise<string[]> {
    const token = await logIn(filled.stack.url, filled.stack.password);
    const { text } = await curl(`${filled.stack.url}${collections.truststore}`, { token });
    const { Members }: { Members: { '@odata.id': string }[] } = JSON.parse(text);
    return Members.map((member) => member['@odata.id']);
  }

  it('ends with a failure when the service refuses', async () => {
    const cert = writeText(filled.folder, 'broken.pem', 'no certificate\n');
    const args = ['install', '-dest', collections.truststore, '-cert', cert];
    const { status } = await runProgram('rf_certificates.py', [
      ...[...serviceArguments(filled.stack), ...args],
    ]);
    assert.equal(status, 1);
  });
});
