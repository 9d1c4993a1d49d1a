import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { must, run } from '../../e2e/commands.ts';
import { managerOnBus } from '../../fakes/manager-on-bus.ts';
import { names, paths } from '../../fakes/manager-process.ts';

const root = paths.server;
const certificate = `${root}/1`;
const certificateInterface = 'xyz.openbmc_project.Certs.Certificate';
const properties = 'org.freedesktop.DBus.Properties';
const peer = 'org.freedesktop.DBus.Peer';

describe('an object of the manager', () => {
  const served = managerOnBus(names.server);

  const refusals = [
    {
      what: 'a method whose name is one of JavaScript itself',
      path: root,
      method: 'xyz.openbmc_project.Certs.Install.constructor',
      error: 'UnknownMethod: ',
    },
    {
      what: 'to set a property that the interface does not have',
      path: certificate,
      method: `${properties}.Set`,
      args: [`string:${certificateInterface}`, 'string:Colour', 'variant:string:red'],
      error: 'UnknownProperty: ',
    },
  ];
  for (const { what, path, method, args = [], error } of refusals) {
    it(`refuses ${what} as sd-bus does: ${error.split(':')[0]}`, async () => {
      const answer = await served.tools.refusal(path, method, ...args);
      assert.ok(answer.startsWith(`org.freedesktop.DBus.Error.${error}`), answer);
    });
  }

  const writes = [
    { property: 'CertificateString', value: "'forged'" },
    { property: 'Subject', value: "'CN=forged'" },
    { property: 'Issuer', value: "'CN=forged'" },
    { property: 'KeyUsage', value: "['KeyCertSign']" },
    { property: 'ValidNotAfter', value: 'uint64 1' },
    { property: 'ValidNotBefore', value: 'uint64 1' },
    { property: 'Subject', value: 'uint64 1' },
  ];
  for (const { property, value } of writes) {
    it(`refuses to set ${property} to ${value} and leaves it as it is`, async () => {
      const read = () =>
        served.tools.call(certificate, `${properties}.Get`, 'ss', certificateInterface, property);
      const before = await read();
      const target = [
        '--address',
        served.bus.address,
        '--dest',
        names.server,
        '--object-path',
        certificate,
      ];
      const words = [certificateInterface, property, `<${value}>`];
      const all = ['call', ...target, '--method', `${properties}.Set`, ...words];
      const { status, stderr } = await run('gdbus', all);
      assert.equal(status, 1);
      assert.match(stderr, /GDBus\.Error:org\.freedesktop\.DBus\.Error\.PropertyReadOnly: /);
      assert.deepEqual(await read(), before);
    });
  }

  it('goes on with its real certificate after all of these writes', async () => {
    const get = ['get-property', names.server, certificate, certificateInterface];
    const pem = JSON.parse(
      await served.tools.busctl('--json=short', ...get, 'CertificateString'),
    ).data;
    const subject = await must('openssl', ['x509', '-noout', '-subject'], pem);
    assert.match(subject, /O = OpenBMC/);
  });

  it('answers all properties of an interface at once', async () => {
    const { 0: all } = await served.tools.call(
      certificate,
      `${properties}.GetAll`,
      's',
      certificateInterface,
    );
    assert.deepEqual(
      Object.keys(all ?? {}).sort(),
      [...new Set(writes.map(({ property }) => property))].sort(),
    );
  });

  it('answers the properties of all its interfaces for the empty name', async () => {
    const { 0: all } = await served.tools.call(certificate, `${properties}.GetAll`, 's', '');
    assert.deepEqual(
      Object.keys(all ?? {}).sort(),
      [
        ...new Set(writes.map(({ property }) => property)),
        ...['Certificates', 'DaysLeft', 'State'],
        ...['LeftOut', 'Since', 'Warnings'],
      ].sort(),
    );
  });

  it('is listed by GetManagedObjects with its interfaces and their properties', async () => {
    const get = 'org.freedesktop.DBus.ObjectManager.GetManagedObjects';
    const { 0: objects } = await served.tools.call(root, get);
    assert.deepEqual(Object.keys(objects ?? {}), [certificate]);
    const { [certificateInterface]: shown, [peer]: standard } = objects?.[certificate] ?? {};
    assert.equal(shown?.KeyUsage?.type, 'as');
    assert.equal(shown?.ValidNotAfter?.type, 't');
    assert.deepEqual(standard, {});
  });

  it('has no properties in its standard interfaces', async () => {
    assert.deepEqual(await served.tools.call(root, `${properties}.GetAll`, 's', peer), [{}]);
  });

  it('answers a ping, also to a path where nothing is', async () => {
    for (const path of [root, certificate, '/xyz', '/', '/nowhere']) {
      await served.tools.call(path, `${peer}.Ping`);
    }
  });

  it('knows the id of the machine', async () => {
    const { 0: id } = await served.tools.call(root, `${peer}.GetMachineId`);
    assert.match(String(id), /^[0-9a-f]{32}$/);
  });
});
