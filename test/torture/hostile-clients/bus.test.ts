import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { until } from '../../e2e/commands.ts';
import { type BusCaller, busCaller } from '../../fakes/bus-caller.ts';
import { names, paths } from '../../fakes/manager-process.ts';
import { extent, figure } from '../extent.ts';
import { ask } from './clients.ts';
import { changedProperty, emptyArguments, number, pack, raw, text, zeros } from './marshalling.ts';
import { type Operator, operatorOf } from './operator.ts';
import { noReply, type RawBus, type RawMessage, rawBus } from './raw-bus.ts';
import { type Program, startTarget, type Target } from './target.ts';

const area = 'hostile-clients';
const nobody = 65_534;
const isRoot = process.getuid?.() === 0;
const properties = 'org.freedesktop.DBus.Properties';
const introspectable = 'org.freedesktop.DBus.Introspectable';
const objectManager = 'org.freedesktop.DBus.ObjectManager';
const megabyte = 1 << 20;

describe('a stranger on the bus', { skip: !isRoot }, () => {
  let target: Target;
  let operator: Operator;
  let friend: BusCaller;
  let stranger: RawBus;
  /** The connection of the Redfish service, to which anybody may send signals. */
  let service: string;

  before(async () => {
    target = await startTarget();
    operator = await operatorOf(target);
    friend = await busCaller(target.bus.address, names.server);
    stranger = await rawBus(target.bus.address, nobody);
    service = await connectionOf('redfish-server');
  });
  after(async () => {
    stranger?.leave();
    friend?.leave();
    await target?.stop();
  });

  const server = { path: paths.server, destination: names.server };
  /** Both programs answer what is right. */
  const areServed = async () => {
    const certificate = ['xyz.openbmc_project.Certs.Certificate', 'CertificateString'];
    const answer = await friend.call(
      `${paths.server}/1`,
      `${properties}.Get`,
      'ss',
      ...certificate,
    );
    assert.match(String(Object(answer).value), /BEGIN CERTIFICATE/);
    await operator.isServed();
  };
  /** What came before this has been looked at: messages of one connection keep their order. */
  const areRead = async (from = stranger) => {
    await from.refusalOf({ ...server, member: 'Ping', interface: 'org.freedesktop.DBus.Peer' });
    const ping = { interface: 'org.freedesktop.DBus.Peer', member: 'Ping', path: '/' };
    await from.refusalOf({ ...ping, destination: service });
    assert.equal(from.isCut(), false, 'the bus took all of it');
  };

  it('may call none of the methods that change something, whatever the interface', async () => {
    let refused = 0;
    for (const path of [paths.server, `${paths.server}/1`, paths.authority]) {
      const destination = path === paths.authority ? names.authority : names.server;
      const caller = await busCaller(target.bus.address, destination);
      const xml = String(await caller.call(path, `${introspectable}.Introspect`, ''));
      caller.leave();
      for (const { name, member, signature } of methodsOf(xml)) {
        const body = emptyArguments(signature);
        const call = { path, destination, interface: name, member, signature, body };
        assert.match(await stranger.refusalOf(call), /AccessDenied$/, `${name}.${member}`);
        refused += 1;
      }
    }
    assert.ok(refused >= 36, `${refused}`);
    figure(area, 'bus: methods refused to a stranger', refused);
    await areServed();
  });

  const sizes = extent({
    quick: [3 * megabyte],
    long: [3 * megabyte, 12 * megabyte, 30 * megabyte],
  });
  // An upload begins with a file, and here there is an array behind it
  const signatures = extent({
    quick: ['aas', 'as', 'ay|aas'],
    long: ['aas', 'as', 'au', 'ay', 'ay|aas', 'ay|as', 'ayss|aas', 'ayss|as'],
  });
  for (const parts of signatures) {
    const signature = parts.replace('|', '');
    it(`costs little memory with messages that are large, such as of ${signature}`, async () => {
      const before = megabytesOf();
      let max = before;
      const [first = '', last = first] = parts.split('|');
      const front = first === parts ? Buffer.alloc(0) : emptyArguments(first);
      // An upload may be as large as the first of them
      for (const size of [megabyte - 64, ...sizes]) {
        // Between strings there is padding, behind the last there is none
        const array = zeros(last === 'as' ? size - 3 : size);
        const body = pack(raw(1, front), raw(4, array));
        const large = { signature, body, path: paths.server, interface: 'a.b', member: 'C' };
        const answer = await stranger.refusalOf({ ...large, destination: names.server });
        assert.equal(answer, 'xyz.openbmc_project.Certs.Error.InvalidCertificate');
        for (const destination of [names.server, service])
          await stranger.send({ ...large, type: 'signal', destination });
        await areRead();
        max = Math.max(max, megabytesOf());
        await areServed();
      }
      figure(
        area,
        `bus: most memory over that at rest, large messages of ${signature}, MB`,
        max - before,
      );
      assert.ok(max - before < 100, `${before} to ${max} MB`);
    });
  }

  const read = { ...server, interface: objectManager, member: 'GetManagedObjects' };
  const change = {
    ...server,
    interface: 'xyz.openbmc_project.Collection.DeleteAll',
    member: 'DeleteAll',
  };
  const floods: Readonly<Record<string, readonly RawMessage[]>> = {
    'calls that it may make': [{ ...read, type: 'call' }],
    'calls that it may not make': [{ ...change, type: 'call' }],
    'calls that want no reply': [
      { ...change, type: 'call', flags: noReply },
      { ...read, type: 'call', flags: noReply },
    ],
    'calls to objects, interfaces and methods that are not there': [
      { ...read, type: 'call', path: '/' },
      { ...read, type: 'call', path: `${paths.server}/${'9'.repeat(200)}` },
      { ...read, type: 'call', interface: 'a.b' },
      { ...read, type: 'call', member: 'constructor' },
      { ...read, type: 'call', interface: introspectable, member: 'Introspect', path: '/xyz' },
    ],
  };
  for (const [what, messages] of Object.entries(floods)) {
    it(`floods the manager with ${what}, and others are served`, async () => {
      const many = extent({ quick: 1500, long: 30_000 });
      const flooding = await rawBus(target.bus.address, nobody);
      const before = target.takes('certificate-manager');
      let max = before.megabytes;
      for (let sent = 0; sent < many; sent += messages.length) {
        for (const message of messages) await flooding.send(message);
        if (sent % 500 !== 0) continue;
        await areRead(flooding);
        max = Math.max(max, target.takes('certificate-manager').megabytes);
        if (sent % 10_000 === 0) await areServed();
      }
      await areServed();
      flooding.leave();
      figure(area, `bus: ${what}: sent`, many);
      figure(area, `bus: ${what}: most memory over that at rest, MB`, max - before.megabytes);
      assert.ok(max - before.megabytes < 80, `${before.megabytes} to ${max} MB`);
      await until('the descriptors are back', () => {
        return target.takes('certificate-manager').descriptors <= before.descriptors;
      });
    });
  }

  it('comes and goes in the middle of calls, and leaves nothing behind', async () => {
    const before = target.takes('certificate-manager');
    const rounds = extent({ quick: 40, long: 400 });
    for (let round = 0; round < rounds; round += 1) {
      const caller = await rawBus(target.bus.address, round % 2 ? nobody : 0);
      const path = emptyArguments('s');
      const call = { ...server, type: 'call', signature: 's', body: path } as const;
      await caller.send({
        ...call,
        interface: 'xyz.openbmc_project.Certs.InstallAll',
        member: 'InstallAll',
      });
      await caller.send({ ...read, type: 'call' });
      caller.leave();
    }
    await areServed();
    const { megabytes } = target.takes('certificate-manager');
    assert.ok(megabytes - before.megabytes < 60, `${before.megabytes} to ${megabytes} MB`);
    await until('the descriptors are back', () => {
      return target.takes('certificate-manager').descriptors <= before.descriptors;
    });
    figure(area, 'bus: callers that left during a call', rounds);
  });

  it('asks for keys and goes away before they are made, and the next one gets his', async () => {
    const method = 'xyz.openbmc_project.Certs.Extension.Request.Generate';
    const signature = 'asssssssssxssassssss';
    const generate = (caller: BusCaller, name: string) => {
      const empty = ['', '', '', '', ''];
      const before = [
        ['bmc.example.com'],
        '',
        '',
        name,
        '',
        '',
        '',
        '',
        '',
        0n,
        'prime256v1',
        'EC',
      ];
      return caller.call(paths.server, method, signature, ...before, [], ...empty);
    };
    for (let round = 0; round < extent({ quick: 3, long: 60 }); round += 1) {
      const caller = await busCaller(target.bus.address, names.server);
      const made = generate(caller, `round-${round}`);
      caller.leave();
      await assert.rejects(made, { code: 'unavailable' });
    }
    await until('the queue is empty', async () => {
      const pem = await generate(friend, 'bmc').catch(() => '');
      return String(pem).includes('CERTIFICATE REQUEST');
    });
    await areServed();
  });

  it('listens to everything with a thousand rules, reads nothing, and slows nobody down', async () => {
    const listener = await rawBus(target.bus.address, nobody);
    const dbus = 'org.freedesktop.DBus';
    const add = { path: '/org/freedesktop/DBus', destination: dbus, interface: dbus };
    for (let rule = 0; rule < 1000; rule += 1) {
      const body = pack(text(`type='signal',arg0='${rule}'`));
      await listener.send({ ...add, type: 'call', member: 'AddMatch', signature: 's', body });
    }
    const everything = pack(text("type='signal'"));
    await listener.send({
      ...add,
      type: 'call',
      member: 'AddMatch',
      signature: 's',
      body: everything,
    });
    listener.goDeaf();
    for (let at = 0; at < extent({ quick: 200, long: 5000 }); at += 1)
      await listener.send({ ...read, type: 'call' });
    await areServed();
    listener.leave();
  });

  const invalidated = {
    path: `${paths.server}/1`,
    interface: properties,
    member: 'PropertiesChanged',
  };
  const spoofs: Readonly<Record<string, Omit<RawMessage, 'type'>>> = {
    'a manager that went away': nameOwnerChanged(names.server, ':1.1', ''),
    'a manager that came back elsewhere': nameOwnerChanged(names.server, '', ':1.999'),
    'a user manager that came': nameOwnerChanged('xyz.openbmc_project.User.Manager', '', ':1.999'),
    'a certificate that was removed': {
      path: paths.server,
      interface: objectManager,
      member: 'InterfacesRemoved',
      signature: 'oas',
      body: pack(
        text(`${paths.server}/1`),
        number(42),
        text('xyz.openbmc_project.Certs.Certificate'),
      ),
    },
    'a certificate that changed': {
      ...invalidated,
      signature: 'sa{sv}as',
      body: changedProperty('xyz.openbmc_project.Certs.Certificate'),
    },
    'another name of the host': {
      path: '/org/freedesktop/hostname1',
      interface: properties,
      member: 'PropertiesChanged',
      signature: 'sa{sv}as',
      body: changedProperty('org.freedesktop.hostname1', 'Hostname', 'evil.example'),
    },
    'a job of systemd that ended': {
      path: '/org/freedesktop/systemd1',
      interface: 'org.freedesktop.systemd1.Manager',
      member: 'JobRemoved',
      signature: 'ss',
      body: pack(text('done'), text('failed')),
    },
    'a sleep that begins': {
      path: '/org/freedesktop/login1',
      interface: 'org.freedesktop.login1.Manager',
      member: 'PrepareForSleep',
      signature: 'u',
      body: Buffer.from([1, 0, 0, 0]),
    },
  };
  for (const [what, spoof] of Object.entries(spoofs)) {
    it(`makes nobody believe in ${what}`, async () => {
      const many = extent({ quick: 300, long: 6000 });
      const before = target.takes('certificate-manager').megabytes;
      const logged = target.output().length;
      for (let sent = 0; sent < many; sent += 3) {
        await stranger.send({ ...spoof, type: 'signal' });
        for (const destination of [names.server, service])
          await stranger.send({ ...spoof, type: 'signal', destination });
      }
      await areRead();
      await areServed();
      const { status, body } = await ask(
        target,
        '/redfish/v1/Managers/bmc/NetworkProtocol/HTTPS/Certificates/1',
        {
          token: operator.token,
        },
      );
      assert.equal(status, 200);
      assert.doesNotMatch(body, /evil/);
      assert.ok(target.takes('certificate-manager').megabytes - before < 60);
      assert.equal(target.output().length, logged, target.output().slice(logged));
    });
  }

  it('takes none of the names that we have, nor keeps a line for them', async () => {
    const second = await rawBus(target.bus.address);
    const dbus = { path: '/org/freedesktop/DBus', destination: 'org.freedesktop.DBus' };
    for (const flags of [0, 2, 3, 7]) {
      const call = {
        ...dbus,
        interface: 'org.freedesktop.DBus',
        member: 'RequestName',
        signature: 'su',
      };
      await second.refusalOf({ ...call, body: pack(text(names.server), number(flags)) });
      await areServed();
    }
    second.leave();
    await areServed();
  });

  it('leaves both programs running, and a log that can be read', async () => {
    await areServed();
    const lines = target.output().split('\n');
    assert.doesNotMatch(target.output(), /program ended|unexpected error|method failed/);
    assert.ok(lines.every((line) => line.length < 3000));
    figure(area, 'bus: lines of log', lines.length);
    figure(area, 'bus: longest wait of the operator, ms', operator.longestWait());
  });

  function megabytesOf(): number {
    return target.takes('certificate-manager').megabytes + target.takes('redfish-server').megabytes;
  }

  async function connectionOf(program: Program): Promise<string> {
    const { pid } = target.takes(program);
    const dbus = 'org.freedesktop.DBus';
    const call = { destination: dbus, path: '/org/freedesktop/DBus', interface: dbus };
    const [list] = await friend.bus.call({ ...call, member: 'ListNames' });
    for (const name of (list as readonly string[]).filter((one) => one.startsWith(':'))) {
      const asked = { ...call, member: 'GetConnectionUnixProcessID', signature: 's', body: [name] };
      if ((await friend.bus.call(asked))[0] === pid) return name;
    }
    throw new Error(`${program} is not on the bus`);
  }
});

/** Methods of our own interfaces, as introspection tells them; those of the standard ones only read. */
function methodsOf(xml: string): readonly { name: string; member: string; signature: string }[] {
  return [...xml.matchAll(/<interface name="(xyz[^"]+)">(.*?)<\/interface>/gs)].flatMap(
    ([, name = '', inner = '']) =>
      [...inner.matchAll(/<method name="(\w+)"(?:\/>|>(.*?)<\/method>)/gs)].map(
        ([, member = '', args = '']) => ({
          name,
          member,
          signature: [...args.matchAll(/<arg [^>]*?>/g)]
            .map(([arg]) => arg)
            .filter((arg) => arg.includes('direction="in"'))
            .map((arg) => /type="([^"]+)"/.exec(arg)?.[1] ?? '')
            .join(''),
        }),
      ),
  );
}

function nameOwnerChanged(name: string, before: string, after: string): Omit<RawMessage, 'type'> {
  const path = '/org/freedesktop/DBus';
  const body = pack(text(name), text(before), text(after));
  const member = 'NameOwnerChanged';
  return { path, interface: 'org.freedesktop.DBus', member, signature: 'sss', body };
}
