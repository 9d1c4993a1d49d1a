import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import { connect, createServer } from 'node:tls';
import { makePair } from '../../fakes/credentials.ts';
import { clientOn, hello, rpc, sessionWorld, type World } from './session-world.ts';

const credential = makePair('bmc.example.com');

/** A server whose sessions go over TLS. */
async function tlsWorld(t: TestContext): Promise<World & { readonly port: number }> {
  const world = await sessionWorld(t, { lenientInteractive: true });
  const server = createServer({ key: credential, cert: credential }, (socket) => {
    t.after(() => socket.destroy());
    void world.run(socket);
  });
  t.after(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server is not there');
  return { ...world, port: address.port };
}

const versions = [
  ['TLS 1.2', '-tls1_2', 'TLSv1.2'],
  ['TLS 1.3', '-tls1_3', 'TLSv1.3'],
] as const;

describe('a session over TLS', () => {
  for (const [what, option, version] of versions) {
    it(`ends with close_notify, and the client of OpenSSL with it (${what})`, async (t) => {
      const { port } = await tlsWorld(t);
      const args = ['s_client', '-quiet', '-msg', option, '-connect', `127.0.0.1:${port}`];
      const client = spawn('openssl', args, { stdio: ['pipe', 'pipe', 'pipe'] });
      t.after(() => client.kill());
      const output = text(client.stdout);
      const faults = text(client.stderr);
      client.stdin.end('<rpc><close-session/></rpc>\n');
      const [status] = await once(client, 'close');
      const seen = await output;
      assert.match(seen, /<ok\/>/);
      assert.match(seen, /<<< TLS 1\.[23], Alert[^\n]*close_notify/);
      assert.equal(status, 0, await faults);
    });

    it(`answers what was asked before the client ended its side (${what})`, async (t) => {
      const { port, ends } = await tlsWorld(t);
      const tls = { rejectUnauthorized: false, minVersion: version, maxVersion: version };
      const socket = connect({ ...tls, port, host: '127.0.0.1' });
      socket.allowHalfOpen = true;
      t.after(() => socket.destroy());
      socket.end(`${hello('1.0')}${rpc(1, '<no/>')}]]>]]>${rpc(2, '<no/>')}]]>]]>`);
      assert.match(
        await clientOn(socket).rest(),
        /message-id="1".*message-id="2".*<\/rpc-reply>]]>]]>$/s,
      );
      assert.deepEqual(
        ends.map(({ reason }) => reason),
        ['dropped'],
      );
    });
  }
});
