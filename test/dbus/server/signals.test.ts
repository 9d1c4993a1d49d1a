import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { makeAuthority, type TestAuthority, writeText } from '../../e2e/certificate-authority.ts';
import { BusMonitor, type BusTools, busTools, type SeenMessage } from '../../fakes/bus-tools.ts';
import { type ManagerProcess, names, paths, startManager } from '../../fakes/manager-process.ts';
import { type PrivateBus, startPrivateBus } from '../../fakes/private-bus.ts';

const certificateInterface = 'xyz.openbmc_project.Certs.Certificate';
const expiryInterface = 'xyz.openbmc_project.Certs.Extension.Expiry';
const findingsInterface = 'xyz.openbmc_project.Certs.Extension.Findings';
const chainInterface = 'xyz.openbmc_project.Certs.Extension.Chain';
const withProperties = [certificateInterface, expiryInterface, chainInterface];
const install = 'xyz.openbmc_project.Certs.Install.Install';
const replace = 'xyz.openbmc_project.Certs.Replace.Replace';
const remove = 'xyz.openbmc_project.Object.Delete.Delete';
const deleteAll = 'xyz.openbmc_project.Collection.DeleteAll.DeleteAll';

const common = [
  'org.freedesktop.DBus.Introspectable',
  'org.freedesktop.DBus.Peer',
  'org.freedesktop.DBus.Properties',
];
const interfacesOfCertificate = [
  ...common,
  certificateInterface,
  expiryInterface,
  findingsInterface,
  chainInterface,
  'xyz.openbmc_project.Certs.Extension.Replace',
  'xyz.openbmc_project.Certs.Extension.Successor',
  'xyz.openbmc_project.Certs.Replace',
  'xyz.openbmc_project.Object.Delete',
];
/** In the order in which upstream announces them. */
const allProperties = [
  ...['CertificateString', 'Subject', 'Issuer', 'KeyUsage', 'ValidNotAfter', 'ValidNotBefore'],
];

