import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Background, background, until } from '../e2e/commands.ts';
import type { SeenMessage } from '../fakes/bus-tools.ts';
import { names, paths } from '../fakes/manager-process.ts';
import {
  bundle,
  certificateInterface,
  type Device,
  makeCas,
  methods,
  startDevice,
} from './device.ts';
import { requestFor } from './request-arguments.ts';

const { client: root, authority } = paths;
const object = `${root}/1`;
const standard = ['Introspectable', 'Peer', 'Properties'].map(
  (one) => `org.freedesktop.DBus.${one}`,
);
const extension = 'xyz.openbmc_project.Certs.Extension';
const interfaces = {
  certificate: [
    ...standard,
    certificateInterface,
    `${extension}.Chain`,
    `${extension}.Expiry`,
    `${extension}.Findings`,
    `${extension}.Replace`,
    `${extension}.Successor`,
    'xyz.openbmc_project.Certs.Replace',
    'xyz.openbmc_project.Object.Delete',
  ],
  request: [...standard, 'xyz.openbmc_project.Certs.CSR', `${extension}.RequestOutcome`],
};
const properties = [
  ...['CertificateString', 'Subject', 'Issuer', 'KeyUsage', 'ValidNotAfter', 'ValidNotBefore'],
];
const changed = (path: string, only = properties) =>
  only.map((property) => `${path} PropertiesChanged ${property}`);

