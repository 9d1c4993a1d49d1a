import assert from 'node:assert/strict';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { must } from '../e2e/commands.ts';
import {
  clone,
  type RunningStack,
  removeDirectory,
  startStack,
  temporaryDirectory,
} from '../e2e/stack.ts';
import { opensslAuthority } from '../fakes/openssl-authority.ts';
import { runProgram, skipUninstalled } from './programs.ts';

const program = join(clone, 'dist/bmc-certs.js');
const script = (name: string) => join(clone, 'test/validators/netconf', name);

describe('clients of NETCONF in Python', { skip: skipUninstalled }, () => {
  const state = temporaryDirectory();
  const tools = opensslAuthority();
  let stack: RunningStack;
  let port: string;

  const certs = (...args: readonly string[]) =>
    must(process.execPath, [program, '--bus', stack.bus, ...args]);
  const python = async (...args: readonly string[]) => {
    const { status, stdout, stderr } = await runProgram('python', args, { seconds: 300 });
    assert.equal(status, 0, stderr);
    return JSON.parse(stdout);
  };

  before(async () => {
    stack = await startStack(state, ['--with', 'netconf', '--netconf-port', '0']);
    port = / netconf=127\.0\.0\.1:(\d+)$/m.exec(stack.output())?.[1] ?? '';
    const serverCa = tools.issueCa({ subject: '/CN=Server CA' });
    const extensions = ['subjectAltName=DNS:localhost', 'subjectKeyIdentifier=hash'];
    const server = tools.issue({ issuer: serverCa, subject: '/CN=localhost', extensions });
    const clientCa = tools.issueCa({ subject: '/CN=Client CA' });
    const middle = tools.issueCa({ issuer: clientCa, subject: '/CN=Client intermediate' });
    const client = tools.issue({ issuer: middle, subject: '/CN=client' });
    copyFileSync(client.keyPath, join(tools.directory, 'client.key'));
    writeFileSync(join(tools.directory, 'client-chain.pem'), client.pem + middle.pem);
    copyFileSync(serverCa.path, join(tools.directory, 'server-ca.pem'));
    await certs('endpoint', 'add', 'server/one');
    await certs('install', 'server/one', tools.write('server.pem', server.key + server.pem));
    await certs('bind', 'netconf', 'one');
    await certs('endpoint', 'add', 'authority/netconf');
    await certs('trust', 'add', clientCa.path, '--endpoint', 'authority/netconf');
    // So that an answer is longer than what ncclient reads of a record at a time
    for (const at of [1, 2, 3, 4]) {
      const ca = tools.issueCa({ subject: `/CN=CA ${at}` });
      await certs('trust', 'add', ca.path, '--endpoint', 'authority/truststore');
    }
    await certs('netconf', 'add-identity', client.path, 'specified', '--name', 'admin');
  });
  after(async () => {
    await stack?.stop();
    tools.remove();
    removeDirectory(state);
  });

  // ncclient would wait for ever for what is behind its first 4096 bytes of a record, and for data behind the tickets of
  // TLS 1.3 that come after the hello: so it runs several times
  for (const version of ['1.2', '1.3']) {
    it(`reads everything with ncclient over TLS ${version}, whatever the length`, async () => {
      for (let round = 0; round < 5; round += 1) {
        const args = [port, tools.directory, version];
        const found = await python(script('ncclient_session.py'), ...args);
        assert.ok(found.bytes > 4096 && found.largest > 4096, JSON.stringify(found));
        assert.ok(found.modules.includes('ietf-netconf'));
        assert.equal(found.refused, 'operation-not-supported');
      }
    });
  }

  it('reads everything with netconf-client', async () => {
    const found = await python(script('netconf_client_session.py'), port, tools.directory);
    assert.ok(found.bytes > 4096);
  });
});
