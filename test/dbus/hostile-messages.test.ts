import assert from 'node:assert/strict';
import type { EventEmitter } from 'node:events';
import { after, before, describe, it } from 'node:test';
import dbus from 'dbus-next';
import { must } from '../e2e/commands.ts';
import { type ManagerProcess, names, paths, startManager } from '../fakes/manager-process.ts';
import { type PrivateBus, startPrivateBus } from '../fakes/private-bus.ts';

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

interface Writer {
  write(bytes: Buffer): boolean;
}
