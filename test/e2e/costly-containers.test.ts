import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { commandOf, familyOf } from '../fakes/proc.ts';
import { slowKey } from '../fakes/slow-key.ts';
import {
  fingerprintOf,
  makeAuthority,
  type TestAuthority,
  writeText,
} from './certificate-authority.ts';
import { must, until } from './commands.ts';
import { curl, type HttpAnswer, logIn } from './redfish-client.ts';
import {
  clone,
  type RunningStack,
  removeDirectory,
  startStack,
  temporaryDirectory,
} from './stack.ts';

const https = '/redfish/v1/Managers/bmc/NetworkProtocol/HTTPS/Certificates';
const truststore = '/redfish/v1/Managers/bmc/Truststore/Certificates';
const replaceCertificate =
  '/redfish/v1/CertificateService/Actions/CertificateService.ReplaceCertificate';
const password = 'geheim';

/** What takes many rounds: NSS and GnuTLS want 600 000 for each of three keys. */
describe('a file with a password that takes many rounds', () => {
  const directory = temporaryDirectory();
  const at = (name: string) => join(directory, name);
  let stack: RunningStack;
  let ca: TestAuthority;
  let token: string;

  /** A container of openssl, made as quickly as there can be. */
  const quick = async (name: string) => {
    const { key, pem } = await ca.issue(name, ['-newkey', 'rsa:2048']);
    const source = writeText(directory, `${name}.pem`, key + pem + ca.pem);
    const pass = ['-passout', `pass:${password}`];
    await must('openssl', [
      ...['pkcs12', '-export', '-in', source, '-name', name, '-iter', '1', ...pass],
      ...['-out', at(`${name}-quick.p12`)],
    ]);
    return { pem, source, path: at(`${name}-quick.p12`) };
  };
  const ofNss = async () => {
    const { pem, path } = await quick('nss');
    const database = ['-d', `sql:${directory}`];
    const use = [...database, '-W', password];
    await must('certutil', ['-N', ...database, '--empty-password']);
    await must('pk12util', ['-i', path, ...use]);
    await must('pk12util', ['-o', at('nss.p12'), '-n', 'nss', ...use]);
    return { pem, path: at('nss.p12') };
  };
  const ofGnuTls = async () => {
    const { pem, source } = await quick('gnutls');
    const files = ['--load-certificate', source, '--load-privkey', source];
    await must('certtool', [
      ...['--to-p12', '--password', password, '--p12-name', 'gnutls', ...files],
      ...['--outder', '--outfile', at('gnutls.p12')],
    ]);
    return { pem, path: at('gnutls.p12') };
  };

  const replace = (CertificateString: string, Password = password): Promise<HttpAnswer> => {
    const CertificateUri = { '@odata.id': `${https}/1` };
    const body = { CertificateString, CertificateType: 'PKCS12', CertificateUri, Password };
    return curl(`${stack.url}${replaceCertificate}`, { token, body });
  };
  const base64 = (path: string) => readFileSync(path).toString('base64');
  const served = () =>
    must('openssl', ['s_client', '-connect', stack.url.slice('https://'.length)]);
  const shown = async () => fingerprintOf(await served());
  const openersOfManager = () => {
    const pids = readdirSync('/proc').map(Number).filter(Boolean);
    const isManager = (pid: number) =>
      [`/certificate-manager.js`, directory].every((part) => commandOf(pid).includes(part));
    return pids
      .filter(isManager)
      .flatMap(familyOf)
      .filter((pid) => commandOf(pid).includes('/content-opener.js'));
  };

  before(async () => {
    ca = await makeAuthority(directory, 'Test CA');
    const limits = { openingSeconds: 300, content: { derivationRounds: 1_000_000_000 } };
    const config = writeText(directory, 'limits.json', JSON.stringify({ limits }));
    stack = await startStack(directory, ['--config', config]);
    token = await logIn(stack.url, stack.password);
  });
  after(async () => {
    await stack?.stop();
    removeDirectory(directory);
  });

  const programs = [
    ['NSS', ofNss],
    ['GnuTLS', ofGnuTls],
  ] as const;
  for (const [program, make] of programs) {
    it(`of ${program} is put into service as it is`, async () => {
      const { pem, path } = await make();
      const answer = await replace(base64(path));
      assert.equal(answer.status, 200, answer.text);
      assert.equal(await shown(), await fingerprintOf(pem));
    });
  }

  it('is refused with another password, and nothing changes', async () => {
    const before = await shown();
    const answer = await replace(base64(at('gnutls.p12')), 'other');
    assert.equal(answer.status, 400, answer.text);
    assert.match(answer.text, /password-wrong/);
    assert.equal(await shown(), before);
  });

  it('brings CAs into a truststore', async () => {
    const path = at('authorities.p12');
    await must('openssl', [
      ...['pkcs12', '-export', '-nokeys', '-in', ca.path, '-iter', '600000'],
      ...['-passout', `pass:${password}`, '-out', path],
    ]);
    const body = {
      CertificateString: base64(path),
      CertificateType: 'PKCS12',
      Password: password,
    };
    const answer = await curl(`${stack.url}${truststore}`, { token, body });
    assert.equal(answer.status, 201, answer.text);
    assert.equal(answer.json.CertificateString, ca.pem);
  });

  it('is put into service by bmc-certs, too', async () => {
    const words = writeText(directory, 'words', `${password}\n`);
    const program = join(clone, 'dist', 'bmc-certs.js');
    const command = ['replace', 'server/https', at('nss.p12'), '--password-file', words];
    await must(process.execPath, [program, '--bus', stack.bus, ...command]);
    const subject = await must('openssl', ['x509', '-noout', '-subject'], await served());
    assert.match(subject, /CN = nss$/m);
  });

  it('keeps nobody waiting while it is opened, and changes nothing when that fails', async () => {
    const before = await shown();
    const answer = replace(slowKey(1_000_000_000) + ca.pem);
    const opener = await until('it is being opened', () => openersOfManager()[0]);
    const collection = await curl(`${stack.url}${https}`, { token });
    assert.equal(collection.status, 200);
    const { pem } = await makeAuthority(directory, 'Other CA');
    const added = await curl(`${stack.url}${truststore}`, {
      token,
      body: { CertificateString: pem, CertificateType: 'PEM' },
    });
    assert.equal(added.status, 201, added.text);
    assert.deepEqual(openersOfManager(), [opener]);
    process.kill(opener, 'SIGKILL');
    const { status, text } = await answer;
    assert.equal(status, 500, text);
    assert.equal(await shown(), before);
  });
});
