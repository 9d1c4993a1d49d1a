import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { endpointsInterface } from '../../../src/dbus/endpoints/interfaces.ts';
import { endpointPath, endpointsName, endpointsRoot } from '../../../src/dbus/endpoints/paths.ts';
import { signatureOf, type TypedValue } from '../../../src/dbus/server/interface.ts';
import { csrParameterNames } from '../../../src/manager/csr/parameters.ts';
import { encode, octetString, sequence, unsignedInteger } from '../../../src/x509/der.ts';
import { until } from '../../e2e/commands.ts';
import { type BusCaller, busCaller } from '../../fakes/bus-caller.ts';
import { type ManagerProcess, startManager } from '../../fakes/manager-process.ts';
import { csrParameters } from '../../fakes/manager-world.ts';
import { opensslAuthority } from '../../fakes/openssl-authority.ts';
import { type PrivateBus, startPrivateBus } from '../../fakes/private-bus.ts';
import { pairOf } from '../../fakes/replacement-device.ts';

const tools = opensslAuthority();
const ca = tools.issueCa({ subject: '/CN=CA' });
const leaf = tools.issue({ issuer: ca, subject: '/CN=leaf' });
after(() => tools.remove());

const services = [{ name: 'gnoi', reload: [], endpoint: { type: 'server', id: 'gnoi-1' } }];
type Part = [string, string, boolean, Buffer, string, string, string];
type Objects = Record<string, Record<string, Record<string, TypedValue>>>;

