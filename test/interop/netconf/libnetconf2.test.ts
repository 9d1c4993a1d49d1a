import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { createServer, type Server } from 'node:tls';
import { modules } from '../../../src/netconf/models/modules.ts';
import { runSession } from '../../../src/netconf/session/session.ts';
import type { MemoryClient } from '../../fakes/memory-client.ts';
import type { MemoryEndpoints } from '../../fakes/memory-endpoints.ts';
import { opensslAuthority } from '../../fakes/openssl-authority.ts';
import { server as serverEndpoint } from '../../fakes/run-time-device.ts';
import { bag, bags, certificate, cms } from '../../netconf/messages.ts';
import {
  type DatastoreWorld,
  identityOf,
  memoryDatastore,
  messageLimits,
} from '../../netconf/world.ts';
import { runProgram, skipWithout } from '../../validators/programs.ts';

describe('libnetconf2', { skip: skipWithout('libnetconf2-client') }, () => {
  const tools = opensslAuthority();
  let world: DatastoreWorld<MemoryEndpoints, MemoryClient>;
  let server: Server;
  let answers: ReadonlyMap<string, string>;
  let output: string;

  before(async () => {
    const ca = tools.issueCa({ subject: '/CN=CA' });
    const own = tools.issue({
      ...{ issuer: ca, subject: '/CN=localhost' },
      extensions: ['subjectAltName=DNS:localhost'],
    });
    const client = tools.issue({ issuer: ca, subject: '/CN=client' });
    world = memoryDatastore();
    world.certificates.put(serverEndpoint('https'), '1', own.pem);
    await world
      .client()
      .edit(
        bags(bag('web', `<description>d</description>${certificate('ca', cms(ca.certificate))}`)),
      );
    server = createServer({ key: own.key, cert: own.pem, ca: ca.pem, requestCert: true });
    server.on('secureConnection', (stream) => {
      const session = world.sessions.open({ userName: 'admin', address: '127.0.0.1' });
      void runSession({
        ...{ stream, session, sessions: world.sessions },
        current: async () => identityOf('admin', 'Administrator'),
        capabilities: world.datastore.capabilities,
        operations: world.datastore.operations,
        limits: {
          message: messageLimits,
          ...{ helloMilliseconds: 60_000, idleMilliseconds: 0, closeMilliseconds: 10_000 },
        },
        lenientInteractive: false,
        log: { debug() {}, info() {}, warn() {}, error() {} },
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const args = [String(port), client.path, client.keyPath, ca.path];
    const { stdout, stderr } = await runProgram('libnetconf2-client', args);
    output = stdout + stderr;
    const lines = stdout.split('\n').map((line) => line.split(/: (.*)/s));
    answers = new Map(lines.map(([name = '', answer = '']) => [name, answer]));
  });
  after(() => {
    server?.close();
    world?.close();
    tools.remove();
  });

  const answer = (name: string) => answers.get(name) ?? assert.fail(output);

  it('fetches the modules that are announced, and finds no fault in them', () => {
    // That of monitoring it has itself, to fetch the others
    const fetched = modules.filter(
      ({ name, features }) => features && name !== 'ietf-netconf-monitoring',
    );
    for (const { name } of fetched)
      assert.ok(output.includes(`Retrieving data for schema "${name}"`), output);
    // What libyang has in itself is not here
    const faults = output.split('\n').filter((line) => /^[01] /.test(line));
    assert.deepEqual(faults, ['0 Failed to receive a reply to <get-schema>.'], output);
  });

  it('reads the configuration and the state by them', () => {
    assert.match(answer('get-config'), /<name>https<\/name>.*<name>web<\/name><description>d</);
    for (const part of ['<name>web</name>', '<netconf-state', '<session-id>'])
      assert.ok(answer('get').includes(part), answer('get'));
  });

  it('locks, edits, filters and unlocks', () => {
    for (const name of ['lock', 'create', 'unlock']) assert.match(answer(name), /<ok\/>/);
    assert.match(answer('create again'), /<error-tag>data-exists<\/error-tag>/);
    assert.match(answer('filtered'), /<certificate-bag><name>new<\/name><\/certificate-bag>/);
  });
});
