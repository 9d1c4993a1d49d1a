import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { must } from '../e2e/commands.ts';
import { names, paths } from '../fakes/manager-process.ts';
import { bundle, type Device, type EndpointType, makeCas, methods, startDevice } from './device.ts';
import { argumentNames, requestFor } from './request-arguments.ts';

/** Everything in which our introspection data may differ from upstream's. */
const permitted = {
  /** Ours, in addition to upstream's. */
  interfaces: /^xyz\.openbmc_project\.Certs\.Extension\./,
  /** Upstream's properties can be overwritten from the bus; ours cannot. */
  access: { upstream: 'readwrite', ours: 'read' },
  /** Says who may write, so that it has no place on what nobody may write. */
  annotationsOfWriting: ['org.freedesktop.systemd1.Privileged'],
  /** sdbusplus leaves the arguments of its methods without names; ours have them. */
  argumentNames: 'where upstream has none',
} as const;

interface Element {
  readonly tag: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: Element[];
}

const introspect = 'org.freedesktop.DBus.Introspectable.Introspect';
const objects: readonly { file: string; type: EndpointType; path: string }[] = [
  { file: 'manager-server-https', type: 'server', path: paths.server },
  { file: 'manager-server-https', type: 'client', path: paths.client },
  { file: 'manager-authority-truststore', type: 'authority', path: paths.authority },
  { file: 'certificate', type: 'server', path: `${paths.server}/1` },
  { file: 'certificate', type: 'client', path: `${paths.client}/1` },
  { file: 'certificate', type: 'authority', path: `${paths.authority}/1` },
  { file: 'csr', type: 'server', path: `${paths.server}/csr` },
];

/** Contract §2, §3 and §4, as upstream's own introspection data states them. */
describe('introspection data', () => {
  let device: Device;

  before(async () => {
    device = await startDevice();
    for (const type of ['server', 'client'] as const) {
      await device.clients(type)[0].call(paths[type], methods.generate, ...requestFor({}));
      await device.csrAppears(type);
    }
    const own = device.pair(device.ca.issue());
    await device.tools('client').call(paths.client, methods.install, 's', own);
    const ten = bundle(device.ca, makeCas(device.ca, 10));
    await device.tools('authority').call(paths.authority, methods.installAll, 's', ten);
  });
  after(() => device?.stop());

  for (const { file, type, path } of objects) {
    const upstream = parse(
      readFileSync(new URL(`introspection/${file}.xml`, import.meta.url), 'utf8'),
    );

    describe(`of ${path}`, () => {
      let ours: Element;
      before(async () => {
        const [xml = ''] = await device.clients(type)[0].call(path, introspect);
        ours = parse(xml);
      });

      it('is the same by every client program', async () => {
        for (const client of device.clients(type)) {
          const [xml = ''] = await client.call(path, introspect);
          assert.deepEqual(parse(xml), ours, client.name);
        }
      });

      it('has the document type of the specification', async () => {
        const [xml = ''] = await device.clients(type)[0].call(path, introspect);
        const head =
          '<!DOCTYPE node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN"';
        assert.ok(xml.startsWith(head));
      });

      it('is read by GLib and by sd-bus, with each interface', async () => {
        const target = ['--dest', names[type], '--object-path', path];
        const { address } = device.bus;
        const readings = [
          await must('gdbus', ['introspect', '--address', address, ...target]),
          await device.tools(type).busctl('introspect', names[type], path),
        ];
        for (const name of namesOf(ours, 'interface'))
          for (const reading of readings) assert.ok(reading.includes(`${name} `), name);
      });

      it('names every argument', () => {
        const members = ours.children.flatMap(({ children }) => children);
        const found = members.flatMap(({ children }) =>
          children.filter(({ tag, attributes: { name } }) => tag === 'arg' && !name),
        );
        assert.deepEqual(found, []);
      });

      it('has no interface that upstream does not have, but our own', () => {
        const known = namesOf(upstream, 'interface');
        const more = namesOf(ours, 'interface').filter((name) => !known.includes(name));
        assert.deepEqual(
          more.filter((name) => !permitted.interfaces.test(name)),
          [],
        );
      });

      it('names the children that upstream names', () => {
        assert.deepEqual(namesOf(ours, 'node').sort(), namesOf(upstream, 'node').sort());
      });

      for (const expected of upstream.children.filter(({ tag }) => tag === 'interface')) {
        const { name = '' } = expected.attributes;
        it(`has ${name} with each of its members`, () => {
          const found = ours.children.find((one) => one.attributes.name === name);
          assert.ok(found, `there is no interface ${name}`);
          assert.deepEqual(comparable(found, expected), comparable(allowed(expected), expected));
        });
      }
    });
  }

  it('names the arguments of GenerateCSR as Redfish does, in the order of the wire', async () => {
    const [xml = ''] = await device.clients('server')[0].call(paths.server, introspect);
    const methods = parse(xml).children.flatMap(({ children }) => children);
    const generate = methods.find(({ attributes: { name } }) => name === 'GenerateCSR');
    const inputs = generate?.children.filter(({ attributes }) => attributes.direction === 'in');
    assert.deepEqual(
      inputs?.map(({ attributes: { name } }) => name),
      argumentNames,
    );
  });
});

/** What upstream says, with the permitted differences made. */
function allowed(element: Element): Element {
  const { tag, attributes, children } = element;
  if (tag !== 'property' || attributes.access !== permitted.access.upstream) {
    return { tag, attributes, children: children.map(allowed) };
  }
  const staying = children.filter(
    ({ attributes: { name } }) => !permitted.annotationsOfWriting.some((one) => one === name),
  );
  return { tag, attributes: { ...attributes, access: permitted.access.ours }, children: staying };
}

/** Members sorted by name; arguments in their order, without the names that upstream leaves out. */
function comparable(element: Element, upstream: Element | undefined): object {
  const { tag, attributes, children } = element;
  const named = (one: Element) => `${one.tag} ${one.attributes.name}`;
  const args = (one?: Element) => one?.children.filter((child) => child.tag === 'arg') ?? [];
  const theirs = args(upstream);
  return {
    tag,
    attributes,
    arguments: args(element).map((arg, index) => {
      const isNamed = theirs[index]?.attributes.name !== undefined;
      const { name, ...rest } = arg.attributes;
      return isNamed ? { name, ...rest } : rest;
    }),
    children: children
      .filter((child) => child.tag !== 'arg')
      .sort((a, b) => (named(a) < named(b) ? -1 : 1))
      .map((child) =>
        comparable(
          child,
          upstream?.children.find((one) => named(one) === named(child)),
        ),
      ),
  };
}

function namesOf({ children }: Element, tag: string): string[] {
  return children.filter((one) => one.tag === tag).map(({ attributes }) => attributes.name ?? '');
}

/** Elements and attributes; introspection data has no text. */
function parse(xml: string): Element {
  const root: Element = { tag: '', attributes: {}, children: [] };
  const open = [root];
  for (const [, closing, tag = '', words = '', empty] of xml.matchAll(
    /<(\/?)(\w+)((?:\s+\w+="[^"]*")*)\s*(\/?)>/g,
  )) {
    if (closing) {
      open.pop();
      continue;
    }
    const pairs = [...words.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', value = '']) => [
      name,
      value,
    ]);
    const element: Element = { tag, attributes: Object.fromEntries(pairs), children: [] };
    open.at(-1)?.children.push(element);
    if (!empty) open.push(element);
  }
  const [node] = root.children;
  if (!node) throw new Error(`no introspection data: ${xml}`);
  return node;
}
