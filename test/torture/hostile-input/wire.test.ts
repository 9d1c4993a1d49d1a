import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { certificateObject } from '../../../src/dbus/certs/certificate-object.ts';
import { ObjectServer } from '../../../src/dbus/server/object-server.ts';
import { CredentialEndpoint } from '../../../src/manager/credential/credential-endpoint.ts';
import { usualLimits } from '../../../src/x509/limits.ts';
import { makeWorld } from '../../fakes/manager-world.ts';
import { openQuickly } from '../../fakes/opened-content.ts';
import { wireMessage } from '../../fakes/raw-bus.ts';
import { campaign } from './campaign.ts';
import { connectFakeBus, type FakeBus } from './fake-bus.ts';
import { textMutators } from './mutate-text.ts';
import { byteMutators } from './mutation.ts';

const path = '/xyz/openbmc_project/certs/server/https/1';
const properties = 'org.freedesktop.DBus.Properties';
const call = { type: 1, serial: 2, path, sender: ':1.9', destination: ':1.7' };
const corpus = [
  { ...call, interface: properties, member: 'GetAll', signature: 's', body: [''] },
  { ...call, interface: properties, member: 'Get', signature: 'ss', body: ['a.b', 'c'] },
  { ...call, interface: properties, member: 'Set', signature: 'ssu', body: ['a.b', 'c', 7] },
  { ...call, interface: 'org.freedesktop.DBus.Introspectable', member: 'Introspect' },
  { ...call, interface: 'org.freedesktop.DBus.ObjectManager', member: 'GetManagedObjects' },
  { ...call, member: 'Replace', signature: 's', body: ['/etc/hostname'] },
  {
    ...{ ...call, interface: 'xyz.openbmc_project.Certs.Extension.Replace', member: 'Replace' },
    ...{ signature: 'ayss', body: [Buffer.from('x'.repeat(40)), 'DER', ''] },
  },
  {
    ...call,
    type: 4,
    interface: properties,
    member: 'PropertiesChanged',
    signature: 'sas',
    body: ['a', []],
  },
  { ...call, type: 2, replySerial: 5, signature: 'as', body: [['a', 'b']] },
  { ...call, type: 3, replySerial: 6, errorName: 'a.b', signature: 's', body: ['no'] },
].map(wireMessage);

const farewell = {
  type: 4,
  serial: 9,
  path: '/',
  interface: 'a.b',
  member: 'Seen',
  sender: ':1.9',
};
const marker = wireMessage(farewell);

it('no message on the wire ends the manager, or keeps it from reading the next one', async (t) => {
  const world = makeWorld();
  const directory = mkdtempSync(join(tmpdir(), 'hostile-wire-'));
  const definition = {
    type: 'server',
    name: 'https',
    path: `${world.directory}/s.pem`,
    reload: [],
  } as const;
  const endpoint = new CredentialEndpoint(definition, world.dependencies);
  await endpoint.start();
  const [installed] = endpoint.list();
  assert.ok(installed);
  const root = path.slice(0, -2);
  let fake: FakeBus | undefined;
  let connections = 0;
  let seen = () => {};
  let isLost = false;
  const failures: unknown[] = [];
  const connect = async () => {
    const made = await connectFakeBus(join(directory, String(++connections)));
    const authorize = async () => 0;
    const server = new ObjectServer({
      ...{ bus: made.bus, root, authorize },
      follow: (_call, _method, work) => work(),
      report(_call, error) {
        // A real bus says itself who the sender is, and passes on no NUL
        const isOfFake = /^Error: (Invalid bus name|String contains null byte)/.test(String(error));
        if (!isOfFake) failures.push(error);
      },
    });
    const uploads = { uploadBytes: 100, content: usualLimits };
    const published = {
      endpoint,
      uploads,
      openContent: openQuickly,
      expiryThresholds: [],
      now: () => 0,
    };
    server.add(path, certificateObject(published, installed));
    made.bus.onLost(() => {
      if (fake === made) isLost = true;
    });
    made.bus.onSignal(({ member }) => member === 'Seen' && seen());
    return made;
  };
  t.after(() => {
    fake?.close();
    endpoint.stop();
    world.remove();
    rmSync(directory, { recursive: true });
  });

  await campaign({
    name: 'wire of the bus',
    corpus,
    mutators: [...byteMutators, ...textMutators],
    async attempt(input) {
      if (input.length < 24) return 'nothing';
      fake ??= await connect();
      const { send } = fake;
      const isRead = new Promise<boolean>((resolve) => {
        seen = () => resolve(true);
        send(Buffer.concat([framed(input), marker]));
        // Only lengths that are wrong can swallow what follows them
        if (hasWrongLengths(input)) setTimeout(resolve, 20, false);
      });
      const wasRead = await isRead;
      const wasLost = isLost;
      isLost = false;
      assert.ok(!wasLost || hasWrongLengths(input), 'the connection is given up for a message');
      if (wasLost || !wasRead) {
        fake.close();
        fake = undefined;
      }
      const [failure] = failures.splice(0);
      if (failure !== undefined) throw failure;
      return `${input[1]} ${wasRead}`;
    },
  });
});

/** One in a hundred goes out with the lengths that it has. */
function hasWrongLengths({ length }: Buffer): boolean {
  return length % 100 === 0;
}

/** The message with lengths that fit, so that the reader gets to its content. */
function framed(input: Buffer): Buffer {
  if (hasWrongLengths(input)) return input;
  const fields = Math.min(input.readUInt32LE(12), input.length - 16);
  const end = 16 + Math.ceil(fields / 8) * 8;
  const message = Buffer.concat([input, Buffer.alloc(Math.max(0, end - input.length))]);
  message.writeUInt32LE(fields, 12);
  message.writeUInt32LE(message.length - end, 4);
  // Big-endian for any other letter, and then the lengths would be others
  message[0] = 0x6c;
  return message;
}