describe('endpoints of run time on the bus', () => {
  let bus: PrivateBus;
  let manager: ManagerProcess;
  let caller: BusCaller;
  before(async () => {
    bus = await startPrivateBus();
  });
  after(() => bus.stop());
  const start = async () => {
    manager = await startManager({ address: bus.address, directory: bus.directory }, { services });
  };
  beforeEach(async () => {
    await start();
    caller = await busCaller(bus.address, endpointsName);
  });
  afterEach(async () => {
    for (const path of Object.keys(await objects()))
      if (/endpoints\/\w+\/\w+$/.test(path)) await call('Remove', path);
    caller.leave();
    await manager.stop();
  });

  const callAs = (
    who: BusCaller,
    member: keyof typeof endpointsInterface.methods,
    ...body: unknown[]
  ) =>
    who.call(
      endpointsRoot,
      `${endpointsInterface.name}.${member}`,
      signatureOf(endpointsInterface.methods[member].in),
      ...body,
    );
  const call = (member: keyof typeof endpointsInterface.methods, ...body: unknown[]) =>
    callAs(caller, member, ...body);
  const objects = async () =>
    (await caller.call(
      endpointsRoot,
      'org.freedesktop.DBus.ObjectManager.GetManagedObjects',
      '',
    )) as Objects;
  const part = (type: string, id: string, text: string, create = true, request = ''): Part => [
    ...([type, id, create, Buffer.from(text), 'PEM', ''] as const),
    request,
  ];
  const both = () => [
    part('server', 'gnoi-1', pairOf(leaf)),
    part('authority', 'gnoi-ca-bundle', ca.pem),
  ];
  const paths = async () => Object.keys(await objects()).sort();
  const serverPath = endpointPath({ type: 'server', name: 'gnoi-1' });
  const bundlePath = endpointPath({ type: 'authority', name: 'gnoi-ca-bundle' });
  const installed = [bundlePath, `${bundlePath}/1`, serverPath, `${serverPath}/1`];
  const serviceFile = () => join(bus.directory, 'services/gnoi/credential.pem');
  const generate = (type: string, id: string) => {
    const parameters = csrParameters({ CommonName: 'device' });
    const values = csrParameterNames.map((name) => parameters[name]);
    return call('Generate', type, id, ...values) as Promise<[string, string]>;
  };

  it('come with their certificates, at an escaped path and with the id as a property', async () => {
    const replacement = await call('Stage', both(), 0);
    assert.deepEqual(await paths(), []);
    await call('Activate', replacement, 0);
    assert.deepEqual(await paths(), installed);
    assert.ok(existsSync(serviceFile()));
    const own = (await objects())[serverPath]?.['xyz.openbmc_project.Certs.Extension.Endpoint'];
    assert.equal(own?.Id?.value, 'gnoi-1');
    assert.deepEqual(own?.Services?.value, ['gnoi']);
    assert.ok(Number(own?.Modified?.value) > 1e18);
    await call('Commit', replacement);
    assert.deepEqual(await paths(), installed);
    assert.deepEqual(
      caller.signals('InterfacesAdded').map(({ body }) => body[0]),
      [bundlePath, `${bundlePath}/1`, serverPath, `${serverPath}/1`],
    );
  });

  it('are gone again when the connection that stages them ends', async () => {
    const other = await busCaller(bus.address, endpointsName);
    const replacement = await callAs(other, 'Stage', both(), 0);
    await callAs(other, 'Activate', replacement, 0);
    await assert.rejects(call('Commit', replacement), { code: 'not-found' });
    assert.deepEqual(await paths(), installed);
    other.leave();
    await until('they are gone', async () => (await paths()).length === 0);
    await until('the file of the service is gone', () => !existsSync(serviceFile()));
  });

  it('are gone after the manager was killed while they were on trial', async () => {
    const replacement = await call('Stage', both(), 0);
    await call('Detach', replacement);
    await call('Activate', replacement, 0);
    assert.equal(readFileSync(serviceFile(), 'utf8'), pairOf(leaf));
    await manager.stop('SIGKILL');
    await start();
    assert.deepEqual(await paths(), []);
    assert.ok(!existsSync(serviceFile()));
    const root = join(bus.directory, 'endpoints/run-time');
    for (const folder of ['server', 'authority', 'replacements'])
      assert.deepEqual(readdirSync(join(root, folder)), []);
  });

  it('go on with a replacement that another connection of the user detached', async () => {
    const other = await busCaller(bus.address, endpointsName);
    const replacement = await callAs(other, 'Stage', both(), 50);
    await callAs(other, 'Detach', replacement);
    other.leave();
    const [state, deadline] = (await call('Deadline', replacement)) as [string, bigint];
    assert.equal(state, 'Staged');
    await call('Extend', replacement, 3000);
    const [, later] = (await call('Deadline', replacement)) as [string, bigint];
    assert.ok(later > deadline + 1000n);
    await call('Activate', replacement, 0);
    await call('Commit', replacement);
    await assert.rejects(call('Deadline', replacement), { code: 'not-found' });
    assert.deepEqual(await paths(), installed);
  });

  it('sign with a key that waits for its certificate, and with that in service', async () => {
    const [id, csr] = await generate('server', 'cmp-1');
    const data = encode(
      sequence(unsignedInteger(Buffer.of(2)), octetString(Buffer.from('a message'))),
    );
    const certificate = tools.sign(csr, ca);
    const { publicKey } = new X509Certificate(certificate);
    const { verify } = await import('node:crypto');
    const signs = async (request: string) => {
      const signature = await call('Sign', 'server', 'cmp-1', request, 'sha256', data);
      assert.ok(Buffer.isBuffer(signature) && verify('sha256', data, publicKey, signature));
    };
    await signs(id);
    await assert.rejects(signs(''), { code: 'not-found' });
    assert.equal(((await call('Outstanding', 'server', 'cmp-1')) as unknown[]).length, 1);
    await generate('server', 'cmp-1');
    const wrong = [part('server', 'cmp-1', certificate, true, '0'.repeat(64))];
    await assert.rejects(call('Stage', wrong, 0), { code: 'key-mismatch' });
    const replacement = await call('Stage', [part('server', 'cmp-1', certificate, true, id)], 0);
    await call('Activate', replacement, 0);
    await call('Commit', replacement);
    await signs('');
    await signs(id);
    const spaces = Buffer.alloc(64, ' ');
    await assert.rejects(call('Sign', 'server', 'cmp-1', '', 'sha256', spaces), {
      code: 'argument-invalid',
    });
  });

  it('are bound to services', async () => {
    const bindings = async () => {
      const get = 'org.freedesktop.DBus.Properties.Get';
      const name = endpointsInterface.name;
      return ((await caller.call(endpointsRoot, get, 'ss', name, 'Bindings')) as TypedValue).value;
    };
    assert.deepEqual(await bindings(), [['gnoi', 'server', 'gnoi-1', 'configuration']]);
    await assert.rejects(call('Bind', 'gnoi', 'server', 'other'), { code: 'not-found' });
    await call('Add', 'server', 'other');
    await call('Bind', 'gnoi', 'server', 'other');
    assert.deepEqual(await bindings(), [['gnoi', 'server', 'other', 'run time']]);
    await call('Unbind', 'gnoi');
    assert.deepEqual(await bindings(), [['gnoi', 'server', 'gnoi-1', 'configuration']]);
    const told = caller.signals('PropertiesChanged').filter(({ path }) => path === endpointsRoot);
    assert.equal(told.length, 2);
  });

  it('are added and removed, and are there after a restart', async () => {
    const path = await call('Add', 'client', 'a.b');
    assert.equal(path, endpointPath({ type: 'client', name: 'a.b' }));
    await assert.rejects(call('Add', 'client', 'a.b'), { code: 'already-installed' });
    await assert.rejects(call('Add', 'client', '.b'), { code: 'argument-invalid' });
    await assert.rejects(call('Add', 'other', 'b'), { code: 'argument-invalid' });
    await manager.stop();
    await start();
    assert.deepEqual(await paths(), [path]);
    await call('Remove', path);
    assert.deepEqual(await paths(), []);
    await assert.rejects(call('Remove', path), { code: 'not-found' });
  });
});
