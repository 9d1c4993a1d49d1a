import { connect, type Socket } from 'node:net';
import { until } from '../../e2e/commands.ts';

/** A message as it goes over the wire (D-Bus Specification, "Message Protocol"). */
export interface RawMessage {
  readonly type: 'call' | 'signal';
  readonly path: string;
  readonly interface?: string;
  readonly member: string;
  readonly destination?: string;
  readonly signature?: string;
  /** Marshalled already; empty where there is no signature. */
  readonly body?: Buffer;
  readonly flags?: number;
}

/** A client of the bus that marshals nothing but headers, and so may say what no library would. */
export interface RawBus {
  /** Its unique name. */
  readonly name: string;
  /** Resolves when the bus has taken it. @returns its serial number */
  send(message: RawMessage): Promise<number>;
  /** Sends a call and waits for what answers it: the name of the error, or nothing. */
  refusalOf(message: Omit<RawMessage, 'type'>): Promise<string>;
  /** How many replies of any kind have come so far. */
  replies(): number;
  /** Reads nothing any more, whatever is sent to it. */
  goDeaf(): void;
  /** Whether the bus threw the client out. */
  isCut(): boolean;
  leave(): void;
}

export const noReply = 1;

/** @param user whom to connect as, for root */
export async function rawBus(address: string, user = process.getuid?.() ?? 0): Promise<RawBus> {
  const socket = connectAs(address.replace(/^unix:path=/, ''), user);
  const replies = new Map<number, string>();
  let input = Buffer.alloc(0);
  let cut = false;
  let greeted = false;
  let count = 0;
  let name = '';
  socket.on('error', () => undefined);
  const closed = once(socket, 'close').then(() => {
    cut = true;
  });
  socket.on('data', (chunk: Buffer) => {
    input = Buffer.concat([input, chunk]);
    if (!greeted) {
      const end = input.indexOf('\r\n');
      if (end < 0) return;
      greeted = true;
      input = input.subarray(end + 2);
    }
    for (let size = sizeOf(input); size > 0 && input.length >= size; size = sizeOf(input)) {
      const message = input.subarray(0, size);
      input = input.subarray(size);
      const { type, serial, error } = read(message);
      if (type !== methodReturn && type !== errorReply) continue;
      count += 1;
      if (serial === 1) name = /:\d+\.\d+/.exec(message.toString('latin1'))?.[0] ?? '';
      replies.set(serial, error);
    }
  });
  const uid = Buffer.from(String(user)).toString('hex');
  socket.write(`\0AUTH EXTERNAL ${uid}\r\n`);
  await until('the greeting', () => greeted);
  socket.write('BEGIN\r\n');
  let last = 0;
  const bus = {
    async send(message: RawMessage): Promise<number> {
      last += 1;
      const bytes = [header(message, last), message.body ?? Buffer.alloc(0)];
      for (const one of bytes) {
        if (!socket.write(one) && !cut) await Promise.race([once(socket, 'drain'), closed]);
      }
      return last;
    },
    async refusalOf(message: Omit<RawMessage, 'type'>): Promise<string> {
      const serial = await bus.send({ ...message, type: 'call' });
      return until('a reply', () =>
        cut ? 'cut' : replies.has(serial) && `${replies.get(serial)} `,
      ).then((text) => text.trim());
    },
    replies: () => count,
    goDeaf: () => void socket.pause(),
    isCut: () => cut,
    leave: () => void socket.destroy(),
  };
  const dbus = 'org.freedesktop.DBus';
  await bus.refusalOf({
    path: '/org/freedesktop/DBus',
    interface: dbus,
    member: 'Hello',
    destination: dbus,
  });
  return { ...bus, name };
}

function once(socket: Socket, event: string): Promise<unknown> {
  return new Promise((resolve) => socket.once(event, resolve));
}

/** The system asks who connects at the moment of the connect, which Node makes within the call. */
function connectAs(path: string, user: number): Socket {
  if (user === process.geteuid?.()) return connect(path);
  process.seteuid?.(user);
  try {
    return connect(path);
  } finally {
    process.seteuid?.(0);
  }
}

const methodReturn = 2;
const errorReply = 3;

function header({ type, flags = 0, signature = '', ...names }: RawMessage, serial: number): Buffer {
  const fields = [
    field(1, 'o', names.path),
    ...(names.interface === undefined ? [] : [field(2, 's', names.interface)]),
    field(3, 's', names.member),
    ...(names.destination === undefined ? [] : [field(6, 's', names.destination)]),
    ...(signature === '' ? [] : [signatureField(signature)]),
  ];
  const array = fields.reduce((all, one) => Buffer.concat([pad(all), one]), Buffer.alloc(0));
  const fixed = Buffer.alloc(16);
  fixed.write('l', 0, 'latin1');
  fixed[1] = type === 'call' ? 1 : 4;
  fixed[2] = flags;
  fixed[3] = 1;
  fixed.writeUInt32LE(names.body?.length ?? 0, 4);
  fixed.writeUInt32LE(serial, 8);
  fixed.writeUInt32LE(array.length, 12);
  return pad(Buffer.concat([fixed, array]));
}

/** A field begins at a boundary of eight, so its own paddings are known. */
function field(code: number, signature: 'o' | 's', text: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(Buffer.byteLength(text));
  return Buffer.concat([
    Buffer.from([code, 1, signature.charCodeAt(0), 0]),
    length,
    Buffer.from(`${text}\0`),
  ]);
}

function signatureField(text: string): Buffer {
  return Buffer.concat([Buffer.from([8, 1, 0x67, 0, text.length]), Buffer.from(`${text}\0`)]);
}

function pad(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((8 - (bytes.length % 8)) % 8)]);
}

/** Bytes of the message that begins here, 0 while that cannot be told. */
function sizeOf(input: Buffer): number {
  if (input.length < 16) return 0;
  return 16 + Math.ceil(input.readUInt32LE(12) / 8) * 8 + input.readUInt32LE(4);
}

/** To which serial a message replies, and with which error. */
function read(message: Buffer): { type: number; serial: number; error: string } {
  const end = 16 + message.readUInt32LE(12);
  const fields = message.subarray(16, end);
  const found = { type: message[1] ?? 0, serial: 0, error: '' };
  for (let at = 0; at + 8 <= fields.length; at = Math.ceil(at / 8) * 8) {
    const code = fields[at];
    const signature = String.fromCharCode(fields[at + 2] ?? 0);
    if (signature === 'g') {
      at += 4 + 2 + (fields[at + 4] ?? 0);
      continue;
    }
    const number = fields.readUInt32LE(at + 4);
    if (code === 5) found.serial = number;
    if (code === 4) found.error = fields.toString('latin1', at + 8, at + 8 + number);
    at += 8 + (signature === 'u' ? 0 : number + 1);
  }
  return found;
}
