import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { paths } from '../fakes/manager-process.ts';
import type { Issued } from '../fakes/openssl-authority.ts';
import { bundle, type Device, makeCas, methods, startDevice } from './device.ts';

const root = paths.authority;

/** Contract §10, with ids that stay for ever where upstream begins anew. */
describe('the id of a certificate', () => {
  let device: Device;
  let cas: readonly Issued[];
  /** The id that is given out next. */
  let next = 1;

  before(async () => {
    device = await startDevice();
    cas = makeCas(device.ca, 4);
  });
  after(() => device?.stop());
  beforeEach(async () => {
    for (const id of await device.ids('authority')) {
      await device.tools('authority').call(`${root}/${id}`, methods.remove);
    }
  });

  const take = (count: number) => {
    const ids = Array.from({ length: count }, (_, index) => String(next + index));
    next += count;
    return ids;
  };
  const installAll = (...list: Issued[]) =>
    device.clients('authority')[0].call(root, methods.installAll, bundle(device.ca, list));
  const replaceAll = (...list: Issued[]) =>
    device.clients('authority')[0].call(root, methods.replaceAll, bundle(device.ca, list));
  const pathsOf = (ids: readonly string[]) => ids.map((id) => `${root}/${id}`);

  it('is 1 for the first one and counts up with every Install', async () => {
    const ids = take(4);
    assert.equal(ids[0], '1');
    for (const [index, { path }] of cas.entries()) {
      const [busctl, gdbus] = device.clients('authority');
      const client = index % 2 === 0 ? busctl : gdbus;
      assert.deepEqual(await client.call(root, methods.install, path), [`${root}/${ids[index]}`]);
    }
    assert.deepEqual(await device.ids('authority'), ids);
  });

  it('is not given out again after a Delete', async () => {
    for (const client of device.clients('authority')) {
      const [path = ''] = await client.call(root, methods.install, cas[0]?.path ?? '');
      assert.deepEqual([path], pathsOf(take(1)));
      await client.call(path, methods.remove);
    }
  });

  it('is not spent on an upload that is refused', async () => {
    const garbage = device.ca.write('garbage.pem', 'garbage');
    await device.refusals('authority', root, methods.install, garbage);
    assert.deepEqual(await installAll(...cas.slice(0, 1)), pathsOf(take(1)));
  });

  it('follows the order of the file in a bundle', async () => {
    assert.deepEqual(await installAll(...cas), pathsOf(take(4)));
    for (const [index, path] of pathsOf(await device.ids('authority')).entries()) {
      const { 0: subject } = await device
        .tools('authority')
        .call(path, methods.get, 'ss', 'xyz.openbmc_project.Certs.Certificate', 'Subject');
      assert.equal(String(subject?.data), subjectOf(cas[index]));
    }
  });

  it('stays through Replace', async () => {
    const [id] = take(1);
    const [one, other] = cas;
    assert.ok(one && other);
    await installAll(one);
    for (const client of device.clients('authority')) {
      await client.call(`${root}/${id}`, methods.replace, other.path);
      assert.deepEqual(await device.ids('authority'), [id]);
    }
  });

  const clear = () => device.tools('authority').call(root, methods.deleteAll);
  const renewals: readonly { what: string; renew: () => Promise<unknown> }[] = [
    { what: 'DeleteAll', renew: clear },
    { what: 'ReplaceAll and DeleteAll', renew: () => replaceAll(...cas).then(clear) },
    { what: 'a restart', renew: () => clear().then(() => device.restart()) },
  ];
  for (const { what, renew } of renewals) {
    it(`does not begin again with 1 after ${what}`, async () => {
      await installAll(...cas);
      take(4);
      await renew();
      assert.deepEqual(await installAll(...cas), pathsOf(take(4)));
    });
  }

  it('stays for what ReplaceAll keeps, and is new for what it brings', async () => {
    const [one, two, three] = cas;
    assert.ok(one && two && three);
    const [first, second] = take(2);
    await installAll(one, two);
    const [third] = take(1);
    assert.deepEqual(await replaceAll(three, two), pathsOf([third ?? '', second ?? '']));
    assert.deepEqual(await device.ids('authority'), [second, third]);
    assert.notEqual(first, third);
  });

  for (const type of ['server', 'client'] as const) {
    it(`is always 1 at the ${type}: after Delete, Replace and a restart`, async () => {
      const pair = device.pair(device.ca.issue());
      for (const client of device.clients(type)) {
        if (type === 'client') {
          assert.deepEqual(await client.call(paths.client, methods.install, pair), [
            `${paths.client}/1`,
          ]);
        }
        await client.call(`${paths[type]}/1`, methods.replace, pair);
        await device.restart();
        assert.deepEqual(await device.ids(type), ['1']);
        await client.call(`${paths[type]}/1`, methods.remove);
        assert.deepEqual(await device.ids(type), type === 'server' ? ['1'] : []);
      }
    });
  }
});

function subjectOf(issued: Issued | undefined): string {
  const [organization, name] = issued?.certificate.subject.flat() ?? [];
  return `O=${organization?.value},CN=${name?.value}`;
}
