import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Issued, keyKinds, opensslAuthority } from '../fakes/openssl-authority.ts';
import { must, until } from './commands.ts';
import { curl, type HttpAnswer, type Json, logIn } from './redfish-client.ts';
import { type RunningStack, removeDirectory, startStack, temporaryDirectory } from './stack.ts';

const https = '/redfish/v1/Managers/bmc/NetworkProtocol/HTTPS/Certificates';
const service = '/redfish/v1/CertificateService/Actions/CertificateService';
const busName = 'xyz.openbmc_project.Certs.Manager.Server.Https';
const object = '/xyz/openbmc_project/certs/server/https/1';

describe('what goes into service at the running stack', () => {
  const state = temporaryDirectory();
  const authority = opensslAuthority();
  const inDays = (days: number) => {
    const time = new Date(Date.now() + days * 86_400_000).toISOString();
    return `${time.replace(/[-:T]|\..*/g, '')}Z`;
  };
  const dates = { from: inDays(-1), until: inDays(300) };
  let stack: RunningStack;
  let token: string;
  before(async () => {
    stack = await startStack(state);
    token = await logIn(stack.url, stack.password);
  });
  after(async () => {
    await stack?.stop();
    removeDirectory(state);
    authority.remove();
  });

  const post = (uri: string, body: object) =>
    curl(`${stack.url}${uri}`, { method: 'POST', token, body });
  const replace = (...parts: string[]) =>
    post(`${service}.ReplaceCertificate`, {
      CertificateString: parts.join(''),
      CertificateType: 'PEM',
      CertificateUri: { '@odata.id': `${https}/1` },
    });
  const shown = async () => (await curl(`${stack.url}${https}/1`, { token })).json;
  const wire = async () => {
    const address = stack.url.replace('https://', '');
    const pem = await must('openssl', ['s_client', '-connect', address, '-showcerts']);
    return pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n/g) ?? [];
  };
  const infoOf = ({ json }: HttpAnswer): string[] => {
    const info = listOf(json['@Message.ExtendedInfo']);
    return info.map(({ MessageId, MessageArgs }) => `${MessageId} ${MessageArgs}`);
  };

  const small = authority.issueCa({
    ...dates,
    key: keyKinds.rsa(1024),
    subject: '/CN=Ancient Root 1024',
  });
  const root = authority.issueCa(dates);
  const good = () => authority.issue({ ...dates, issuer: root });

  const refused: readonly (readonly [string, () => string[], RegExp])[] = [
    [
      'a chain with a key that the service cannot show',
      () => {
        const leaf = authority.issue({ ...dates, issuer: small });
        return [leaf.pem, small.pem, leaf.key];
      },
      /^key-strength: certificate 2 of 2 \(CN=Ancient Root 1024\): .*ca key too small/,
    ],
    [
      'a key that may not sign',
      () => {
        const extensions = ['keyUsage=critical,keyEncipherment'];
        const leaf = authority.issue({ ...dates, issuer: root, extensions });
        return [leaf.pem, root.pem, leaf.key];
      },
      /^key-usage: certificate 1 of 2 \(CN=bmc\.example\.com\): .*digitalSignature/,
    ],
  ];
  for (const [what, file, reason] of refused) {
    it(`is not ${what}`, async () => {
      const before = await wire();
      const answer = await replace(...file());
      assert.equal(answer.status, 400);
      const [reply] = listOf(answer.json.error?.['@Message.ExtendedInfo']);
      assert.match(String(reply?.Resolution), reason);
      assert.deepEqual(await wire(), before);
    });
  }

  it('is the leaf with its chain; a stranger is named, and the service comes up again', async () => {
    const leaf = good();
    const answer = await replace(leaf.pem, small.pem, root.pem, leaf.key);
    assert.equal(answer.status, 200);
    const [info, ...more] = infoOf(answer);
    assert.match(info ?? '', /^BmcCertificates\.1\.0\.CertificateLeftOut CN=Ancient Root 1024,/);
    assert.deepEqual(more, []);
    assert.equal((await shown()).Status?.Health, 'OK');
    const inLog = /certificate of the file left out .*Ancient Root 1024/;
    await until('the log says so', () => inLog.test(stack.output()));
    assert.deepEqual(await wire(), [leaf.pem, root.pem]);
    const pidFile = join(stack.state, 'run', 'redfish.pid');
    const pid = Number(readFileSync(pidFile, 'utf8'));
    process.kill(pid, 'SIGKILL');
    await until('the service runs again', async () => {
      if (Number(readFileSync(pidFile, 'utf8')) === pid) return false;
      return wire().then(
        ([first]) => first === leaf.pem,
        () => false,
      );
    });
    token = await logIn(stack.url, stack.password);
  });

  const keys: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['Ed25519', keyKinds.ed25519, /Ed25519/],
    ['RSA-PSS', ['-algorithm', 'RSA-PSS', '-pkeyopt', 'rsa_keygen_bits:2048'], /RSA-PSS/],
    ['P-521', keyKinds.ec('P-521'), /P-521/],
  ];
  for (const [what, key, reason] of keys) {
    it(`is a key of the kind ${what} with a warning in the reply, in Status and on the bus`, async () => {
      const leaf: Issued = authority.issue({ ...dates, key });
      const answer = await replace(leaf.pem, leaf.key);
      assert.equal(answer.status, 200);
      const [info] = infoOf(answer);
      assert.match(info ?? '', /^BmcCertificates\.1\.0\.CertificateWarning key-type,/);
      assert.match(info ?? '', reason);
      const { Status } = await shown();
      assert.equal(Status?.Health, 'Warning');
      const [condition] = listOf(Status?.Conditions);
      assert.equal(condition?.Severity, 'Warning');
      assert.match(String(condition?.Message), reason);
      const args = [
        'get-property',
        busName,
        object,
        'xyz.openbmc_project.Certs.Extension.Findings',
      ];
      const text = await must('busctl', [`--address=${stack.bus}`, ...args, 'Warnings']);
      assert.match(text, /^a\(ss\) 1 "key-type"/);
      assert.match(text, reason);
    });
  }

  it('is told to have expired, and to have no alternative names, and served all the same', async () => {
    const past = { from: '20250101000000Z', until: '20260101000000Z' };
    const leaf = authority.issue({ ...past, extensions: ['basicConstraints=CA:FALSE'] });
    const [ofDates, ofNames, ...others] = infoOf(await replace(leaf.pem, leaf.key));
    const warning = 'BmcCertificates.1.0.CertificateWarning ';
    assert.ok(
      ofDates?.startsWith(`${warning}expired,it expired at 2026-01-01T00:00:00Z;`),
      ofDates,
    );
    assert.ok(ofNames?.startsWith(`${warning}name-missing,web browsers and others`), ofNames);
    assert.deepEqual(others, []);
    assert.deepEqual(await wire(), [leaf.pem]);
    const { Status } = await shown();
    assert.equal(Status?.Health, 'Critical');
    const [condition] = listOf(Status?.Conditions);
    assert.match(String(condition?.Message), /name-missing/);
  });

  it('is told to lack its intermediate, and a CA to lack its issuer, until they are there', async () => {
    const truststore = '/redfish/v1/Managers/bmc/Truststore/Certificates';
    const add = (CertificateString: string) =>
      post(truststore, { CertificateString, CertificateType: 'PEM' });
    const incomplete = /^BmcCertificates\.1\.0\.CertificateChainIncomplete its issuer /;
    const intermediate = authority.issueCa({ ...dates, issuer: root, subject: '/CN=Between' });
    const leaf = authority.issue({ ...dates, issuer: intermediate });
    const [ofLeaf, ...others] = infoOf(await replace(leaf.pem, leaf.key));
    assert.match(ofLeaf ?? '', incomplete);
    assert.deepEqual(others, []);
    assert.deepEqual(infoOf(await replace(leaf.pem, intermediate.pem, leaf.key)), []);
    const [ofCa] = infoOf(await add(intermediate.pem));
    assert.match(ofCa ?? '', incomplete);
    assert.deepEqual(infoOf(await add(root.pem)), []);
    const all = `${truststore}/Actions/Oem/BmcCertificates.ReplaceAll`;
    const [ofBundle] = infoOf(await post(all, { CertificateString: intermediate.pem }));
    assert.match(ofBundle ?? '', incomplete);
    const whole = await post(all, { CertificateString: intermediate.pem + root.pem });
    assert.deepEqual(infoOf(whole), []);
  });

  it('is without a warning again after a good one', async () => {
    const leaf = good();
    const answer = await replace(leaf.pem, root.pem, leaf.key);
    assert.deepEqual(infoOf(answer), []);
    const { Status } = await shown();
    assert.equal(Status?.Health, 'OK');
    assert.equal(Status?.Conditions, undefined);
  });

  for (const curve of ['secp521r1', 'P-521', 'TPM_ECC_NIST_P521', 'TPM_ECC_NIST_P384']) {
    it(`is a CSR on ${curve}, and the reply says whether browsers take it`, async () => {
      const answer = await post(`${service}.GenerateCSR`, {
        CertificateCollection: { '@odata.id': https },
        CommonName: 'bmc.example.com',
        KeyPairAlgorithm: 'TPM_ALG_ECDSA',
        KeyCurveId: curve,
      });
      assert.equal(answer.status, 200);
      assert.match(String(answer.json.CSRString), /BEGIN CERTIFICATE REQUEST/);
      const expected = curve.endsWith('P384')
        ? []
        : [`BmcCertificates.1.0.CurveRefusedByBrowsers ${curve}`];
      assert.deepEqual(infoOf(answer), expected);
    });
  }

  it('has its messages in a registry that the service serves', async () => {
    const path = '/redfish/v1/Registries/BmcCertificates';
    const file = (await curl(`${stack.url}${path}`, { token })).json;
    const [location] = listOf(file.Location);
    const registry = (await curl(`${stack.url}${location?.Uri}`, { token })).json;
    assert.equal(registry.RegistryPrefix, 'BmcCertificates');
    assert.ok(registry.Messages?.CertificateWarning);
  });
});

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}
