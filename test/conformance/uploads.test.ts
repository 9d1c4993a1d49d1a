import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { paths } from '../fakes/manager-process.ts';
import {
  type CertificateShape,
  damagedSignature,
  type Issued,
  keyKinds,
  openssl,
} from '../fakes/openssl-authority.ts';
import {
  assertRefused,
  certificateInterface,
  type Device,
  type EndpointType,
  errors,
  methods,
  nextNumber,
  startDevice,
  startOccupiedDevice,
  types,
} from './device.ts';
import { requestFor } from './request-arguments.ts';

const { internalFailure, invalidCertificate } = errors;
const pairs: readonly EndpointType[] = ['server', 'client'];

/** Contract §8, and the observed error table. */
describe('an upload that is refused', () => {
  let device: Device;
  let issuer: Issued;
  let leaf: Issued;
  let stranger: Issued;

  before(async () => {
    ({ device, issuer, leaf, stranger } = await startOccupiedDevice());
  });
  after(() => device?.stop());

  const write = (text: string) => device.ca.write('upload.pem', text);
  const der = (issued: Issued) => {
    const path = device.ca.write('upload.der', '');
    openssl(['x509', '-in', issued.path, '-outform', 'DER', '-out', path]);
    return path;
  };
  const withKey = (shape: object) => device.pair(device.ca.issueCa(shape));
  const brokenChain = () => {
    const child = device.ca.issueCa({ subject: '/CN=child', issuer });
    return write(`${child.key}${damagedSignature(child.certificate)}${issuer.pem}`);
  };

  const rows: readonly {
    what: string;
    file: () => string;
    types: readonly EndpointType[];
    error: string;
  }[] = [
    { what: 'garbage', file: () => write('garbage\n'), types, error: invalidCertificate },
    { what: 'an empty file', file: () => write(''), types, error: invalidCertificate },
    {
      what: 'a PEM block without base64',
      file: () => write(leaf.pem.replace(/MII/, '!!!')),
      types,
      error: invalidCertificate,
    },
    {
      what: 'a PEM block of something else',
      file: () => write(leaf.pem.replace(/MII[^-]*/, 'AAAA\n')),
      types,
      error: invalidCertificate,
    },
    {
      what: 'BEGIN without END',
      file: () => write(leaf.pem.replace(/-----END.*/, '')),
      types,
      error: invalidCertificate,
    },
    { what: 'a key alone', file: () => leaf.keyPath, types, error: invalidCertificate },
    { what: 'a DER file', file: () => der(issuer), types, error: invalidCertificate },
    { what: 'an absent file', file: () => '/nowhere.pem', types, error: internalFailure },
    { what: 'a directory', file: () => device.ca.directory, types, error: internalFailure },
    { what: 'the empty path', file: () => '', types, error: internalFailure },
    {
      what: 'a start before 1970',
      file: () => withKey({ from: '19690101000000Z' }),
      types,
      error: invalidCertificate,
    },
    {
      what: 'RSA with 1024 bits',
      file: () => withKey({ key: keyKinds.rsa(1024) }),
      types,
      error: invalidCertificate,
    },
    {
      what: 'a SHA-1 signature of a CA',
      file: () => withKey({ issuer, digest: 'sha1' }),
      types,
      error: invalidCertificate,
    },
    {
      what: 'an unknown critical extension',
      file: () =>
        withKey({ extensions: ['1.2.3.4=critical,ASN1:NULL', 'basicConstraints=CA:TRUE'] }),
      types,
      error: invalidCertificate,
    },
    {
      what: 'a chain whose signature does not fit',
      file: brokenChain,
      types,
      error: invalidCertificate,
    },
    {
      what: 'a key that is not the one of the certificate',
      file: () => write(`${stranger.key}${leaf.pem}`),
      types: pairs,
      error: invalidCertificate,
    },
    {
      what: 'no key, where none waits',
      file: () => stranger.path,
      types: pairs,
      error: internalFailure,
    },
  ];
  for (const { what, file, types: where, error } of rows) {
    for (const type of where) {
      it(`${what}: ${type} answers ${error.split('.').at(-1)}`, async () => {
        const path = file();
        const refused =
          type === 'authority'
            ? await device.refusals(type, paths[type], methods.install, path)
            : await device.refusals(type, `${paths[type]}/1`, methods.replace, path);
        assert.match(assertRefused(refused, error), /^[a-z-]+: ./);
      });
    }
  }

  it('no key, where the key of another request waits: InvalidCertificate', async () => {
    for (const type of pairs) {
      await device.clients(type)[0].call(paths[type], methods.request, ...requestFor({}));
      const object = `${paths[type]}/1`;
      assertRefused(
        await device.refusals(type, object, methods.replace, stranger.path),
        invalidCertificate,
      );
    }
  });
});

