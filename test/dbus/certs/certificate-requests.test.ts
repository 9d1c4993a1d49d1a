import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { must, run, until } from '../../e2e/commands.ts';
import { BusMonitor } from '../../fakes/bus-tools.ts';
import { managerOnBus } from '../../fakes/manager-on-bus.ts';
import { names, paths } from '../../fakes/manager-process.ts';

const signature = 'asssssssssxssassssss';
const root = paths.client;
const csr = `${root}/csr`;
const generate = 'xyz.openbmc_project.Certs.CSR.Create.GenerateCSR';
const ours = 'xyz.openbmc_project.Certs.Extension.Request.Generate';
const read = 'xyz.openbmc_project.Certs.CSR.CSR';

/** The arguments of a request in busctl's notation; what else is not given is left empty. */
function request(given: Readonly<Record<string, string | readonly string[]>>): string[] {
  const order = [
    ...['AlternativeNames', 'ChallengePassword', 'City', 'CommonName', 'ContactPerson', 'Country'],
    ...['Email', 'GivenName', 'Initials', 'KeyBitLength', 'KeyCurveId', 'KeyPairAlgorithm'],
    ...['KeyUsage', 'Organization', 'OrganizationalUnit', 'State', 'Surname', 'UnstructuredName'],
  ];
  return order.flatMap((name) => {
    const value = given[name] ?? (name === 'CommonName' ? 'bmc' : undefined);
    if (typeof value === 'object') return [String(value.length), ...value];
    if (value !== undefined) return [value];
    return /AlternativeNames|KeyUsage|KeyBitLength/.test(name) ? ['0'] : [''];
  });
}

