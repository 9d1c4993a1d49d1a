import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import {
  dropOversized,
  isOversized,
  type MessageHead,
} from '../../../src/dbus/transport/oversized-messages.ts';

const types = { call: 1, reply: 2, signal: 4 };

describe('a message that is too large', () => {
  const letters = [
    letter('call', ':1.1', 's', 10),
    letter('call', ':1.2', 'aas', 5000),
    letter('signal', ':1.3', 'sa{sv}as', 101),
    letter('call', ':1.4', '', 0),
    letter('reply', ':1.5', 'aas', 9000),
    letter('signal', ':1.9', 'as', 5000),
    letter('call', ':1.6', 'as', 100),
  ];
  const expected = ['s 10', 'dropped', 'dropped', ' 0', 'aas 9000', 'as 5000', 'as 100'];

  for (const size of [1, 7, 16, 100, 4096, 1 << 20]) {
    it(`is thrown away, and no other, when it comes in pieces of ${size} bytes`, async () => {
      const heads: MessageHead[] = [];
      const bytes = Buffer.concat(letters);
      const seen = await readAll(pieces(bytes, size), letters.length, (head) => {
        heads.push(head);
        return head.sender === ':1.9' ? 6000 : 100;
      });
      assert.deepEqual(seen, expected);
      assert.deepEqual(heads[1], { type: 'call', sender: ':1.2', signature: 'aas' });
      assert.equal(heads.length, 6, 'replies are not asked about');
    });
  }

  it('is thrown away whole when its names alone are too large', async () => {
    const bytes = Buffer.concat([
      letter('signal', `:1.${'7'.repeat(70_000)}`, 's', 50),
      ...letters,
    ]);
    const seen = await readAll(pieces(bytes, 5000), letters.length, () => 10_000);
    assert.equal(seen[0], 's 10');
  });

  it('is never kept in memory', async () => {
    const stream = new PassThrough();
    dropOversized(stream, () => 100);
    stream.on('readable', () => void reader(stream)());
    const [large = Buffer.alloc(0)] = [letter('signal', ':1.1', 'ay', 1 << 24)];
    let max = 0;
    for (const piece of pieces(large, 1 << 16)) {
      stream.write(piece);
      await new Promise((resolve) => setImmediate(resolve));
      max = Math.max(max, stream.readableLength + stream.writableLength);
    }
    assert.ok(max < 1 << 18, `${max} bytes`);
  });
});

/** Reads as the library does: 16 bytes, and then what those say. */
function reader(stream: PassThrough, tell: (text: string) => void = () => undefined): () => void {
  let start: Buffer | undefined;
  return () => {
    for (;;) {
      if (!start) {
        start = stream.read(16) ?? undefined;
        if (!start) return;
      }
      const fields = Math.ceil(start.readUInt32LE(12) / 8) * 8;
      const rest: Buffer | null = stream.read(fields + start.readUInt32LE(4));
      if (!rest) return;
      const signature = signatureOf(rest.subarray(0, fields));
      tell(isOversized(start[2] ?? 0) ? 'dropped' : `${signature} ${start.readUInt32LE(4)}`);
      assert.ok(!isOversized(start[2] ?? 0) || signature === '');
      start = undefined;
    }
  };
}

async function readAll(
  parts: Iterable<Buffer>,
  count: number,
  bounds: Parameters<typeof dropOversized>[1],
): Promise<readonly string[]> {
  const stream = new PassThrough();
  const seen: string[] = [];
  dropOversized(stream, bounds);
  stream.on(
    'readable',
    reader(stream, (text) => seen.push(text)),
  );
  for (const part of parts) {
    stream.write(part);
    if (part.length > 1) await new Promise((resolve) => setImmediate(resolve));
  }
  for (let round = 0; seen.length < count && round < 1000; round += 1)
    await new Promise((resolve) => setImmediate(resolve));
  return seen;
}

function signatureOf(fields: Buffer): string {
  const at = fields.indexOf(Buffer.from([8, 1, 0x67, 0]));
  return at < 0 ? '' : fields.toString('latin1', at + 5, fields.indexOf(0, at + 5));
}

function* pieces(bytes: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

function letter(
  type: keyof typeof types,
  sender: string,
  signature: string,
  bodyBytes: number,
): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(sender.length);
  const from = pad(
    Buffer.concat([Buffer.from([7, 1, 0x73, 0]), length, Buffer.from(`${sender}\0`)]),
  );
  const kind = Buffer.concat([
    Buffer.from([8, 1, 0x67, 0, signature.length]),
    Buffer.from(`${signature}\0`),
  ]);
  const fields = signature === '' ? from : Buffer.concat([from, kind]);
  const start = Buffer.alloc(16);
  start.write('l', 0, 'latin1');
  start[1] = types[type];
  start[3] = 1;
  start.writeUInt32LE(bodyBytes, 4);
  start.writeUInt32LE(fields.length, 12);
  return Buffer.concat([start, pad(fields), Buffer.alloc(bodyBytes, 0x2a)]);
}

function pad(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((8 - (bytes.length % 8)) % 8)]);
}