/** Contract §8, with `allow-expired` as it is by default. */
describe('an upload that is accepted', () => {
  let device: Device;
  let issuer: Issued;

  before(async () => {
    device = await startDevice();
    issuer = device.ca.issueCa({ subject: '/CN=Issuer' });
    await device.tools('client').call(paths.client, methods.install, 's', device.pair(issuer));
  });
  after(() => device?.stop());

  const write = (...texts: string[]) =>
    device.ca.write(`upload-${nextNumber()}.pem`, texts.join(''));
  const past = { from: '20200101000000Z', until: '20210101000000Z' };
  const future = { from: '20400101000000Z', until: '20410101000000Z' };
  const shapes: readonly { what: string; shape: CertificateShape }[] = [
    { what: 'an expired certificate', shape: past },
    { what: 'one that is not valid yet', shape: future },
    { what: 'EC P-256', shape: {} },
    { what: 'Ed25519', shape: { key: keyKinds.ed25519 } },
    { what: 'a self-signed SHA-1 certificate', shape: { digest: 'sha1' } },
  ];
  // A server signs with its key, too
  const extensions = [
    'basicConstraints=critical,CA:TRUE',
    'keyUsage=critical,keyCertSign,digitalSignature',
  ];
  for (const { what, shape } of shapes) {
    it(`${what}, by every endpoint`, async () => {
      const issued = device.ca.issueCa({ subject: `/CN=${what}`, extensions, ...shape });
      const path = device.pair(issued);
      for (const type of pairs) {
        for (const client of device.clients(type)) {
          await client.call(`${paths[type]}/1`, methods.replace, path);
        }
      }
      for (const client of device.clients('authority')) {
        const [object = ''] = await client.call(paths.authority, methods.install, path);
        await client.call(object, methods.remove);
      }
    });
  }

  const orders: readonly { what: string; parts: (leaf: Issued) => string[] }[] = [
    { what: 'key, certificate', parts: ({ key, pem }) => [key, pem] },
    { what: 'certificate, key', parts: ({ key, pem }) => [pem, key] },
    { what: 'key, certificate, chain', parts: ({ key, pem }) => [key, pem, issuer.pem] },
    { what: 'certificate, chain, key', parts: ({ key, pem }) => [pem, issuer.pem, key] },
    { what: 'text around the blocks', parts: ({ key, pem }) => ['text\n', key, 'text\n', pem] },
  ];
  for (const { what, parts } of orders) {
    it(`a pair in the order: ${what}`, async () => {
      const leaf = device.ca.issue({ issuer });
      const path = write(...parts(leaf));
      for (const type of pairs) {
        for (const client of device.clients(type)) {
          const object = `${paths[type]}/1`;
          await client.call(object, methods.replace, path);
          const shown = await client.call(
            object,
            methods.get,
            certificateInterface,
            'CertificateString',
          );
          assert.deepEqual(shown, [leaf.pem], client.name);
        }
      }
    });
  }

  it('a renewal for the key in service, without that key', async () => {
    const leaf = device.ca.issue({ subject: '/CN=renewed' });
    const renewed = device.ca.issue({ subject: '/CN=renewed', keyOf: leaf });
    for (const client of device.clients('client')) {
      await client.call(`${paths.client}/1`, methods.replace, device.pair(leaf));
      await client.call(`${paths.client}/1`, methods.replace, renewed.path);
    }
  });

  it('a file that a symbolic link leads to', async () => {
    const link = join(device.ca.directory, 'link.pem');
    symlinkSync(device.pair(device.ca.issue()), link);
    for (const client of device.clients('client')) {
      await client.call(`${paths.client}/1`, methods.replace, link);
    }
  });

  it('20 MB, where the configuration lets uploads be as large', async () => {
    await device.restart({ limits: { uploadBytes: 64 * 1024 * 1024 } });
    const { key, pem } = device.ca.issue();
    const path = write(key, pem, `${'x'.repeat(999)}\n`.repeat(20_000));
    for (const client of device.clients('client')) {
      await client.call(`${paths.client}/1`, methods.replace, path);
    }
  });
});