describe('what the bus sees of a change', () => {
  let bus: PrivateBus;
  let manager: ManagerProcess;
  let monitor: BusMonitor;
  let client: BusTools;
  let authority: BusTools;
  let ca: TestAuthority;
  let seen = 0;

  /** What the manager has signalled since the last time, in order. */
  const signals = async (): Promise<readonly SeenMessage[]> => {
    const all = await monitor.messages();
    const fresh = all.slice(seen);
    seen = all.length;
    return fresh.filter(
      ({ type, sender, payload }) =>
        type === 'signal' &&
        sender !== 'org.freedesktop.DBus' &&
        ![expiryInterface, chainInterface].includes(String(payload.data?.[0])),
    );
  };
  const store = (name: string, text: string) => writeText(bus.directory, name, text);
  const pair = async (name: string) => {
    const { key, pem } = await ca.issue(name, [
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
    ]);
    return { key, pem, path: store(`${name}-pair.pem`, `${key}${pem}`) };
  };

  before(async () => {
    bus = await startPrivateBus();
    ca = await makeAuthority(bus.directory, 'Test CA');
    // Without the signals of certificates that end soon
    manager = await startManager(bus, { expiry: { thresholdDays: [] } });
    monitor = await BusMonitor.start(bus.address);
    client = busTools({ address: bus.address, destination: names.client });
    authority = busTools({ address: bus.address, destination: names.authority });
  });
  after(async () => {
    await monitor?.stop();
    await manager?.stop();
    await bus?.stop();
  });

  it('an install announces each property and then the object, before its reply', async () => {
    const { path, pem } = await pair('first');
    assert.deepEqual(await client.call(paths.client, install, 's', path), [`${paths.client}/1`]);
    const fresh = await signals();
    assert.deepEqual(fresh.map(describeSignal), [
      ...allProperties.map((name) => `PropertiesChanged ${paths.client}/1 ${name}`),
      `InterfacesAdded ${paths.client} ${paths.client}/1`,
    ]);
    const added = fresh.at(-1)?.payload.data?.[1] ?? {};
    assert.deepEqual(Object.keys(added).sort(), [...interfacesOfCertificate].sort());
    assert.deepEqual(Object.keys(added[certificateInterface] ?? {}), allProperties);
    assert.equal(String(added[certificateInterface]?.CertificateString?.data), pem);
    const all = await monitor.messages();
    const last = all.findIndex(({ member }) => member === 'InterfacesAdded');
    const reply = all.findIndex(({ type, payload }) => {
      return type === 'method_return' && String(payload.data?.[0]) === `${paths.client}/1`;
    });
    assert.ok(last < reply);
  });

  it('a replacement announces those properties that changed, and nothing else', async () => {
    const { path } = await pair('second');
    await client.call(`${paths.client}/1`, replace, 's', path);
    const changed = (await signals()).map(describeSignal);
    const always = ['CertificateString', 'Subject'];
    for (const name of always) {
      assert.ok(changed.includes(`PropertiesChanged ${paths.client}/1 ${name}`), name);
    }
    // The time of day may have moved on by a second or not
    const others = changed.filter((line) => !/(CertificateString|Subject|ValidNot\w+)$/.test(line));
    assert.deepEqual(others, []);
  });

  it('a replacement by the same certificate announces nothing', async () => {
    const { path } = await pair('third');
    await client.call(`${paths.client}/1`, replace, 's', path);
    await signals();
    await client.call(`${paths.client}/1`, replace, 's', path);
    assert.deepEqual(await signals(), []);
  });

  it('a refused install or replacement announces nothing', async () => {
    const garbage = store('garbage.pem', 'no certificate at all');
    await client.refusal(paths.client, install, `string:${garbage}`);
    await client.refusal(`${paths.client}/1`, replace, `string:${garbage}`);
    await authority.refusal(paths.authority, install, `string:${garbage}`);
    assert.deepEqual(await signals(), []);
  });

  it('a removal announces from the root that all interfaces of the object are gone', async () => {
    await client.call(`${paths.client}/1`, remove);
    const fresh = await signals();
    assert.deepEqual(fresh.map(describeSignal), [
      `InterfacesRemoved ${paths.client} ${paths.client}/1`,
    ]);
    const removed = Object.values(fresh[0]?.payload.data?.[1] ?? {}).map(String);
    assert.deepEqual(removed.sort(), [...interfacesOfCertificate].sort());
  });

  it('DeleteAll announces the end of each object, and nothing when there is none', async () => {
    const second = await makeAuthority(bus.directory, 'Second CA');
    for (const { path } of [ca, second]) {
      await authority.call(paths.authority, install, 's', path);
    }
    await signals();
    await authority.call(paths.authority, deleteAll);
    assert.deepEqual((await signals()).map(describeSignal), [
      `InterfacesRemoved ${paths.authority} ${paths.authority}/1`,
      `InterfacesRemoved ${paths.authority} ${paths.authority}/2`,
    ]);
    await authority.call(paths.authority, deleteAll);
    assert.deepEqual(await signals(), []);
  });

  it('GetManagedObjects has the objects below the root with all of their interfaces', async () => {
    const third = await makeAuthority(bus.directory, 'Third CA');
    const { 0: path } = await authority.call(paths.authority, install, 's', third.path);
    const get = 'org.freedesktop.DBus.ObjectManager.GetManagedObjects';
    const { 0: objects } = await authority.call(paths.authority, get);
    assert.deepEqual(Object.keys(objects ?? {}), [String(path)]);
    const interfaces = objects?.[String(path)] ?? {};
    // A truststore serves nothing, so there is nothing to say of its authorities
    const expected = interfacesOfCertificate.filter((name) => name !== findingsInterface);
    assert.deepEqual(Object.keys(interfaces).sort(), expected.sort());
    for (const [name, properties] of Object.entries(interfaces)) {
      if (!withProperties.includes(name)) assert.deepEqual(properties, {}, name);
    }
    const certificate = interfaces[certificateInterface];
    assert.deepEqual(certificate?.Subject, { type: 's', data: 'O=Test, Inc.,CN=Third CA' });
    assert.deepEqual(certificate?.KeyUsage?.type, 'as');
    assert.deepEqual(certificate?.ValidNotAfter?.type, 't');
  });

  it('GetManagedObjects of an endpoint without certificates is empty', async () => {
    const get = 'org.freedesktop.DBus.ObjectManager.GetManagedObjects';
    assert.deepEqual(await client.call(paths.client, get), [{}]);
  });
});

function describeSignal({ member, path, payload }: SeenMessage): string {
  const [first, second] = Object.values(payload.data ?? {});
  if (member !== 'PropertiesChanged') return `${member} ${path} ${String(first)}`;
  return `${member} ${path} ${Object.keys(second ?? {}).join()}`;
}
