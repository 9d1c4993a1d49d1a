import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { run } from '../e2e/commands.ts';
import { names, paths } from '../fakes/manager-process.ts';
import type { Issued } from '../fakes/openssl-authority.ts';
import type { Argument } from './clients.ts';
import {
  assertRefused,
  bundle,
  certificateInterface,
  type Device,
  type EndpointType,
  errors,
  makeCas,
  methods,
  startOccupiedDevice,
  types,
} from './device.ts';
import { requestFor } from './request-arguments.ts';

const { notAllowed, unknownObject } = errors;
const pairs: readonly EndpointType[] = ['server', 'client'];

/** Contract §5: the names of errors; the rules of a single upload are those of §8. */
describe('a call that is refused', () => {
  let device: Device;
  let issuer: Issued;
  let leaf: Issued;
  let stranger: Issued;

  before(async () => {
    ({ device, issuer, leaf, stranger } = await startOccupiedDevice());
  });
  after(() => device?.stop());

  const calls: readonly {
    what: string;
    type: EndpointType;
    method: string;
    id?: string;
    file?: () => string;
    error: string;
  }[] = [
    ...pairs.flatMap((type) => [
      {
        what: 'a second Install of the same certificate',
        type,
        method: methods.install,
        file: () => device.pair(leaf),
        error: notAllowed,
      },
      {
        what: 'a second Install of another certificate',
        type,
        method: methods.install,
        file: () => device.pair(stranger),
        error: notAllowed,
      },
      {
        what: 'InstallAll',
        type,
        method: methods.installAll,
        file: () => bundle(device.ca, [issuer]),
        error: notAllowed,
      },
      {
        what: 'ReplaceAll',
        type,
        method: methods.replaceAll,
        file: () => bundle(device.ca, [issuer]),
        error: notAllowed,
      },
    ]),
    {
      what: 'a second Install of the same CA',
      type: 'authority',
      method: methods.install,
      file: () => issuer.path,
      error: notAllowed,
    },
    {
      what: 'InstallAll over a CA that is there',
      type: 'authority',
      method: methods.installAll,
      file: () => bundle(device.ca, makeCas(device.ca, 1)),
      error: notAllowed,
    },
    ...types.flatMap((type) => [
      {
        what: 'Delete of an id that is not there',
        type,
        method: methods.remove,
        id: '99',
        error: unknownObject,
      },
      {
        what: 'Replace of an id that is not there',
        type,
        method: methods.replace,
        id: '99',
        file: () => device.pair(leaf),
        error: unknownObject,
      },
    ]),
  ];
  for (const { what, type, method, id, file, error } of calls) {
    it(`${what} at the ${type}: ${error.split('.').at(-1)}`, async () => {
      const path = id === undefined ? paths[type] : `${paths[type]}/${id}`;
      const refused = await device.refusals(type, path, method, ...(file ? [file()] : []));
      assertRefused(refused, error);
    });
  }

  it('Replace by a certificate that another object of the truststore has: NotAllowed', async () => {
    const other = device.ca.issueCa();
    const tools = device.tools('authority');
    const { 0: object } = await tools.call(paths.authority, methods.install, 's', other.path);
    const refused = await device.refusals(
      'authority',
      String(object),
      methods.replace,
      issuer.path,
    );
    assertRefused(refused, notAllowed);
    await tools.call(String(object), methods.remove);
  });

  it('a second Delete: UnknownObject', async () => {
    const other = device.ca.issueCa();
    for (const client of device.clients('authority')) {
      const [object = ''] = await client.call(paths.authority, methods.install, other.path);
      await client.call(object, methods.remove);
      assertRefused(await device.refusals('authority', object, methods.remove), unknownObject);
    }
  });

  it('an eleventh authority: NotAllowed', async () => {
    const [last, ...nine] = makeCas(device.ca, 10);
    assert.ok(last);
    for (const one of nine) {
      await device.tools('authority').call(paths.authority, methods.install, 's', one.path);
    }
    const refused = await device.refusals('authority', paths.authority, methods.install, last.path);
    assertRefused(refused, notAllowed);
  });

  const protocol: readonly {
    what: string;
    path?: string;
    method: string;
    args?: readonly Argument[];
    /** gdbus makes of an argument what introspection says, so that it cannot send a wrong one. */
    without?: 'gdbus';
    error: string;
  }[] = [
    {
      what: 'a method that the interface does not have',
      method: 'xyz.openbmc_project.Certs.Install.Remove',
      error: 'UnknownMethod',
    },
    {
      what: 'an interface that the object does not have',
      method: 'xyz.openbmc_project.Certs.Manager.Install',
      error: 'UnknownMethod',
    },
    {
      what: 'a method of another object',
      path: '/1',
      method: methods.install,
      args: ['/dev/null'],
      error: 'UnknownMethod',
    },
    {
      what: 'GetManagedObjects of a certificate',
      path: '/1',
      method: methods.managed,
      error: 'UnknownMethod',
    },
    {
      what: 'a number for a path',
      method: methods.install,
      args: [5n],
      without: 'gdbus',
      error: 'InvalidArgs',
    },
    { what: 'no argument', method: methods.install, error: 'InvalidArgs' },
    { what: 'too many', path: '/1', method: methods.remove, args: ['now'], error: 'InvalidArgs' },
    { what: 'a request of nothing', method: methods.generate, error: 'InvalidArgs' },
    {
      what: 'all properties of an unknown interface',
      path: '/1',
      method: methods.getAll,
      args: ['xyz.openbmc_project.Certs.Nothing'],
      error: 'UnknownInterface',
    },
    {
      what: 'an unknown property',
      path: '/1',
      method: methods.get,
      args: [certificateInterface, 'Colour'],
      error: 'UnknownProperty',
    },
    {
      what: 'a property of an unknown interface',
      path: '/1',
      method: methods.get,
      args: ['xyz.openbmc_project.Certs.Nothing', 'Subject'],
      error: 'UnknownProperty',
    },
  ];
  for (const { what, path = '', method, args = [], without, error } of protocol) {
    it(`${what}: ${error}, as sd-bus`, async () => {
      const refused = await device.refusals('client', `${paths.client}${path}`, method, ...args);
      const heard = refused.filter(({ client }) => client !== without);
      assertRefused(heard, `org.freedesktop.DBus.Error.${error}`);
    });
  }

  it('Delete of a request: UnknownMethod, as the object has no such interface', async () => {
    await device.clients('client')[0].call(paths.client, methods.request, ...requestFor({}));
    const refused = await device.refusals('client', `${paths.client}/csr`, methods.remove);
    assertRefused(refused, 'org.freedesktop.DBus.Error.UnknownMethod');
  });

  it('a write of a property: PropertyReadOnly', async () => {
    const target = [names.client, `${paths.client}/1`, certificateInterface, 'Subject'];
    const place = ['--dest', names.client, '--object-path', `${paths.client}/1`];
    const set = [
      '--method',
      'org.freedesktop.DBus.Properties.Set',
      certificateInterface,
      'Subject',
    ];
    const { address } = device.bus;
    const viaGlib = ['call', '--address', address, ...place, ...set, "<'CN=forged'>"];
    const viaSdBus = [`--address=${address}`, 'set-property', ...target, 's', 'CN=forged'];
    assert.match((await run('gdbus', viaGlib)).stderr, /DBus\.Error\.PropertyReadOnly: /);
    const { status, stderr } = await run('busctl', viaSdBus);
    assert.equal(status, 1, stderr);
    const last = (await device.monitor.messages()).findLast(({ type }) => type === 'error');
    assert.equal(last?.error_name, 'org.freedesktop.DBus.Error.PropertyReadOnly');
  });
});
