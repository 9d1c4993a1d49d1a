import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { makeAuthority } from '../../e2e/certificate-authority.ts';
import { must } from '../../e2e/commands.ts';
import { type BusCaller, busCaller } from '../../fakes/bus-caller.ts';
import { type BusTools, busTools } from '../../fakes/bus-tools.ts';
import { type ManagerProcess, names, paths, startManager } from '../../fakes/manager-process.ts';
import { type PrivateBus, startPrivateBus } from '../../fakes/private-bus.ts';
import { quotedSource, typescriptProgram } from '../../fakes/typescript-program.ts';

const name = 'xyz.openbmc_project.Certs.ca.authority.Manager';
const root = '/xyz/openbmc_project/certs/ca';
const signCsr = 'xyz.openbmc_project.Certs.Authority.SignCSR';
const entry = 'xyz.openbmc_project.Certs.Entry';
const csr = 'xyz.openbmc_project.PLDM.Provider.Certs.Authority.CSR';
const deleteAll = 'xyz.openbmc_project.Collection.DeleteAll.DeleteAll';
const set = 'org.freedesktop.DBus.Properties.Set';

describe('requests that the host signs (bmc-vmi-ca)', () => {
  let bus: PrivateBus;
  let manager: ManagerProcess;
  let tools: BusTools;
  let watcher: BusCaller;

  const property = async (path: string, interfaceName: string, member: string) =>
    (await tools.busctl('get-property', name, path, interfaceName, member)).trim();
  const setOfFirst = (member: string, text: string) =>
    tools.busctl('set-property', name, `${root}/entry/1`, entry, member, 's', text);
  const submit = async (text: string) => String((await tools.call(root, signCsr, 's', text))[0]);

  before(async () => {
    bus = await startPrivateBus();
    manager = await startManager(bus, { signing: { enabled: true, entries: 3 } });
    tools = busTools({ address: bus.address, destination: name });
    watcher = await busCaller(bus.address, name);
  });
  after(async () => {
    watcher?.leave();
    await manager?.stop();
    await bus?.stop();
  });

  it('are announced with all of their properties, numbered from 1', async () => {
    assert.equal(await submit('any text at all'), `${root}/entry/1`);
    const [added] = watcher.signals('InterfacesAdded');
    assert.equal(added?.path, root);
    assert.equal(added?.body[0], `${root}/entry/1`);
    assert.deepEqual(
      Object.keys(added?.body[1] ?? {})
        .filter((one) => one.startsWith('xyz'))
        .sort(),
      [entry, 'xyz.openbmc_project.Object.Delete', csr].sort(),
    );
    assert.equal(await property(`${root}/entry/1`, csr, 'CSR'), 's "any text at all"');
    assert.equal(await property(`${root}/entry/1`, entry, 'ClientCertificate'), 's ""');
    assert.equal(await property(`${root}/entry/1`, entry, 'Status'), `s "${entry}.State.Pending"`);
  });

  it('are answered by whoever sets the certificate and the state', async () => {
    await setOfFirst('ClientCertificate', 'PEM');
    await setOfFirst('Status', `${entry}.State.Complete`);
    await setOfFirst('Status', `${entry}.State.Complete`);
    const told = watcher
      .signals('PropertiesChanged')
      .map(({ body }) => Object.keys(body[1] ?? {}).join());
    assert.deepEqual(told, ['ClientCertificate', 'Status']);
    assert.equal(await property(`${root}/entry/1`, entry, 'ClientCertificate'), 's "PEM"');
  });

  it('never change what they ask for, nor into a state that is none', async () => {
    const variant = (text: string) => `variant:string:${text}`;
    const refused = (interfaceName: string, member: string, text: string) =>
      tools.refusal(
        `${root}/entry/1`,
        set,
        `string:${interfaceName}`,
        `string:${member}`,
        variant(text),
      );
    assert.match(await refused(csr, 'CSR', 'x'), /PropertyReadOnly/);
    assert.match(await refused(entry, 'Status', 'Complete'), /InvalidArgs/);
    const wrong = ['string:xyz.openbmc_project.Certs.Entry', 'string:Status', 'variant:int32:1'];
    assert.match(await tools.refusal(`${root}/entry/1`, set, ...wrong), /InvalidArgs/);
  });

  for (const [what, text] of [
    ['empty', ''],
    ['longer than 4096 bytes', 'x'.repeat(4097)],
  ] as const) {
    it(`are refused when ${what}`, async () => {
      const refusal = await tools.refusal(root, signCsr, `string:${text}`);
      assert.match(refusal, /^xyz\.openbmc_project\.Common\.Error\.InvalidArgument: /);
    });
  }

  it('are as many as the limit, and no number is given twice', async () => {
    await submit('two');
    await submit('x'.repeat(4096));
    assert.match(await tools.refusal(root, signCsr, 'string:four'), /NotAllowed: limit-reached/);
    await tools.call(`${root}/entry/3`, 'xyz.openbmc_project.Object.Delete.Delete');
    assert.equal(await submit('four'), `${root}/entry/4`);
    await tools.call(root, deleteAll);
    const nodes = await tools.introspect(root);
    assert.doesNotMatch(nodes, /<node name="entry"/);
    assert.equal(watcher.signals('InterfacesRemoved').length, 4);
  });

  it('are nowhere to be found unless they are configured', async () => {
    const plain = busTools({ address: bus.address, destination: names.client });
    assert.match(await plain.refusal(root, signCsr, 'string:x'), /UnknownObject/);
  });
});

