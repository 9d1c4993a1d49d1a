import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { busTools } from '../fakes/bus-tools.ts';
import { names, paths, runManager } from '../fakes/manager-process.ts';
import { clientsOf } from './clients.ts';
import { assertRefused, type Device, errors, methods, startDevice, types } from './device.ts';

const certs = '/xyz/openbmc_project/certs';
const introspect = 'org.freedesktop.DBus.Introspectable.Introspect';

/** Contract §1. */
describe('names and paths', () => {
  let device: Device;
  before(async () => {
    device = await startDevice();
    const { path } = device.ca.issueCa();
    await device.tools('authority').call(paths.authority, methods.install, 's', path);
  });
  after(() => device?.stop());

  const nodesOf = (xml: string) =>
    [...xml.matchAll(/<node name="([^"]*)"/g)].map(([, name = '']) => name).sort();

  for (const type of types) {
    it(`the ${type} endpoint is served under ${names[type]}`, async () => {
      for (const client of device.clients(type)) {
        assert.deepEqual(await client.call(paths[type], methods.ping), [], client.name);
      }
    });

    it(`the object manager of the ${type} endpoint is at its root path`, async () => {
      for (const client of device.clients(type)) {
        await client.call(paths[type], methods.managed);
      }
    });

    const others = ['/', certs, `${certs}/${type}`];
    for (const path of others) {
      it(`there is no object manager of the ${type} endpoint at ${path}`, async () => {
        for (const { client, name } of await device.refusals(type, path, methods.managed)) {
          assert.match(name, /\.(UnknownMethod|UnknownInterface|UnknownObject)$/, client);
        }
      });
    }

    const steps = paths[type].split('/').slice(1);
    for (const [index, child] of steps.entries()) {
      const path = `/${steps.slice(0, index).join('/')}`;
      it(`introspection of ${path} under the name of the ${type} leads to ${child}`, async () => {
        for (const client of device.clients(type)) {
          const [xml = ''] = await client.call(path, introspect);
          assert.deepEqual(nodesOf(xml), [child], client.name);
        }
      });
    }

    it(`a walk over the children from / finds every object of the ${type} endpoint`, async () => {
      const listed = await device.tools(type).busctl('--list', 'tree', names[type]);
      const found = listed.split('\n').filter((path) => path.startsWith(paths[type]));
      const ids = (await device.ids(type)).map((id) => `${paths[type]}/${id}`);
      assert.deepEqual(found, [paths[type], ...ids]);
    });

    const absent = [
      {
        what: 'a certificate that is not there',
        path: `${paths[type]}/99`,
        method: methods.remove,
      },
      { what: 'a request that was never made', path: `${paths[type]}/csr`, method: methods.csr },
      { what: 'a property of nothing', path: `${paths[type]}/99`, method: methods.getAll },
      { what: 'a path beside the tree', path: '/xyz/openbmc', method: introspect },
      { what: 'an id with a leading zero', path: `${paths[type]}/01`, method: methods.remove },
      { what: 'something below a certificate', path: `${paths[type]}/1/1`, method: introspect },
    ];
    for (const { what, path, method } of absent) {
      it(`${what} of the ${type} is an unknown object`, async () => {
        const args = method === methods.getAll ? [''] : [];
        const refused = await device.refusals(type, path, method, ...args);
        assert.equal(assertRefused(refused, errors.unknownObject), `Unknown object '${path}'.`);
      });
    }
  }

  it('an endpoint is not found under the name of another one', async () => {
    const refused = await device.refusals('server', paths.client, methods.managed);
    assertRefused(refused, errors.unknownObject);
  });

  it('the names are taken only when the restored certificates are announced', async () => {
    const before = (await device.monitor.messages()).length;
    await device.restart();
    const seen = (await device.monitor.messages()).slice(before);
    for (const type of ['server', 'authority'] as const) {
      const added = seen.findIndex(
        ({ member, path }) => member === 'InterfacesAdded' && path === paths[type],
      );
      const owned = seen.findLastIndex(
        ({ member, payload }) =>
          member === 'NameOwnerChanged' && String(payload.data?.[0]) === names[type],
      );
      assert.ok(added >= 0 && added < owned, `${type}: announced ${added}, named ${owned}`);
    }
  });

  it('the signals of the restored certificates come from the unique name', async () => {
    for (const { member, sender } of await device.monitor.messages()) {
      if (member === 'InterfacesAdded') assert.match(String(sender), /^:1\.\d+$/);
    }
  });
});

/** Contract §1: the path holds the endpoint as it is typed, the name has only its first letter raised. */
describe('an endpoint with a name of its own', () => {
  const endpoints = [
    { type: 'server', name: 'redfish', raised: 'Server.Redfish' },
    { type: 'client', name: 'ldapBackup', raised: 'Client.LdapBackup' },
    { type: 'authority', name: 'ldap', raised: 'Authority.Ldap' },
  ];
  let device: Device;
  before(async () => {
    const places = endpoints.map(({ type, name }) => ({
      type,
      name,
      path: `own/${name}`,
      reload: [],
    }));
    device = await startDevice({ endpoints: places });
  });
  after(() => device?.stop());

  for (const { type, name, raised } of endpoints) {
    it(`is ${type}/${name} in its path and ${raised} in its bus name`, async () => {
      const destination = `xyz.openbmc_project.Certs.Manager.${raised}`;
      for (const client of clientsOf({ address: device.bus.address, destination })) {
        await client.call(`${certs}/${type}/${name}`, methods.managed);
      }
    });
  }

  it('takes no names but these', async () => {
    const destination = 'org.freedesktop.DBus';
    const tools = busTools({ address: device.bus.address, destination });
    const { 0: all } = await tools.call('/org/freedesktop/DBus', 'org.freedesktop.DBus.ListNames');
    const taken = Object.values(all ?? {}).map(String);
    assert.deepEqual(
      // Without objects are names that keep a second manager from the files, and the shared one (docs/differences.md)
      taken.filter((name) => /^xyz\..*\.Manager\.(?!.*\.Files$)/.test(name)).sort(),
      endpoints.map(({ raised }) => `xyz.openbmc_project.Certs.Manager.${raised}`).sort(),
    );
  });

  it('of an unknown type ends the program with status 1', async () => {
    const place = ['--endpoint', 'https', '--path', device.stored('x.pem')];
    const { ended } = runManager(['--type', 'router', ...place]);
    assert.deepEqual(await ended, { status: 1, signal: null });
  });
});
