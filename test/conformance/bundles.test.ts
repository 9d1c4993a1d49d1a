import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, before, beforeEach, describe, it } from 'node:test';
import { must } from '../e2e/commands.ts';
import { paths } from '../fakes/manager-process.ts';
import type { Issued } from '../fakes/openssl-authority.ts';
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

const { internalFailure, invalidCertificate, notAllowed } = errors;
const root = paths.authority;

/** Contract §9. */
describe('a bundle', () => {
  let device: Device;
  let cas: readonly Issued[];
  const write = (...texts: string[]) => device.ca.write('bundle.pem', texts.join(''));
  const pemAt = async (path: string) => {
    const get = ['ss', certificateInterface, 'CertificateString'] as const;
    const { 0: value } = await device.tools('authority').call(path, methods.get, ...get);
    return String(value?.data);
  };
  const stored = () => device.stored('authority');

  before(async () => {
    device = await startDevice();
    cas = makeCas(device.ca, 11);
  });
  after(() => device?.stop());
  beforeEach(() => device.tools('authority').call(root, methods.deleteAll));

  for (const method of ['installAll', 'replaceAll'] as const) {
    it(`${method} answers with an object for each certificate, in the order of the file`, async () => {
      for (const client of device.clients('authority')) {
        await device.tools('authority').call(root, methods.deleteAll);
        const some = cas.slice(0, 3);
        const objects = await client.call(root, methods[method], bundle(device.ca, some));
        assert.deepEqual(
          await Promise.all(objects.map(pemAt)),
          some.map(({ pem }) => pem),
        );
      }
    });

    it(`${method} takes ten certificates`, async () => {
      const ten = bundle(device.ca, cas.slice(0, 10));
      const [busctl] = device.clients('authority');
      assert.equal((await busctl.call(root, methods[method], ten)).length, 10);
    });

    it(`${method} passes over what is between the certificates`, async () => {
      const [one, two] = cas;
      const file = write('# one\n', one?.pem ?? '', '\r\ntext\n', two?.pem ?? '', 'the end');
      const [, gdbus] = device.clients('authority');
      assert.equal((await gdbus.call(root, methods[method], file)).length, 2);
    });

    it(`${method} takes what is twice in the file once, and names it for each time`, async () => {
      const [one] = cas;
      const [busctl] = device.clients('authority');
      const file = write(one?.pem ?? '', one?.pem ?? '');
      const objects = await busctl.call(root, methods[method], file);
      assert.equal(objects.length, 2);
      assert.equal(new Set(objects.map(String)).size, 1);
    });

    it(`${method} takes certificates that have the same name`, async () => {
      const twins = [0, 1].map(() => device.ca.issueCa({ subject: '/CN=twin' }));
      const [busctl] = device.clients('authority');
      const file = bundle(device.ca, twins);
      assert.equal((await busctl.call(root, methods[method], file)).length, 2);
      const links = readdirSync(stored()).filter((name) => /^[0-9a-f]{8}\.\d$/.test(name));
      assert.deepEqual(links.map((name) => name.slice(-1)).sort(), ['0', '1']);
    });

    const good = () => cas[0]?.pem ?? '';
    /** Bad bundles, which change nothing, are in quirks.test.ts. */
    const refused: readonly { what: string; file: () => string; error: string }[] = [
      { what: 'an absent file', file: () => '/nowhere.pem', error: internalFailure },
      { what: 'a directory', file: () => device.ca.directory, error: internalFailure },
      {
        what: 'one bad certificate among good ones',
        file: () => write(good(), good().replace(/MII[^-]*/, 'AAAA\n'), cas[1]?.pem ?? ''),
        error: invalidCertificate,
      },
      { what: 'eleven certificates', file: () => bundle(device.ca, cas), error: notAllowed },
    ];
    for (const { what, file, error } of refused) {
      it(`${method} of ${what}: ${error.split('.').at(-1)}`, async () => {
        assertRefused(await device.refusals('authority', root, methods[method], file()), error);
        assert.deepEqual(await device.ids('authority'), []);
      });
    }
  }

  it('InstallAll is not allowed where a certificate is', async () => {
    const [one, two] = cas;
    assert.ok(one && two);
    await device.tools('authority').call(root, methods.install, 's', one.path);
    const file = bundle(device.ca, [two]);
    assertRefused(await device.refusals('authority', root, methods.installAll, file), notAllowed);
  });

  it('ReplaceAll leaves nothing of what was there', async () => {
    for (const client of device.clients('authority')) {
      await client.call(root, methods.replaceAll, bundle(device.ca, cas.slice(0, 3)));
      const objects = await client.call(
        root,
        methods.replaceAll,
        bundle(device.ca, cas.slice(3, 5)),
      );
      const ids = objects.map((path) => path.slice(root.length + 1));
      assert.deepEqual(await device.ids('authority'), ids);
      const files = readdirSync(stored()).filter((name) => name.endsWith('.pem'));
      assert.equal(files.length, 2);
    }
  });

  it('DeleteAll removes every object and every file, and is good for nothing at all', async () => {
    for (const client of device.clients('authority')) {
      await client.call(root, methods.replaceAll, bundle(device.ca, cas.slice(0, 3)));
      assert.deepEqual(await client.call(root, methods.deleteAll), []);
      assert.deepEqual(await client.call(root, methods.deleteAll), []);
      assert.deepEqual(await device.ids('authority'), []);
      assert.deepEqual(readdirSync(stored()), []);
    }
  });

  it('DeleteAll works for a server and a client too', async () => {
    await device
      .tools('client')
      .call(paths.client, methods.install, 's', device.pair(device.ca.issue()));
    for (const type of ['server', 'client'] as const) {
      const file = device.stored(type === 'server' ? 'https/server.pem' : 'ldap/cert.pem');
      const before = readFileSync(file, 'utf8');
      for (const client of device.clients(type)) await client.call(paths[type], methods.deleteAll);
      assert.deepEqual(await device.ids(type), type === 'server' ? ['1'] : []);
      if (type === 'server') assert.notEqual(readFileSync(file, 'utf8'), before);
      else assert.throws(() => readFileSync(file));
    }
  });

  it('is a directory in which OpenSSL finds each CA by its name', async () => {
    const issuer = device.ca.issueCa({ subject: '/O=Ähnlich  Co/CN=Root' });
    const leaf = device.ca.issue({ issuer });
    const verify = ['verify', '-no-CAfile', '-no-CAstore', '-CApath', stored(), leaf.path];
    for (const client of device.clients('authority')) {
      const file = bundle(device.ca, [...cas.slice(0, 2), issuer]);
      await client.call(root, methods.replaceAll, file);
      assert.match(await must('openssl', verify), /OK$/m);
      await client.call(root, methods.deleteAll);
      await assert.rejects(must('openssl', verify), /unable to get local issuer/);
    }
  });
});
