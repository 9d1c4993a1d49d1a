import assert from 'node:assert/strict';
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { must, run, until } from '../e2e/commands.ts';
import { startFakeSystemd } from '../fakes/fake-systemd.ts';
import { names, paths } from '../fakes/manager-process.ts';
import { keyKinds } from '../fakes/openssl-authority.ts';
import {
  assertRefused,
  bundle,
  certificateInterface,
  type Device,
  errors,
  makeCas,
  methods,
  startDevice,
} from './device.ts';
import { requestFor } from './request-arguments.ts';

const { notAllowed } = errors;
const object = `${paths.client}/1`;

/** The rules that we keep where the contract marks a quirk of upstream, or where a defect was observed. */
describe('a certificate with its key', () => {
  let device: Device;
  before(async () => {
    device = await startDevice();
    await device.clients('client')[0].call(paths.client, methods.install, pair());
  });
  after(() => device?.stop());

  const pair = (shape = {}) => device.pair(device.ca.issue(shape));
  const shown = (path: string, property: string) =>
    Promise.all(
      (path === object ? device.clients('client') : device.clients('server')).map((client) =>
        client.call(path, methods.get, certificateInterface, property),
      ),
    );

  for (const type of ['server', 'client'] as const) {
    for (const method of [methods.replaceAll, methods.installAll]) {
      it(`${method.split('.').at(-1)} at the ${type} takes nothing away`, async () => {
        const before = await shown(`${paths[type]}/1`, 'CertificateString');
        const file = bundle(device.ca, makeCas(device.ca, 1));
        assertRefused(await device.refusals(type, paths[type], method, file), notAllowed);
        assert.deepEqual(await shown(`${paths[type]}/1`, 'CertificateString'), before);
      });
    }
  }

  it('a ReplaceAll that was refused has taken nothing away after a restart either', async () => {
    const before = await shown(object, 'CertificateString');
    const file = bundle(device.ca, makeCas(device.ca, 1));
    await device.refusals('client', paths.client, methods.replaceAll, file);
    await device.restart();
    assert.deepEqual(await shown(object, 'CertificateString'), before);
  });

  it('lists every key usage and extended key usage', async () => {
    const usages = 'digitalSignature,nonRepudiation,keyEncipherment,keyAgreement,decipherOnly';
    const extended = 'serverAuth,clientAuth,emailProtection,OCSPSigning,timeStamping,codeSigning';
    const extensions = [`keyUsage=${usages}`, `extendedKeyUsage=${extended}`];
    await device.clients('client')[0].call(object, methods.replace, pair({ extensions }));
    for (const found of await shown(object, 'KeyUsage')) {
      assert.deepEqual(found.sort(), [
        ...['ClientAuthentication', 'CodeSigning', 'DecipherOnly', 'DigitalSignature'],
        ...['EmailProtection', 'KeyAgreement', 'KeyEncipherment', 'NonRepudiation'],
        ...['OCSPSigning', 'ServerAuthentication', 'Timestamping'],
      ]);
    }
  });

  it('a name in any script is shown in UTF-8', async () => {
    await device
      .clients('client')[0]
      .call(object, methods.replace, pair({ subject: '/O=Käse 東京' }));
    for (const found of await shown(object, 'Subject')) assert.deepEqual(found, ['O=Käse 東京']);
  });

  it('a comma in a name is on the bus as upstream has it, and the certificate tells the parts', async () => {
    const upload = pair({ subject: '/O=Acme, Inc./CN=bmc' });
    await device.clients('client')[0].call(object, methods.replace, upload);
    for (const found of await shown(object, 'Subject')) {
      assert.deepEqual(found, ['O=Acme, Inc.,CN=bmc']);
    }
    for (const [pem = ''] of await shown(object, 'CertificateString')) {
      const parts = ['x509', '-noout', '-subject', '-nameopt', 'sep_multiline,sname'];
      assert.match(await must('openssl', parts, pem), /O=Acme, Inc\.\n +CN=bmc/);
    }
  });

  it('a server refuses a curve that no TLS client takes, and a client takes it', async () => {
    const upload = pair({ key: keyKinds.ec('secp224r1') });
    const place = `${paths.server}/1`;
    const refused = await device.refusals('server', place, methods.replace, upload);
    assert.match(assertRefused(refused, errors.invalidCertificate), /^curve-unsupported: /);
    for (const client of device.clients('client'))
      await client.call(object, methods.replace, upload);
  });

  it('an upload is never written to', async () => {
    const upload = device.ca.issue();
    const before = readFileSync(upload.path, 'utf8');
    await device.clients('client')[0].call(paths.client, methods.request, ...requestFor({}));
    await device.refusals('client', object, methods.replace, upload.path);
    assert.equal(readFileSync(upload.path, 'utf8'), before);
  });

  it('the stored key is for its owner alone, whatever the mode of the upload', async () => {
    const upload = pair();
    await device.clients('client')[0].call(object, methods.replace, upload);
    assert.equal(statSync(device.stored('ldap/cert.pem')).mode & 0o777, 0o600);
  });

  it('its properties cannot be overwritten from the bus', async () => {
    const before = await shown(object, 'CertificateString');
    const set = [names.client, object, certificateInterface, 'CertificateString', 's', 'forged'];
    const { status } = await run('busctl', [
      `--address=${device.bus.address}`,
      'set-property',
      ...set,
    ]);
    assert.equal(status, 1);
    assert.deepEqual(await shown(object, 'CertificateString'), before);
  });

  it('a server certificate has the id 1 also when it follows a deleted one', async () => {
    for (const client of device.clients('server')) {
      await client.call(`${paths.server}/1`, methods.remove);
      assert.deepEqual(await device.ids('server'), ['1']);
    }
  });

  const writes = [
    { how: 'written in place', write: (path: string, text: string) => writeFileSync(path, text) },
    {
      how: 'renamed into place',
      write: (path: string, text: string) => {
        writeFileSync(`${path}.new`, text);
        renameSync(`${path}.new`, path);
      },
    },
  ];
  for (const { how, write } of writes) {
    it(`a file ${how} from outside is noticed, also after a failed Replace`, async () => {
      await device.refusals('client', object, methods.replace, device.ca.write('bad.pem', 'bad'));
      const issued = device.ca.issue();
      write(device.stored('ldap/cert.pem'), `${issued.key}${issued.pem}`);
      await until('it is shown', async () => {
        const [found] = await shown(object, 'CertificateString');
        return found?.[0] === issued.pem;
      });
    });
  }
});

