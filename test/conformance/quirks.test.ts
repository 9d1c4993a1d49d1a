import assert from 'node:assert/strict';
import { readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { after, before, beforeEach, describe, it } from 'node:test';
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
import { requestFor } from './request-arguments.ts';

const { invalidCertificate, notAllowed } = errors;
const root = paths.authority;

/**
 * The rules that we keep where the contract marks a quirk of upstream, or where a defect was observed;
 * the other files of this name have those of servers and clients, and of requests.
 */
describe('a truststore', () => {
  let device: Device;
  let cas: readonly Issued[];
  before(async () => {
    device = await startDevice();
    cas = makeCas(device.ca, 4);
  });
  after(() => device?.stop());
  beforeEach(() => device.tools('authority').call(root, methods.deleteAll));

  const call = (method: string, path: string) =>
    device.clients('authority')[0].call(root, method, path);
  const installThree = () => call(methods.installAll, bundle(device.ca, cas.slice(0, 3)));
  /** Ids with what stands behind them, and every file. */
  const state = async () => {
    const seen = device.clients('authority').map((client) => client.call(root, methods.managed));
    const files = readdirSync(device.stored('authority')).sort();
    return [...(await Promise.all(seen)).map((values) => values.sort()), files];
  };
  const good = () => cas[3]?.pem ?? '';

  const bad: readonly { what: string; text: () => string; error: string }[] = [
    { what: 'garbage', text: () => 'garbage', error: invalidCertificate },
    { what: 'nothing', text: () => '', error: invalidCertificate },
    {
      what: 'one without its end',
      text: () => `${good()}${good().slice(0, 200)}`,
      error: invalidCertificate,
    },
    { what: 'a leaf', text: () => `${good()}${device.ca.issue().pem}`, error: invalidCertificate },
    { what: 'too many', text: () => good().repeat(11), error: notAllowed },
  ];
  for (const { what, text, error } of bad) {
    it(`ReplaceAll with a bad bundle changes nothing: ${what}`, async () => {
      await installThree();
      const before = await state();
      const path = device.ca.write('bad.pem', text());
      assertRefused(await device.refusals('authority', root, methods.replaceAll, path), error);
      assert.deepEqual(await state(), before);
    });

    it(`InstallAll with a bad bundle leaves nothing behind: ${what}`, async () => {
      const everything = () => readdirSync(device.bus.directory, { recursive: true }).length;
      const before = everything();
      const path = device.ca.write('bad.pem', text());
      assertRefused(await device.refusals('authority', root, methods.installAll, path), error);
      assert.deepEqual(await device.ids('authority'), []);
      assert.equal(everything(), before);
    });
  }

  it('ReplaceAll with a bad bundle changes nothing of what the next start finds', async () => {
    await installThree();
    const before = await state();
    const path = device.ca.write('bad.pem', 'garbage');
    await device.refusals('authority', root, methods.replaceAll, path);
    await device.restart();
    assert.deepEqual(await state(), before);
  });

  it('authority ids stay the same over a restart', async () => {
    await installThree();
    const [, middle = ''] = await device.ids('authority');
    await device.tools('authority').call(`${root}/${middle}`, methods.remove);
    await call(methods.install, cas[3]?.path ?? '');
    const before = await state();
    await device.restart();
    assert.deepEqual(await state(), before);
  });

  it('a deleted authority does not come back after a restart', async () => {
    for (const client of device.clients('authority')) {
      const [first = '', ...others] = await installThree();
      await client.call(first, methods.remove);
      await device.restart();
      const ids = await device.ids('authority');
      assert.deepEqual(
        ids.map((id) => `${root}/${id}`),
        others,
      );
      await device.tools('authority').call(root, methods.deleteAll);
    }
  });

  it('an authority that is added to a bundle is still there after a restart', async () => {
    await installThree();
    const [path = ''] = await call(methods.install, cas[3]?.path ?? '');
    await device.restart();
    assert.ok((await device.ids('authority')).includes(path.slice(root.length + 1)));
  });

  it('an authority from a bundle can be replaced', async () => {
    const [first = ''] = await installThree();
    for (const client of device.clients('authority')) {
      const next = device.ca.issueCa();
      await client.call(first, methods.replace, next.path);
      const read = await client.call(first, methods.get, certificateInterface, 'CertificateString');
      assert.deepEqual(read, [next.pem]);
    }
  });

  it('an unreadable upload is an invalid certificate, however many are installed', async () => {
    const path = device.ca.write('bad.pem', 'garbage');
    const check = async (place: string, method: string) =>
      assertRefused(await device.refusals('authority', place, method, path), invalidCertificate);
    await check(root, methods.install);
    const [first = ''] = await installThree();
    await check(root, methods.install);
    await check(first, methods.replace);
  });

  it('a file that is spoilt on disk costs no other authority its place', async () => {
    await installThree();
    const [first = '', ...others] = await device.ids('authority');
    writeFileSync(device.stored('authority', `${first}.pem`), 'spoilt');
    await device.restart();
    assert.deepEqual(await device.ids('authority'), others);
  });

  it('its path leads to one generation, so that a reader finds all of a change or nothing', async () => {
    const generation = () => readlinkSync(device.stored('authority'));
    const before = generation();
    await installThree();
    const after = generation();
    assert.notEqual(after, before);
    await device.refusals('authority', root, methods.replaceAll, '/nowhere.pem');
    assert.equal(generation(), after);
  });

  it('only the very certificate is a duplicate: one with the same name and key is another', async () => {
    const first = device.ca.issueCa({ subject: '/CN=twin' });
    const second = device.ca.issueCa({ subject: '/CN=twin', keyOf: first });
    for (const { path } of [first, second]) await call(methods.install, path);
    for (const { path } of [first, second]) {
      assertRefused(await device.refusals('authority', root, methods.install, path), notAllowed);
    }
  });

  it('a private key in an upload is never stored', async () => {
    const issued = device.ca.issueCa();
    const upload = device.ca.write('with-key.pem', `${issued.pem}${issued.key}`);
    for (const method of [methods.install, methods.replaceAll]) await call(method, upload);
    for (const name of readdirSync(device.stored('authority'))) {
      assert.doesNotMatch(readFileSync(device.stored('authority', name), 'utf8'), /PRIVATE/);
    }
  });

  it('a certificate that is not a CA is refused', async () => {
    const { path } = device.ca.issue();
    const refused = await device.refusals('authority', root, methods.install, path);
    assert.match(assertRefused(refused, invalidCertificate), /^not-a-ca: /);
  });

  it('its requests leave no key that others can read', async () => {
    await device.clients('authority')[0].call(root, methods.request, ...requestFor({}));
    const names = readdirSync(device.bus.directory, { recursive: true, withFileTypes: true });
    const keys = names.filter((one) => {
      if (!one.isFile()) return false;
      return readFileSync(`${one.parentPath}/${one.name}`, 'utf8').includes('PRIVATE KEY');
    });
    assert.ok(keys.length > 0);
    for (const { parentPath, name } of keys) {
      assert.equal(statSync(`${parentPath}/${name}`).mode & 0o077, 0, name);
    }
  });
});
