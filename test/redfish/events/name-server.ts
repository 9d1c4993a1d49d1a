import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';

/** What a server of DNS says to a question: addresses, that there is no such name, or nothing at all. */
export type NameAnswer = readonly string[] | 'unknown' | 'failure' | undefined;

export interface NameServer {
  /** As `setServers` takes it. */
  readonly address: string;
  /** `name family`, in the order in which they came. */
  readonly questions: string[];
  close(): Promise<void>;
}

const codes = { unknown: 3, failure: 2 } as const;

/** A server of DNS on loopback (RFC 1035 §4.1) that knows nothing but what `answer` says. */
export async function startNameServer(
  answer: (name: string, family: 4 | 6) => NameAnswer,
): Promise<NameServer> {
  const socket = createSocket('udp4');
  const questions: string[] = [];
  socket.on('message', (message, { port, address }) => {
    const { name, type, end } = questionOf(message);
    const family = type === 28 ? 6 : 4;
    questions.push(`${name} ${family}`);
    const found = answer(name, family);
    if (found === undefined) return;
    const addresses = typeof found === 'string' ? [] : found;
    const header = Buffer.from(message.subarray(0, 12));
    // A response with recursion, to one question, without what the question had besides
    header.writeUInt16BE(0x8180 | (typeof found === 'string' ? codes[found] : 0), 2);
    header.writeUInt16BE(addresses.length, 6);
    header.writeUInt32BE(0, 8);
    const records = addresses.map((one) => record(one, type));
    socket.send(Buffer.concat([header, message.subarray(12, end), ...records]), port, address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${socket.address().port}`,
    questions,
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

function questionOf(message: Buffer) {
  const labels: string[] = [];
  let at = 12;
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.'), type: message.readUInt16BE(at + 1), end: at + 5 };
}

/** The name is a pointer to that of the question; it may be kept for no time. */
function record(address: string, type: number): Buffer {
  const bytes = isIPv6(address)
    ? Buffer.concat([Buffer.alloc(15), Buffer.from([Number(address.replace('::', ''))])])
    : Buffer.from(address.split('.').map(Number));
  const head = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 0, 0, bytes.length]);
  return Buffer.concat([head, bytes]);
}