describe('a change where no systemd answers', () => {
  const unit = [{ unit: 'bmcweb.service' }];
  let device: Device;
  before(async () => {
    const endpoints = [{ type: 'authority', name: 'truststore', path: 'authority', reload: unit }];
    const reload = { attemptSeconds: 1, attempts: 1, replyMilliseconds: 60_000 };
    device = await startDevice({ endpoints, reload });
  });
  after(() => device?.stop());

  it('is answered as done, for it is; the reload comes when it can', async () => {
    const [one, two, three] = makeCas(device.ca, 3);
    assert.ok(one && two && three);
    const root = paths.authority;
    for (const client of device.clients('authority')) {
      const [path = ''] = await client.call(root, methods.install, one.path);
      await client.call(path, methods.replace, two.path);
      await client.call(root, methods.install, three.path);
      await client.call(path, methods.remove);
      await client.call(root, methods.replaceAll, bundle(device.ca, [one, two]));
      await client.call(root, methods.deleteAll);
      await client.call(root, methods.installAll, bundle(device.ca, [one]));
      await client.call(root, methods.deleteAll);
      assert.deepEqual(await device.ids('authority'), []);
    }
    const systemd = await startFakeSystemd(device.bus.address);
    await device.clients('authority')[0].call(root, methods.deleteAll);
    assert.deepEqual(systemd.asked, [['bmcweb.service', 'replace']]);
    systemd.leave();
  });
});
