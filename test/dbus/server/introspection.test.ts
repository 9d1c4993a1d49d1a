import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { must } from '../../e2e/commands.ts';
import { csrAppears } from '../../fakes/bus-caller.ts';
import { type BusTools, busTools } from '../../fakes/bus-tools.ts';
import { type ManagerProcess, names, paths, startManager } from '../../fakes/manager-process.ts';
import { type PrivateBus, startPrivateBus } from '../../fakes/private-bus.ts';

const request = 'asssssssssxssassssss';

/** What sd-bus gives every object of phosphor-certificate-manager. */
const common = [
  'org.freedesktop.DBus.Peer.Ping()',
  'org.freedesktop.DBus.Peer.GetMachineId() -> s',
  'org.freedesktop.DBus.Introspectable.Introspect() -> s',
  'org.freedesktop.DBus.Properties.Get(ss) -> v',
  'org.freedesktop.DBus.Properties.GetAll(s) -> a{sv}',
  'org.freedesktop.DBus.Properties.Set(ssv)',
  'org.freedesktop.DBus.Properties.PropertiesChanged signal sa{sv}as',
];
const manager = [
  ...common,
  'org.freedesktop.DBus.ObjectManager.GetManagedObjects() -> a{oa{sa{sv}}}',
  'org.freedesktop.DBus.ObjectManager.InterfacesAdded signal oa{sa{sv}}',
  'org.freedesktop.DBus.ObjectManager.InterfacesRemoved signal oas',
  'xyz.openbmc_project.Certs.Install.Install(s) -> s',
  `xyz.openbmc_project.Certs.CSR.Create.GenerateCSR(${request}) -> s`,
  'xyz.openbmc_project.Collection.DeleteAll.DeleteAll()',
  'xyz.openbmc_project.Certs.InstallAll.InstallAll(s) -> ao',
  'xyz.openbmc_project.Certs.ReplaceAll.ReplaceAll(s) -> ao',
];
const certificate = [
  ...common,
  'xyz.openbmc_project.Certs.Certificate.CertificateString property s',
  'xyz.openbmc_project.Certs.Certificate.KeyUsage property as',
  'xyz.openbmc_project.Certs.Certificate.Issuer property s',
  'xyz.openbmc_project.Certs.Certificate.Subject property s',
  'xyz.openbmc_project.Certs.Certificate.ValidNotAfter property t',
  'xyz.openbmc_project.Certs.Certificate.ValidNotBefore property t',
  'xyz.openbmc_project.Certs.Replace.Replace(s)',
  'xyz.openbmc_project.Object.Delete.Delete()',
];
const csr = [...common, 'xyz.openbmc_project.Certs.CSR.CSR() -> s'];

const requestArguments = [
  ...['AlternativeNames', 'ChallengePassword', 'City', 'CommonName', 'ContactPerson', 'Country'],
  ...['Email', 'GivenName', 'Initials', 'KeyBitLength', 'KeyCurveId', 'KeyPairAlgorithm'],
  ...['KeyUsage', 'Organization', 'OrganizationalUnit', 'State', 'Surname', 'UnstructuredName'],
];