describe('an endpoint with an alias', () => {
  let bus: PrivateBus;
  let manager: ManagerProcess;
  before(async () => {
    bus = await startPrivateBus();
    manager = await startManager(bus, {
      endpoints: [
        { type: 'authority', name: 'truststore', alias: 'ldap', path: 'authority', reload: [] },
      ],
    });
  });
  after(async () => {
    await manager?.stop();
    await bus?.stop();
  });

  it('has the same certificates under the name of an earlier release', async () => {
    const old = busTools({
      address: bus.address,
      destination: 'xyz.openbmc_project.Certs.Manager.Authority.Ldap',
    });
    const today = busTools({ address: bus.address, destination: names.authority });
    const oldRoot = '/xyz/openbmc_project/certs/authority/ldap';
    const ca = await makeAuthority(bus.directory, 'Test CA');
    const { 0: path } = await old.call(
      oldRoot,
      'xyz.openbmc_project.Certs.Install.Install',
      's',
      ca.path,
    );
    assert.equal(path, `${oldRoot}/1`);
    await today.call(`${paths.authority}/1`, 'xyz.openbmc_project.Object.Delete.Delete');
    assert.match(
      await old.refusal(`${oldRoot}/1`, 'xyz.openbmc_project.Object.Delete.Delete'),
      /UnknownObject/,
    );
  });
});

if (process.getuid?.() === 0) {
  describe('the properties of a request that the host signs', () => {
    let bus: PrivateBus;
    let manager: ManagerProcess;
    before(async () => {
      bus = await startPrivateBus();
      manager = await startManager(bus, { signing: { enabled: true } });
    });
    after(async () => {
      await manager?.stop();
      await bus?.stop();
    });

    it('are set by nobody without the right, whether or not the call names its interface', async () => {
      const root = busTools({ address: bus.address, destination: name });
      const { 0: path } = await root.call('/xyz/openbmc_project/certs/ca', signCsr, 's', 'text');
      const script = `
        import { connectBus } from ${quotedSource('dbus/transport/bus.ts')};
        process.setgid(65534); process.setuid(65534);
        const bus = await connectBus(${JSON.stringify(bus.address)});
        for (const name of ['org.freedesktop.DBus.Properties', '']) {
          const body = ['${entry}', 'ClientCertificate', { signature: 's', value: 'forged' }];
          const call = { destination: '${name}', path: '${path}', member: 'Set', signature: 'ssv', body };
          const outcome = await bus.call({ ...call, interface: name }).then(() => 'done', (error) => error.code);
          console.log(outcome);
        }
        process.exit();`;
      const [node, ...args] = typescriptProgram(script);
      const output = await must(node, args);
      assert.deepEqual(output.trim().split('\n'), ['access-denied', 'access-denied']);
    });
  });
}
