import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { after, before, beforeEach, describe, it } from 'node:test';
import { watchHostName } from '../../../src/dbus/peers/host-name.ts';
import { type Bus, connectBus } from '../../../src/dbus/transport/bus.ts';
import { until } from '../../e2e/commands.ts';
import { busTools } from '../../fakes/bus-tools.ts';
import { requestName } from '../../fakes/fake-systemd.ts';
import { type ManagerProcess, names, paths, startManager } from '../../fakes/manager-process.ts';
import { openssl } from '../../fakes/openssl-authority.ts';
import { type PrivateBus, startPrivateBus } from '../../fakes/private-bus.ts';

const changed = 'org.freedesktop.DBus.Properties';
const network = {
  owner: 'xyz.openbmc_project.Network',
  path: '/xyz/openbmc_project/network/config',
  interface: 'xyz.openbmc_project.Network.SystemConfiguration',
  property: 'HostName',
};
const hostnamed = {
  owner: 'org.freedesktop.hostname1',
  path: '/org/freedesktop/hostname1',
  interface: 'org.freedesktop.hostname1',
  property: 'Hostname',
};

describe('the name of the host', () => {
  let bus: PrivateBus;
  let own: Bus;
  let announcer: Bus;
  let kernel: string;
  let changes: number;
  let name: () => string;

  const announce = (source: typeof network, value: string, property = source.property) => {
    const values = { [property]: { signature: 's', value } };
    announcer.signal(source.path, changed, 'PropertiesChanged', 'sa{sv}as', [
      source.interface,
      values,
      [],
    ]);
  };
  /** After this everything that was announced before is there. */
  const settle = async () => {
    const before = changes;
    announce(network, `fence-${before}`);
    await until('the fence is there', () => changes > before);
  };

  before(async () => {
    bus = await startPrivateBus();
    announcer = await connectBus(bus.address);
    for (const { owner } of [network, hostnamed]) await requestName(announcer, owner);
  });
  after(async () => {
    announcer?.close();
    await bus?.stop();
  });
  beforeEach(async () => {
    own?.close();
    own = await connectBus(bus.address);
    kernel = 'kernel';
    changes = 0;
    name = await watchHostName(
      own,
      () => kernel,
      () => {
        changes += 1;
      },
    );
  });
  after(() => own?.close());

  it('costs the bus no question, however many announcements are false', async () => {
    const members: string[] = [];
    const counted: Bus = Object.assign(Object.create(own), {
      handleCalls: () => undefined,
      onSignal: (listener: Parameters<Bus['onSignal']>[0]) => own.onSignal(listener),
      call(call: Parameters<Bus['call']>[0]) {
        members.push(call.member);
        return own.call(call);
      },
    });
    let told = 0;
    await watchHostName(
      counted,
      () => kernel,
      () => {
        told += 1;
      },
    );
    const asked = members.length;
    const liar = await connectBus(bus.address);
    const values = { Hostname: { signature: 's', value: 'evil.example' } };
    for (let at = 0; at < 50; at += 1)
      liar.signal(hostnamed.path, changed, 'PropertiesChanged', 'sa{sv}as', [
        hostnamed.interface,
        values,
        [],
      ]);
    // The bus answers its sender behind them, and then the true one is heard
    await liar.call({
      ...{ destination: 'org.freedesktop.DBus', path: '/' },
      interface: 'org.freedesktop.DBus',
      member: 'ListNames',
    });
    await settle();
    assert.deepEqual([members.length, told], [asked, 1]);
    liar.close();
  });

  it('is the kernel’s at first', () => {
    assert.equal(name(), 'kernel');
  });

  for (const source of [network, hostnamed]) {
    it(`follows ${source.interface} before the kernel knows`, async () => {
      announce(source, 'bmc-7.example.com');
      await until('it has changed', () => changes === 1);
      assert.equal(name(), 'bmc-7.example.com');
    });
  }

  it('is the kernel’s again once that changes', async () => {
    announce(hostnamed, 'announced');
    await until('it has changed', () => changes === 1);
    kernel = 'another';
    assert.equal(name(), 'another');
  });

  it('is not told of twice by two who say the same', async () => {
    announce(network, 'bmc-8');
    announce(hostnamed, 'bmc-8');
    await settle();
    assert.equal(changes, 2);
  });

  it('is not changed by somebody who only says so, to all or to us', async () => {
    const stranger = await connectBus(bus.address);
    const values = { HostName: { signature: 's', value: 'spoofed' } };
    const body = [network.interface, values, []];
    stranger.signal(network.path, changed, 'PropertiesChanged', 'sa{sv}as', body);
    const to = [
      'emit',
      `--destination=${own.uniqueName}`,
      network.path,
      changed,
      'PropertiesChanged',
    ];
    const tools = busTools({ address: bus.address, destination: own.uniqueName });
    await tools.busctl(...to, 'sa{sv}as', network.interface, '1', 'HostName', 's', 'spoofed', '0');
    await settle();
    assert.equal(changes, 1);
    stranger.close();
  });

  it('survives a signal with any body from anybody', async () => {
    const stranger = await connectBus(bus.address);
    const send = (signature: string, body: readonly unknown[]) =>
      stranger.signal(network.path, changed, 'PropertiesChanged', signature, body);
    send('s', [network.interface]);
    send('ss', [network.interface, 'HostName']);
    send('sas', [network.interface, ['HostName']]);
    send('sa{ss}', [network.interface, { HostName: 'x' }]);
    send('', []);
    await settle();
    assert.equal(changes, 1);
    stranger.close();
  });

  const ignored: readonly [string, () => void][] = [
    ['another property', () => announce(network, 'x', 'DefaultGateway')],
    ['a name that is none', () => announce(network, '../../etc passwd')],
    ['an empty name', () => announce(hostnamed, '')],
    ['another path', () => announce({ ...network, path: '/somewhere' }, 'x')],
  ];
  for (const [what, act] of ignored) {
    it(`is not changed by ${what}`, async () => {
      act();
      await settle();
      assert.equal(changes, 1);
    });
  }
});

describe('the generated certificate of a server', () => {
  let bus: PrivateBus;
  let daemon: ManagerProcess;

  before(async () => {
    bus = await startPrivateBus();
    daemon = await startManager(bus);
  });
  after(async () => {
    await daemon?.stop();
    await bus?.stop();
  });

  const pem = async () => {
    const args = ['get-property', names.server, `${paths.server}/1`];
    const tools = busTools({ address: bus.address, destination: names.server });
    const text = await tools.busctl(
      '--json=short',
      ...args,
      'xyz.openbmc_project.Certs.Certificate',
      'CertificateString',
    );
    return String(JSON.parse(text).data);
  };
  const isFor = async (host: string) =>
    openssl(['x509', '-noout', '-checkhost', host], await pem()).includes('does match');

  it('is for the new name once the network manager announces it', async () => {
    assert.ok(await isFor(hostname()));
    const manager = await connectBus(bus.address);
    await requestName(manager, network.owner);
    const values = { HostName: { signature: 's', value: 'bmc-9.example.com' } };
    const body = [network.interface, values, []];
    manager.signal(network.path, changed, 'PropertiesChanged', 'sa{sv}as', body);
    await until('there is a certificate for it', () => isFor('bmc-9.example.com'));
    manager.close();
  });
});