describe('introspection', () => {
  let bus: PrivateBus;
  let process: ManagerProcess;
  const tools = (type: keyof typeof names): BusTools =>
    busTools({ address: bus.address, destination: names[type] });

  before(async () => {
    bus = await startPrivateBus();
    process = await startManager(bus);
    const generate = ['xyz.openbmc_project.Certs.CSR.Create', 'GenerateCSR', request];
    const none = ['0', ...Array(8).fill(''), '0', '', '', '0', ...Array(5).fill('')];
    await tools('server').busctl('call', names.server, paths.server, ...generate, ...none);
    await csrAppears(bus.address, names.server, paths.server);
  });
  after(async () => {
    await process?.stop();
    await bus?.stop();
  });

  const objects = [
    { object: 'the server root', type: 'server', path: paths.server, expected: manager },
    { object: 'the client root', type: 'client', path: paths.client, expected: manager },
    { object: 'the authority root', type: 'authority', path: paths.authority, expected: manager },
    { object: 'a certificate', type: 'server', path: `${paths.server}/1`, expected: certificate },
    { object: 'the request', type: 'server', path: `${paths.server}/csr`, expected: csr },
  ] as const;
  for (const { object, type, path, expected } of objects) {
    it(`of ${object} has each upstream member with its signature, and beyond them only ours`, async () => {
      const members = membersOf(await tools(type).introspect(path));
      const upstream = members.filter((one) => !one.startsWith(extension));
      assert.deepEqual(upstream.sort(), [...expected].sort());
    });

    it(`of ${object} names every argument`, async () => {
      const xml = await tools(type).introspect(path);
      const unnamed = tagsOf(xml).filter(({ tag, name }) => tag === 'arg' && !name);
      assert.deepEqual(unnamed, []);
    });

    it(`of ${object} is read by GLib and by sd-bus`, async () => {
      const target = ['--dest', names[type], '--object-path', path];
      const text = await must('gdbus', ['introspect', '--address', bus.address, ...target]);
      const table = await tools(type).busctl('introspect', names[type], path);
      for (const member of expected) {
        const name = /\.(\w+)(\(| )/.exec(member)?.[1] ?? '';
        assert.match(text, new RegExp(`\\b${name}\\b`));
        assert.match(table, new RegExp(`^\\.${name} `, 'm'));
      }
    });
  }

  it('names the arguments of a request as Redfish does, in the order of the wire', async () => {
    const xml = await tools('server').introspect(paths.server);
    const [body = ''] = /<method name="GenerateCSR">[\s\S]*?<\/method>/.exec(xml) ?? [];
    const inputs = tagsOf(body).filter(({ text }) => text.includes('direction="in"'));
    assert.deepEqual(
      inputs.map(({ name }) => name),
      requestArguments,
    );
  });

  it('marks every method that changes something as privileged', async () => {
    const xml = await tools('server').introspect(paths.server);
    for (const method of ['Install', 'InstallAll', 'ReplaceAll', 'DeleteAll', 'GenerateCSR']) {
      const [body = ''] =
        new RegExp(`<method name="${method}">[\\s\\S]*?</method>`).exec(xml) ?? [];
      assert.match(body, /org\.freedesktop\.systemd1\.Privileged" value="true"/, method);
    }
  });

  const parents = [
    { path: '/', child: 'xyz' },
    { path: '/xyz', child: 'openbmc_project' },
    { path: '/xyz/openbmc_project', child: 'certs' },
    { path: '/xyz/openbmc_project/certs', child: 'server' },
    { path: '/xyz/openbmc_project/certs/server', child: 'https' },
  ];
  for (const { path, child } of parents) {
    it(`of the parent path ${path} leads to ${child}`, async () => {
      const nodes = nodesOf(await tools('server').introspect(path));
      assert.deepEqual(nodes, [child]);
    });
  }

  it('of the root lists its certificates and its request as children', async () => {
    assert.deepEqual(nodesOf(await tools('server').introspect(paths.server)), ['1', 'csr']);
  });

  it('lets busctl draw the tree down to each object', async () => {
    const tree = await tools('server').busctl('--list', 'tree', names.server);
    const lines = tree.trim().split('\n');
    assert.deepEqual(lines.slice(-3), [paths.server, `${paths.server}/1`, `${paths.server}/csr`]);
  });

  it('of a path that leads nowhere is refused as an unknown object', async () => {
    const method = 'org.freedesktop.DBus.Introspectable.Introspect';
    for (const path of [`${paths.server}/2`, '/xyz/openbmc', paths.client]) {
      assert.match(await tools('server').refusal(path, method), /^org.*\.UnknownObject: /);
    }
  });
});

const extension = 'xyz.openbmc_project.Certs.Extension.';

interface Tag {
  readonly tag: string;
  readonly name: string | undefined;
  readonly text: string;
}

function tagsOf(xml: string): Tag[] {
  return [...xml.matchAll(/<(\w+)\b[^>]*>/g)].map(([text, tag = '']) => ({
    tag,
    name: attribute(text, 'name'),
    text,
  }));
}

function attribute(text: string, name: string): string | undefined {
  return new RegExp(`\\b${name}="([^"]*)"`).exec(text)?.[1];
}

function nodesOf(xml: string): string[] {
  return tagsOf(xml)
    .filter(({ tag, name }) => tag === 'node' && name !== undefined)
    .map(({ name }) => name ?? '')
    .sort();
}

/** One line for each member: `interface.Method(in) -> out`, `interface.Name property|signal type`. */
function membersOf(xml: string): string[] {
  const found: { head: string; kind: string; in: string; out: string }[] = [];
  let interfaceName = '';
  for (const { tag, name, text } of tagsOf(xml)) {
    const type = attribute(text, 'type') ?? '';
    const last = found.at(-1);
    if (tag === 'interface') interfaceName = name ?? '';
    else if (tag === 'arg' && last) {
      if (attribute(text, 'direction') === 'in') last.in += type;
      else last.out += type;
    } else if (tag === 'method' || tag === 'signal' || tag === 'property') {
      found.push({ head: `${interfaceName}.${name}`, kind: tag, in: '', out: type });
    }
  }
  return found.map(({ head, kind, in: inputs, out }) => {
    if (kind !== 'method') return `${head} ${kind} ${out}`;
    return `${head}(${inputs})${out === '' ? '' : ` -> ${out}`}`;
  });
}
