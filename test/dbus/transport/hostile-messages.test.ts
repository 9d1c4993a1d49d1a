import assert from 'node:assert/strict';
import type { EventEmitter } from 'node:events';
import { after, before, describe, it } from 'node:test';
import dbus from 'dbus-next';
import {
  replaceContentInterface,
  replacementInterface,
  uploadInterface,
} from '../../../src/dbus/certs/extension-interfaces.ts';
import { must } from '../../e2e/commands.ts';
import { type BusCaller, busCaller } from '../../fakes/bus-caller.ts';
import { type ManagerProcess, names, paths, startManager } from '../../fakes/manager-process.ts';
import { type PrivateBus, startPrivateBus } from '../../fakes/private-bus.ts';
import { refusal } from '../../fakes/refusal.ts';

describe('a message that announces a file descriptor and has none', () => {
  let bus: PrivateBus;
  let manager: ManagerProcess;
  let sender: dbus.MessageBus;

  before(async () => {
    bus = await startPrivateBus();
    manager = await startManager({ address: bus.address, directory: bus.directory });
    sender = dbus.sessionBus({ busAddress: bus.address });
    await new Promise((resolve) => sender.once('connect', resolve));
  });

  after(async () => {
    sender.disconnect();
    await manager.stop();
    await bus.stop();
  });

  const message = { path: paths.server, interface: 'a.b', member: 'C', destination: names.server };
  const kinds = [
    { kind: 'signal', type: dbus.MessageType.SIGNAL },
    { kind: 'call', type: dbus.MessageType.METHOD_CALL },
  ];
  for (const { kind, type } of kinds) {
    it(`is dropped as a ${kind}, and the manager serves on`, async () => {
      sendPatched(new dbus.Message({ ...message, type, signature: 'u', body: [0] }));
      const ping = ['call', names.server, paths.server, 'org.freedesktop.DBus.Peer', 'Ping'];
      await must('busctl', [`--address=${bus.address}`, ...ping]);
      assert.doesNotMatch(manager.output(), /unexpected error/);
    });
  }

  /** The library refuses to write such a message, so its signature is changed on the way. */
  function sendPatched(patched: dbus.Message): void {
    const transport = Reflect.get(sender, '_connection') as { stream: EventEmitter & Writer };
    const { stream } = transport;
    const { write } = stream;
    stream.write = (bytes) => {
      stream.write = write;
      const at = bytes.indexOf(Buffer.from([8, 1, 0x67, 0, 1, 0x75, 0]));
      assert.ok(at > 0, 'the signature is where it was');
      bytes.write('h', at + 5);
      return write.call(stream, bytes);
    };
    sender.send(patched);
  }
});

describe('a message that is as large as an upload', () => {
  let bus: PrivateBus;
  let manager: ManagerProcess;
  let caller: BusCaller;

  before(async () => {
    bus = await startPrivateBus();
    manager = await startManager({ address: bus.address, directory: bus.directory });
    caller = await busCaller(bus.address, names.server);
  });
  after(async () => {
    caller?.leave();
    await manager?.stop();
    await bus?.stop();
  });

  const install = `${uploadInterface.name}.Install`;
  const file = Buffer.alloc(500_000, 'x');

  it('is read when its signature is that of an upload', async () => {
    const replace = `${replaceContentInterface.name}.Replace`;
    const answer = caller.call(`${paths.server}/1`, replace, 'ayss', file, 'PEM', '');
    await assert.rejects(answer, refusal('no-certificate'));
    const replacement = [file, 'PEM', '', '', Buffer.alloc(0), '', 0];
    const staged = caller.call(
      paths.server,
      `${replacementInterface.name}.Stage`,
      'aysssaysu',
      ...replacement,
    );
    await assert.rejects(staged, refusal('no-certificate'));
  });

  const empty = Buffer.alloc(0);
  const others: Readonly<Record<string, readonly unknown[]>> = {
    ay: [file],
    ays: [file, 'PEM'],
    ayaas: [empty, Array(100_000).fill([])],
    ayaay: [empty, Array(100_000).fill(empty)],
    ayssas: [empty, 'PEM', '', Array(60_000).fill('')],
    'aya(y)': [empty, Array(60_000).fill([1])],
  };
  for (const [signature, body] of Object.entries(others)) {
    it(`is thrown away when its signature is ${signature}`, async () => {
      const answer = caller.call(paths.server, install, signature, ...body);
      await assert.rejects(answer, refusal('file-too-large'));
    });
  }
});

interface Writer {
  write(bytes: Buffer): boolean;
}
