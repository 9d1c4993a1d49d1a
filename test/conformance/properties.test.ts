import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { paths } from '../fakes/manager-process.ts';
import {
  type CertificateShape,
  type Issued,
  keyKinds,
  openssl,
} from '../fakes/openssl-authority.ts';
import { certificateInterface, type Device, methods, startDevice } from './device.ts';

const object = `${paths.client}/1`;

/** Contract §6. */
describe('the properties of a certificate', () => {
  let device: Device;
  let first: Issued;
  before(async () => {
    device = await startDevice();
    first = device.ca.issue();
    await device.tools('client').call(paths.client, methods.install, 's', device.pair(first));
  });
  after(() => device?.stop());

  /** Installs a certificate and compares what each client program reads of it. */
  const assertShown = async (shape: CertificateShape, expected: Record<string, string[]>) => {
    // One key for all of them, which makes them quickly
    const issued = device.ca.issue({ keyOf: first, ...shape });
    await device.tools('client').call(object, methods.replace, 's', device.pair(issued));
    for (const [property, value] of Object.entries(expected)) {
      const read = device
        .clients('client')
        .map((client) => client.call(object, methods.get, certificateInterface, property));
      const [viaSdBus, viaGlib] = await Promise.all(read);
      assert.deepEqual(viaSdBus, value, `busctl, ${property}`);
      assert.deepEqual(viaGlib, value, `gdbus, ${property}`);
    }
  };

  const names: readonly {
    what: string;
    subject: string;
    value: string;
  }[] = [
    {
      what: 'in the order of the certificate, joined by commas without spaces',
      subject: '/O=openbmc-project.xyz/CN=localhost',
      value: 'O=openbmc-project.xyz,CN=localhost',
    },
    {
      what: 'with the short names of OpenSSL',
      subject:
        '/C=US/ST=Texas/L=Austin/O=Acme/OU=Lab/CN=x/emailAddress=a@b.c/GN=Jo/SN=Do/initials=JD/name=N/DC=d/UID=u/serialNumber=7/title=T',
      value:
        'C=US,ST=Texas,L=Austin,O=Acme,OU=Lab,CN=x,emailAddress=a@b.c,GN=Jo,SN=Do,initials=JD,name=N,DC=d,UID=u,serialNumber=7,title=T',
    },
    {
      what: 'with plus signs in an RDN of several values',
      subject: '/O=Acme/CN=x+OU=Lab',
      value: 'O=Acme,CN=x+OU=Lab',
    },
    { what: 'with a comma as it is', subject: '/O=Acme, Inc./CN=x', value: 'O=Acme, Inc.,CN=x' },
    { what: 'in UTF-8 below U+0100', subject: '/O=Müller é/CN=x', value: 'O=Müller é,CN=x' },
    { what: 'in UTF-8 above it', subject: '/O=東京/CN=Žofie', value: 'O=東京,CN=Žofie' },
    { what: 'in UTF-8 beyond 16 bits', subject: '/O=𝔅/CN=x', value: 'O=𝔅,CN=x' },
  ];
  for (const { what, subject, value } of names) {
    it(`Subject and Issuer are written ${what}`, async () => {
      await assertShown({ subject }, { Subject: [value], Issuer: [value] });
    });
  }

  it('Issuer is the subject of another certificate where that one signed', async () => {
    const issuer = device.ca.issueCa({ subject: '/O=Acme/CN=Root' });
    const expected = { Issuer: ['O=Acme,CN=Root'], Subject: ['CN=leaf'] };
    await assertShown({ subject: '/CN=leaf', issuer }, expected);
  });

  it('an attribute that OpenSSL has no name for is written by its number', async () => {
    const lines = ['oid_section=o', '[o]', 'seven=1.3.6.1.4.1.4711.1', '[req]', 'prompt=no'];
    const name = ['distinguished_name=n', '[n]', 'seven=7', 'CN=x', ''];
    const config = device.ca.write('oid.cnf', [...lines, ...name].join('\n'));
    const { key, keyPath } = first;
    const pem = openssl(['req', '-x509', '-new', '-config', config, '-key', keyPath]);
    const path = device.ca.write('oid.pem', `${key}${pem}`);
    for (const client of device.clients('client')) {
      await client.call(object, methods.replace, path);
      const read = await client.call(object, methods.get, certificateInterface, 'Subject');
      assert.deepEqual(read, ['1.3.6.1.4.1.4711.1=7,CN=x'], client.name);
    }
  });

  const usages: readonly { extension: string; value: string[] }[] = [
    { extension: 'keyUsage=digitalSignature', value: ['DigitalSignature'] },
    { extension: 'keyUsage=nonRepudiation', value: ['NonRepudiation'] },
    { extension: 'keyUsage=keyEncipherment', value: ['KeyEncipherment'] },
    { extension: 'keyUsage=dataEncipherment', value: ['DataEncipherment'] },
    { extension: 'keyUsage=keyAgreement', value: ['KeyAgreement'] },
    { extension: 'keyUsage=keyCertSign', value: ['KeyCertSign'] },
    { extension: 'keyUsage=cRLSign', value: ['CRLSigning'] },
    { extension: 'keyUsage=encipherOnly', value: ['EncipherOnly'] },
    { extension: 'keyUsage=decipherOnly', value: ['DecipherOnly'] },
    { extension: 'extendedKeyUsage=serverAuth', value: ['ServerAuthentication'] },
    { extension: 'extendedKeyUsage=clientAuth', value: ['ClientAuthentication'] },
    { extension: 'extendedKeyUsage=emailProtection', value: ['EmailProtection'] },
    { extension: 'extendedKeyUsage=OCSPSigning', value: ['OCSPSigning'] },
    { extension: 'extendedKeyUsage=timeStamping', value: ['Timestamping'] },
    { extension: 'extendedKeyUsage=codeSigning', value: ['CodeSigning'] },
    { extension: 'subjectKeyIdentifier=hash', value: [] },
  ];
  for (const { extension, value } of usages) {
    it(`KeyUsage of ${extension} is [${value}]`, async () => {
      await assertShown({ extensions: [extension] }, { KeyUsage: value });
    });
  }

  const times: readonly { property: string; from: string; until: string; value: string }[] = [
    { property: 'ValidNotBefore', from: '19700101000000Z', until: '20360101000000Z', value: '0' },
    {
      property: 'ValidNotBefore',
      from: '20260101000001Z',
      until: '20360101000000Z',
      value: '1767225601',
    },
    {
      property: 'ValidNotAfter',
      from: '20260101000000Z',
      until: '20380119031408Z',
      value: '2147483648',
    },
    {
      property: 'ValidNotAfter',
      from: '20260101000000Z',
      until: '20500101000000Z',
      value: '2524608000',
    },
    {
      property: 'ValidNotAfter',
      from: '20260101000000Z',
      until: '99991231235959Z',
      value: '253402300799',
    },
  ];
  for (const { property, from, until, value } of times) {
    it(`${property} from ${from} until ${until} is ${value} seconds`, async () => {
      await assertShown({ from, until }, { [property]: [value] });
    });
  }

  it('CertificateString is the first certificate in 64 columns with a newline at its end', async () => {
    const issuer = device.ca.issueCa();
    const { key, pem } = device.ca.issue({ issuer, key: keyKinds.rsa(2048) });
    const body = pem.replace(/-----.*-----|\n/g, '');
    const wide = `-----BEGIN CERTIFICATE-----\n${body.replace(/.{76}/g, '$&\r\n')}\n-----END CERTIFICATE-----`;
    const path = device.ca.write('wide.pem', `${wide}\n${issuer.pem}${key}`);
    await device.tools('client').call(object, methods.replace, 's', path);
    for (const client of device.clients('client')) {
      const read = await client.call(
        object,
        methods.get,
        certificateInterface,
        'CertificateString',
      );
      assert.deepEqual(read, [openssl(['x509'], pem)], client.name);
    }
  });

  it('no property ever shows the key', async () => {
    for (const client of device.clients('client')) {
      const all = await client.call(object, methods.getAll, '');
      assert.doesNotMatch(all.join(), /PRIVATE/, client.name);
    }
  });

  it('GetAll has the six properties', async () => {
    for (const client of device.clients('client')) {
      const all = await client.call(object, methods.getAll, certificateInterface);
      for (const name of ['CertificateString', 'KeyUsage', 'Issuer', 'Subject']) {
        assert.ok(all.includes(name), `${client.name}: ${name}`);
      }
      assert.ok(all.includes('ValidNotAfter') && all.includes('ValidNotBefore'), client.name);
    }
  });
});
