import { createRequire } from 'node:module';
import { connect, type Socket } from 'node:net';

export interface WireMessage {
  /** 1 for a call, 2 for a reply, 3 for an error, 4 for a signal. */
  readonly type: number;
  readonly serial: number;
  readonly path?: string;
  readonly interface?: string;
  readonly member?: string;
  readonly sender?: string;
  readonly destination?: string;
  readonly replySerial?: number;
  readonly errorName?: string;
  readonly signature?: string;
  readonly body?: readonly unknown[];
}

const library: { marshall(message: WireMessage): [Buffer] } = createRequire(import.meta.url)(
  'dbus-next/lib/message.js',
);

/** A message in the bytes of the wire, without any of the checks that a client of the library has. */
export function wireMessage(message: WireMessage): Buffer {
  return library.marshall(message)[0];
}

/** A member of a bus that sends whatever bytes it is told to. */
export interface RawMember {
  send(bytes: Buffer): void;
  /** Waits until the bus has passed on all that was sent. @throws when the bus has ended the connection */
  sync(): Promise<void>;
  readonly isConnected: boolean;
  leave(): void;
}

/** @param address of a bus on a socket in the file system */
export async function rawMember(address: string): Promise<RawMember> {
  const path = /path=([^,;]+)/.exec(address)?.[1] ?? '';
  const socket = connect(decodeURIComponent(path));
  socket.on('error', () => undefined);
  const id = Buffer.from(String(process.getuid?.() ?? 0)).toString('hex');
  socket.write(`\0AUTH EXTERNAL ${id}\r\n`);
  await next(socket);
  socket.write('BEGIN\r\n');
  const driver = { path: '/org/freedesktop/DBus', destination: 'org.freedesktop.DBus' };
  const hello = { ...driver, interface: 'org.freedesktop.DBus', member: 'Hello' };
  socket.write(wireMessage({ ...hello, type: 1, serial: 1 }));
  await next(socket);
  return {
    send: (bytes) => void socket.write(bytes),
    async sync() {
      const ping = { ...driver, interface: 'org.freedesktop.DBus.Peer', member: 'Ping' };
      socket.write(wireMessage({ ...ping, type: 1, serial: 2 }));
      await next(socket);
    },
    get isConnected() {
      return !socket.destroyed;
    },
    leave: () => void socket.destroy(),
  };
}

/** The next bytes that come. */
function next(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('data', () => {
      socket.off('close', reject);
      resolve();
    });
    socket.once('close', reject);
  });
}