/** Contract §3 and §4, as the monitors of sd-bus and of GLib see it. */
describe('the signals', () => {
  let device: Device;
  const glib: Background[] = [];
  let seen = 0;

  before(async () => {
    device = await startDevice();
    for (const name of [names.client, names.authority]) {
      const args = ['monitor', '--address', device.bus.address, '--dest', name];
      const program = background('gdbus', args);
      glib.push(program);
      await until('GLib watches', () => program.output().includes('is owned by'));
    }
  });
  after(async () => {
    for (const program of glib) await program.stop();
    await device?.stop();
  });

  const fresh = async (): Promise<readonly SeenMessage[]> => {
    const all = await device.monitor.messages();
    const found = all.slice(seen);
    seen = all.length;
    return found;
  };
  const signals = async () =>
    (await fresh()).filter(
      ({ type, sender, payload }) =>
        type === 'signal' &&
        sender !== 'org.freedesktop.DBus' &&
        // What an upstream client does not listen to
        !String(payload.data?.[0]).startsWith(extension),
    );
  const glibLines = () =>
    glib.flatMap((program) =>
      program
        .output()
        .split('\n')
        .filter((line) => line.startsWith('/')),
    );

  /** What sd-bus saw in order; GLib must have seen as much of the same. */
  const observe = async (change: () => Promise<unknown>): Promise<readonly SeenMessage[]> => {
    await signals();
    const before = glibLines().length;
    await change();
    const found = await signals();
    await until('GLib has seen them too', () => {
      const lines = glibLines().slice(before);
      return found.every(({ path, interface: name, member }) =>
        lines.some((line) => line.startsWith(`${path}: ${name}.${member} (`)),
      );
    });
    return found;
  };
  const call = (path: string, method: string, ...args: string[]) => {
    const type = path.startsWith(root) ? 'client' : 'authority';
    return device.clients(type)[0].call(path, method, ...args);
  };
  const remove = () => call(object, methods.remove);
  const install = () => call(root, methods.install, device.pair(device.ca.issue()));

  it('Install: each property by itself, then the object, and then the reply', async () => {
    const issued = device.ca.issue();
    await fresh();
    await call(root, methods.install, device.pair(issued));
    const all = await fresh();
    const added = all.findIndex(({ member }) => member === 'InterfacesAdded');
    assert.ok(added >= 0 && added < replyWith(all, object));
    await remove();
    const found = await observe(() => call(root, methods.install, device.pair(issued)));
    assert.deepEqual(found.map(told), [...changed(object), `${root} InterfacesAdded ${object}`]);
    const content = found.at(-1)?.payload.data?.[1] ?? {};
    assert.deepEqual(Object.keys(content).sort(), [...interfaces.certificate].sort());
    const values = content[certificateInterface] ?? {};
    assert.deepEqual(Object.keys(values).sort(), [...properties].sort());
    assert.equal(String(values.CertificateString?.data), issued.pem);
    for (const name of standard) assert.deepEqual(content[name], {}, name);
  });

  it('PropertiesChanged names the interface and the new value, and invalidates nothing', async () => {
    const issued = device.ca.issue({ subject: '/CN=changed' });
    const found = await observe(() => call(object, methods.replace, device.pair(issued)));
    for (const { payload } of found) {
      assert.equal(String(payload.data?.[0]), certificateInterface);
      assert.deepEqual(payload.data?.[2], []);
    }
    const [value] = found.map(({ payload }) => payload.data?.[1]?.Subject?.data).filter(Boolean);
    assert.equal(String(value), 'CN=changed');
  });

  const replacements = [
    { what: 'key', before: '/CN=a', shape: { subject: '/CN=a' }, only: ['CertificateString'] },
    { what: 'name', before: '/CN=a', shape: { subject: '/CN=b' }, only: properties.slice(0, 3) },
    {
      what: 'usage',
      before: '/CN=b',
      shape: { subject: '/CN=b', extensions: ['keyUsage=digitalSignature'] },
      only: ['CertificateString', 'KeyUsage'],
    },
    {
      what: 'validity',
      before: '/CN=b',
      shape: { subject: '/CN=b', from: '20260201000000Z', until: '20270201000000Z' },
      only: ['CertificateString', 'ValidNotAfter', 'ValidNotBefore'],
    },
  ];
  for (const { what, before: subject, shape, only } of replacements) {
    it(`Replace by one with another ${what}: one for each property that differs`, async () => {
      await call(object, methods.replace, device.pair(device.ca.issue({ subject })));
      const next = device.pair(device.ca.issue(shape));
      const found = await observe(() => call(object, methods.replace, next));
      assert.deepEqual(found.map(told), changed(object, only));
    });
  }

  it('Replace by the same certificate: none', async () => {
    const path = device.pair(device.ca.issue());
    await call(object, methods.replace, path);
    assert.deepEqual(await observe(() => call(object, methods.replace, path)), []);
  });

  it('Delete: all interfaces of the object are removed, told from the root', async () => {
    const found = await observe(remove);
    assert.deepEqual(found.map(told), [`${root} InterfacesRemoved ${object}`]);
    const removed = Object.values(found[0]?.payload.data?.[1] ?? {}).map(String);
    assert.deepEqual(removed.sort(), [...interfaces.certificate].sort());
    await install();
  });

  it('Delete of a server: the object goes, and one with a self-signed certificate comes', async () => {
    await signals();
    await device.clients('server')[0].call(`${paths.server}/1`, methods.remove);
    assert.deepEqual((await signals()).map(told), [
      `${paths.server} InterfacesRemoved ${paths.server}/1`,
      ...changed(`${paths.server}/1`),
      `${paths.server} InterfacesAdded ${paths.server}/1`,
    ]);
  });

  it('InstallAll and DeleteAll: each object by itself', async () => {
    const two = bundle(device.ca, makeCas(device.ca, 2));
    const found = await observe(() => call(authority, methods.installAll, two));
    const announced = ['1', '2'].flatMap((id) => [
      ...changed(`${authority}/${id}`),
      `${authority} InterfacesAdded ${authority}/${id}`,
    ]);
    assert.deepEqual(found.map(told), announced);
    const gone = await observe(() => call(authority, methods.deleteAll));
    const removed = ['1', '2'].map((id) => `${authority} InterfacesRemoved ${authority}/${id}`);
    assert.deepEqual(gone.map(told).sort(), removed);
  });

  const requests = [
    { what: 'a good request', given: {}, first: true },
    { what: 'the next one', given: {}, first: false },
    { what: 'a hopeless one', given: { Country: 'CHE' }, first: false },
  ];
  for (const { what, given, first } of requests) {
    it(`GenerateCSR, ${what}: the last request goes, the new one comes after the reply`, async () => {
      await fresh();
      const request = requestFor(given);
      await device.clients('client')[0].call(root, methods.generate, ...request);
      const expected = [
        ...(first ? [] : [`${root} InterfacesRemoved ${root}/csr`]),
        `${root} InterfacesAdded ${root}/csr`,
      ];
      const all = await until('it is announced', async () => {
        const now = (await device.monitor.messages()).slice(seen);
        return now.some(({ member }) => member === 'InterfacesAdded') && now;
      });
      const found = all.filter(({ type, path }) => type === 'signal' && path === root);
      assert.deepEqual(found.map(told), expected);
      const added = all.findIndex(({ member }) => member === 'InterfacesAdded');
      const reply = replyWith(all, `${root}/csr`);
      assert.ok(reply >= 0 && reply < added, `the reply is ${reply}, the signal ${added}`);
      const content = all[added]?.payload.data?.[1] ?? {};
      assert.deepEqual(Object.keys(content).sort(), [...interfaces.request].sort());
      for (const name of [...standard, 'xyz.openbmc_project.Certs.CSR']) {
        assert.deepEqual(content[name], {}, name);
      }
    });
  }

  const failures = ['install', 'replace', 'installAll', 'replaceAll'] as const;
  for (const method of failures) {
    it(`${method} of a file that is refused: none`, async () => {
      const garbage = device.ca.write('garbage.pem', 'garbage');
      const place = method === 'replace' ? object : authority;
      const found = await observe(() =>
        assert.rejects(call(place, methods[method], garbage), /certificate/),
      );
      assert.deepEqual(found, []);
    });
  }
});

function replyWith(messages: readonly SeenMessage[], value: string): number {
  return messages.findIndex(
    ({ type, payload }) => type === 'method_return' && String(payload.data?.[0]) === value,
  );
}

function told({ path, member, payload }: SeenMessage): string {
  const [first, second] = Object.values(payload.data ?? {});
  const content = member === 'PropertiesChanged' ? Object.keys(second ?? {}).join() : String(first);
  return `${path} ${member} ${content}`;
}
