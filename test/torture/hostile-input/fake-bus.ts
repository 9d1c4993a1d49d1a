import { createServer, type Socket } from 'node:net';
import { type Bus, connectBus } from '../../../src/dbus/transport/bus.ts';
import type { CallLimits } from '../../../src/dbus/transport/call-flow.ts';
import { wireMessage } from '../../fakes/raw-bus.ts';

/** A bus that says whatever it is told to, as no real one would let its members do. */
export interface FakeBus {
  /** The manager's end. */
  readonly bus: Bus;
  send(bytes: Buffer): void;
  /** Takes nothing any more from the manager, or everything again. */
  setDeaf(isDeaf: boolean): void;
  close(): void;
}

/** @param path where its socket shall be */
export async function connectFakeBus(path: string, limits?: CallLimits): Promise<FakeBus> {
  let member: Socket | undefined;
  const server = createServer((socket) => {
    member = socket;
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => answer(socket, bytes));
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const bus = await connectBus(`unix:path=${path}`, undefined, limits);
  // One member is all that it is for
  server.close();
  return {
    bus,
    send: (bytes) => void member?.write(bytes),
    setDeaf: (isDeaf) => void (isDeaf ? member?.pause() : member?.resume()),
    close() {
      bus.close();
      member?.destroy();
    },
  };
}

/** The handshake of the D-Bus specification, "Authentication Protocol", and the first call, Hello. */
function answer(socket: Socket, bytes: Buffer): void {
  const text = bytes.toString('latin1');
  if (/AUTH EXTERNAL/.test(text)) socket.write(`OK ${'0'.repeat(32)}\r\n`);
  if (/NEGOTIATE_UNIX_FD/.test(text)) socket.write('ERROR\r\n');
  const hello = text.includes('Hello') ? bytes.indexOf(Buffer.of(0x6c, 1)) : -1;
  if (hello < 0) return;
  const sender = 'org.freedesktop.DBus';
  const replySerial = bytes.readUInt32LE(hello + 8);
  const body = [':1.7'];
  socket.write(wireMessage({ type: 2, serial: 1, sender, replySerial, signature: 's', body }));
}
