import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { until } from '../e2e/commands.ts';
import { openssl, opensslAuthority } from '../fakes/openssl-authority.ts';
import { type Device, startDevice, whyNoDevice } from './device.ts';
import { ask, configuration, install } from './installation.ts';

const collection = '/redfish/v1/Managers/bmc/NetworkProtocol/HTTPS/Certificates';
const actions = '/redfish/v1/CertificateService/Actions/CertificateService';
const places = [
  collection,
  '/redfish/v1/AccountService/LDAP/Certificates',
  '/redfish/v1/Managers/bmc/Truststore/Certificates',
  '/redfish/v1/Managers/bmc/SecurityPolicy/TLS/Server/RevokedCertificates',
];
const units = ['bmc-certificate-manager', 'bmc-account-manager', 'bmc-redfish'];

describe('the service installed under a real systemd', { skip: whyNoDevice() ?? false }, () => {
  const authority = opensslAuthority();
  const ca = authority.issueCa({ subject: '/CN=CA of the device' });
  let device: Device;

  before(async () => {
    device = await startDevice();
    await install(device);
    await until('Redfish answers', async () => (await ask(device, '/redfish/v1')).status === 200);
  });
  after(async () => {
    await device?.stop();
    authority.remove();
  });

  const served = async () => {
    const client = 'openssl s_client -connect 127.0.0.1:443 </dev/null 2>/dev/null';
    return device.must('sh', '-c', `${client} | openssl x509 -noout -subject -fingerprint`);
  };
  const mainPid = async (unit: string) =>
    (await device.must('systemctl', 'show', '--property=MainPID', '--value', unit)).trim();
  const journal = (...options: string[]) =>
    device.must('journalctl', '--no-pager', '--output=cat', ...options);

  for (const place of places) {
    it(`serves ${place}`, async () => {
      const { status, text } = await ask(device, place);
      assert.equal(status, 200, text);
    });
  }

  it('answers a request with a key of each algorithm, and serves the certificate for it', async () => {
    const parameters = [
      { KeyPairAlgorithm: 'RSA', KeyBitLength: 2048 },
      { KeyPairAlgorithm: 'EC', KeyCurveId: 'secp384r1' },
    ];
    for (const [at, one] of parameters.entries()) {
      const body = { CommonName: `bmc-${at}`, ...one, CertificateCollection: collection };
      const generate = await ask(device, `${actions}.GenerateCSR`, '--json', JSON.stringify(body));
      assert.equal(generate.status, 200, generate.text);
      const pem = authority.sign(JSON.parse(generate.text).CSRString, ca);
      const replacement = {
        CertificateString: pem,
        CertificateType: 'PEM',
        CertificateUri: { '@odata.id': `${collection}/1` },
      };
      const data = JSON.stringify(replacement);
      const replaced = await ask(device, `${actions}.ReplaceCertificate`, '--json', data);
      assert.equal(replaced.status, 200, replaced.text);
      assert.match(await served(), new RegExp(`CN = bmc-${at}`));
    }
  });

  it('opens files whose passwords take many rounds, for the manager and for Redfish', async () => {
    const leaf = authority.issue({ issuer: ca, subject: '/CN=bmc-opened' });
    const path = join(authority.directory, 'costly.p12');
    const made = (...what: string[]) => {
      const rounds = ['-iter', '600000', '-passout', 'pass:geheim'];
      openssl(['pkcs12', '-export', ...what, ...rounds, '-out', path]);
      const CertificateString = readFileSync(path).toString('base64');
      return { CertificateString, CertificateType: 'PKCS12', Password: 'geheim' };
    };
    const replacement = {
      ...made('-in', leaf.path, '-inkey', leaf.keyPath),
      CertificateUri: { '@odata.id': `${collection}/1` },
    };
    const data = JSON.stringify(replacement);
    const replaced = await ask(device, `${actions}.ReplaceCertificate`, '--json', data);
    assert.equal(replaced.status, 200, replaced.text);
    assert.match(await served(), /CN = bmc-opened/);
    const truststore = '/redfish/v1/Managers/bmc/Truststore/Certificates';
    const authorities = JSON.stringify(made('-nokeys', '-in', ca.path));
    const added = await ask(device, truststore, '--json', authorities);
    assert.equal(added.status, 201, added.text);
  });

  it('has its services reloaded by systemd', async () => {
    const lines = await journal('--unit=bmc-certificate-manager');
    assert.match(lines, /service reloaded service=bmc-redfish.service/);
    assert.doesNotMatch(lines, /could not be reloaded/);
  });

  it('knows that a service failed to reload, and has it reloaded once it can', async () => {
    const reloads = async () =>
      (await journal('--unit=bmc-certificate-manager')).split('service reloaded').length;
    const dropIn = '/run/systemd/system/bmc-redfish.service.d';
    const failing = '[Service]\nExecReload=\nExecReload=/bin/false\n';
    const write = `mkdir -p ${dropIn} && printf '${failing}' > ${dropIn}/fail.conf`;
    await device.must('sh', '-e', '-c', `${write} && systemctl daemon-reload`);
    const before = await reloads();
    const name = 'xyz.openbmc_project.Certs.Manager.Server.Https';
    const object = '/xyz/openbmc_project/certs/server/https';
    const member = ['xyz.openbmc_project.Certs.Extension.Reload', 'Reload'];
    await device.must('busctl', 'call', name, object, ...member);
    const lines = await journal('--unit=bmc-certificate-manager');
    assert.match(lines, /could not be reloaded.*the job ended as failed/);
    assert.equal(await reloads(), before);
    await device.must('sh', '-e', '-c', `rm -r ${dropIn} && systemctl daemon-reload`);
    await until('it is reloaded', async () => (await reloads()) > before);
  });

  it('shows the host name in a self-signed certificate', async () => {
    await device.must('hostnamectl', 'hostname', 'rack-7');
    const name = 'xyz.openbmc_project.Certs.Manager.Server.Https';
    const object = '/xyz/openbmc_project/certs/server/https/1';
    await device.must(
      'busctl',
      'call',
      name,
      object,
      'xyz.openbmc_project.Object.Delete',
      'Delete',
    );
    assert.match(await served(), /rack-7/);
  });

  for (const unit of units) {
    it(`has ${unit} back after kill -9, with what was there`, async () => {
      const fingerprint = await served();
      const pid = await mainPid(unit);
      await device.must('kill', '-9', pid);
      await until('it runs again', async () => !['0', pid].includes(await mainPid(unit)));
      await until(
        'Redfish has the certificate',
        async () => (await ask(device, `${collection}/1`)).status === 200,
      );
      assert.equal(await served(), fingerprint);
    });
  }

  for (const unit of units) {
    it(`has ${unit} started again however often it ends`, async () => {
      const property = '--property=StartLimitIntervalUSec';
      assert.equal(await device.must('systemctl', 'show', property, '--value', unit), '0\n');
    });
  }

  it('comes up without its manager, its certificate and the copy of that', async () => {
    const [pem] = JSON.parse(readFileSync(join(device.root, configuration), 'utf8'))
      .endpoints.filter(({ type }: { type: string }) => type === 'server')
      .map(({ path }: { path: string }) => path);
    const manager = 'bmc-certificate-manager';
    const copy = '/var/lib/bmc-certificate-manager/redfish/last-good.pem';
    await device.must('systemctl', 'mask', '--runtime', '--now', manager);
    try {
      await device.must('systemctl', 'stop', 'bmc-redfish');
      assert.equal(await device.must('stat', '--format=%a %U', copy), '600 bmc-redfish\n');
      await device.must('rm', pem, copy);
      await device.must('systemctl', 'start', 'bmc-redfish');
      await until('Redfish answers', async () => (await ask(device, '/redfish/v1')).status === 200);
      const client = 'openssl s_client -connect 127.0.0.1:443 </dev/null 2>/dev/null';
      const fingerprint = `${client} | openssl x509 -noout -fingerprint -sha256 | cut -d= -f2`;
      const shown = (await device.must('sh', '-c', fingerprint)).trim();
      const log = await journal('--unit=bmc-redfish');
      assert.ok(log.includes(`certificate in memory is served fingerprint=${shown}`), log);
    } finally {
      await device.must('systemctl', 'unmask', '--runtime', manager);
      await device.must('systemctl', 'start', manager);
    }
    const isBack = async () => (await ask(device, `${collection}/1`)).status === 200;
    await until('the manager is back', isBack);
    assert.match((await ask(device, `${collection}/1`)).text, /"Health": "OK"/);
  });

  it('keeps its files of state from a second service', async () => {
    const log = await journal('--unit=bmc-redfish');
    assert.doesNotMatch(log, /not kept from other services/);
    const state = '/var/lib/bmc-certificate-manager/redfish';
    assert.match((await device.run('ls', state)).stdout, /^redfish\.lock\.[0-9a-f]{12}$/m);
  });

  it('gives every line of its log the priority that it has', async () => {
    await device.must('mv', configuration, '/aside');
    await device.run('systemctl', 'restart', 'bmc-redfish');
    await until('it has failed', async () =>
      (await journal('--priority=err', '--unit=bmc-redfish')).includes('cannot start'),
    );
    await device.must('mv', '/aside', configuration);
    const all = await journal('--unit=bmc-redfish');
    assert.match(all, /Redfish service ready/);
    const errors = await journal('--priority=err', '--unit=bmc-redfish');
    assert.doesNotMatch(errors, /Redfish service ready/);
  });

  it('needs no policy but the one that is shipped for any endpoint that is shipped', async () => {
    const refused = await journal('--unit=dbus', '--unit=bmc-redfish');
    assert.doesNotMatch(refused, /Rejected/);
  });
});