describe('a request for a certificate', () => {
  const served = managerOnBus(names.client);

  const objectIs = (state: 'there' | 'gone') =>
    until(`the object is ${state}`, async () => {
      const nodes = await served.tools.introspect(root);
      return nodes.includes('<node name="csr"/>') === (state === 'there');
    });

  it('is answered at once with a path, announced when it is made, and then read', async () => {
    const monitor = await BusMonitor.start(served.bus.address);
    try {
      const args = request({ CommonName: 'bmc.example.com', AlternativeNames: ['DNS:bmc'] });
      assert.deepEqual(await served.tools.call(root, generate, signature, ...args), [csr]);
      await objectIs('there');
      const seen = await monitor.messages();
      const reply = seen.findIndex(
        ({ type, payload }) => type === 'method_return' && String(payload.data?.[0]) === csr,
      );
      const added = seen.findIndex(({ member }) => member === 'InterfacesAdded');
      assert.ok(reply >= 0 && reply < added, `the reply is ${reply}, the signal ${added}`);
      const signal = seen[added];
      assert.equal(signal?.path, root);
      assert.equal(String(signal?.payload.data?.[0]), csr);
      assert.deepEqual(Object.keys(signal?.payload.data?.[1] ?? {}).sort(), [
        'org.freedesktop.DBus.Introspectable',
        'org.freedesktop.DBus.Peer',
        'org.freedesktop.DBus.Properties',
        'xyz.openbmc_project.Certs.CSR',
        'xyz.openbmc_project.Certs.Extension.RequestOutcome',
      ]);
    } finally {
      await monitor.stop();
    }
    const { 0: pem } = await served.tools.call(csr, read);
    const text = await must('openssl', ['req', '-verify', '-noout', '-text'], String(pem));
    assert.match(text, /Subject: CN = bmc\.example\.com/);
    assert.match(text, /DNS:bmc/);
  });

  const hopeless = [
    { what: 'a country of three letters', given: { CommonName: 'x', Country: 'CHE' } },
    { what: 'an algorithm that nobody knows', given: { KeyPairAlgorithm: 'DSA' } },
    { what: 'a curve that nobody knows', given: { KeyPairAlgorithm: 'EC', KeyCurveId: 'Q-1' } },
    { what: 'an RSA key of 1024 bits', given: { KeyPairAlgorithm: 'RSA', KeyBitLength: '1024' } },
    { what: 'a common name of 65 letters', given: { CommonName: 'x'.repeat(65) } },
    { what: 'a usage that nobody knows', given: { KeyUsage: ['Everything'] } },
  ];
  for (const { what, given } of hopeless) {
    it(`with ${what} is refused by our own method with the name of the argument`, async () => {
      const [argument = ''] = Object.keys(given).slice(-1);
      const words = [`--address=${served.bus.address}`, 'call', names.client, root];
      const [name, member] = [ours.slice(0, -'.Generate'.length), 'Generate'];
      const { status, stderr } = await run('busctl', [
        ...[...words, name, member, signature, ...request(given)],
      ]);
      assert.equal(status, 1);
      assert.match(stderr, new RegExp(`argument-invalid: ${argument}[ /]`));
    });
  }

  it('without any name is refused at once by both methods, and leaves the object of the one before it', async () => {
    await served.tools.call(root, generate, signature, ...request({ CommonName: 'before' }));
    await objectIs('there');
    for (const method of [generate, ours]) {
      const at = method.lastIndexOf('.');
      const words = [names.client, root, method.slice(0, at), method.slice(at + 1), signature];
      const nameless = request({ CommonName: '', Organization: 'Example' });
      const { status, stderr } = await run('busctl', [
        ...[`--address=${served.bus.address}`, 'call', ...words, ...nameless],
      ]);
      assert.equal(status, 1);
      assert.match(stderr, /argument-invalid: CommonName is missing, and so are AlternativeNames/);
    }
    const { 0: pem } = await served.tools.call(csr, read);
    assert.match(await must('openssl', ['req', '-noout', '-subject'], String(pem)), /CN = before/);
  });

  it('removes the object of the one before it, also before it is made itself', async () => {
    const monitor = await BusMonitor.start(served.bus.address);
    try {
      await served.tools.call(root, generate, signature, ...request({ CommonName: 'again' }));
      await objectIs('there');
      const members = (await monitor.messages())
        .filter(({ path, type }) => type === 'signal' && path === root)
        .map(({ member, payload }) => `${member} ${String(payload.data?.[0])}`);
      assert.deepEqual(members, [`InterfacesRemoved ${csr}`, `InterfacesAdded ${csr}`]);
    } finally {
      await monitor.stop();
    }
  });

  it('is the answer itself of our own method, under which the object appears as well', async () => {
    const args = request({ CommonName: 'ours', KeyPairAlgorithm: 'EC', KeyCurveId: 'secp521r1' });
    const { 0: pem } = await served.tools.call(root, ours, signature, ...args);
    const text = await must('openssl', ['req', '-verify', '-noout', '-text'], String(pem));
    assert.match(text, /secp521r1/);
    await objectIs('there');
    assert.deepEqual(await served.tools.call(csr, read), [String(pem)]);
  });

  it('does not get in the way of others that are made at the same time', async () => {
    const hosts = ['one', 'two', 'three', 'four'];
    const pems = await Promise.all(
      hosts.map((CommonName) =>
        served.tools.call(root, ours, signature, ...request({ CommonName })),
      ),
    );
    for (const [at, host] of hosts.entries()) {
      const args = ['req', '-verify', '-noout', '-subject'];
      assert.match(
        await must('openssl', args, String(pems[at]?.[0])),
        new RegExp(`CN = ${host}$`, 'm'),
      );
    }
    assert.equal(new Set(pems.map((one) => String(one[0]))).size, hosts.length);
  });

  it('is refused by InvalidArgument on the wire', async () => {
    // dbus-send has no way to write an empty list, so the monitor names the error
    const monitor = await BusMonitor.start(served.bus.address);
    try {
      const words = [names.client, root, ours.slice(0, -'.Generate'.length), 'Generate'];
      const args = request({ Country: 'CHE' });
      await run('busctl', [
        `--address=${served.bus.address}`,
        'call',
        ...words,
        signature,
        ...args,
      ]);
      const errors = (await monitor.messages()).filter(({ type }) => type === 'error');
      assert.deepEqual(
        errors.map(({ error_name }) => error_name),
        ['xyz.openbmc_project.Common.Error.InvalidArgument'],
      );
    } finally {
      await monitor.stop();
    }
  });
});
