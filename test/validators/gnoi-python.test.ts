import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { clone } from '../e2e/stack.ts';
import type { Issued } from '../fakes/openssl-authority.ts';
import { serverExtensions, startWorld, type World } from '../gnoi/world.ts';
import { runProgram, skipWithout } from './programs.ts';

const script = join(clone, 'test', 'validators', 'gnoi', 'operations.py');
const id = 'gnoi-server1';

let world: World;
let ca: Issued;
let protos: string;

async function python(args: readonly string[], password = 'right password') {
  const env = { GNOI_PROTOS: protos, GNOI_PASSWORD: password };
  const { stdout, stderr } = await runProgram('python', args, { env, seconds: 300 });
  return stdout + stderr.trimEnd().split('\n').at(-1);
}

async function operate(operation: string, style: string, password?: string): Promise<string> {
  const isMutual = world.service.authentication().mode !== 'none';
  const own = world.tools.write('own.pem', world.ownCertificate);
  const isBound = world.endpoints.bindings().length > 0;
  const extensions = serverExtensions;
  const client = world.tools.issue({ issuer: ca, subject: '/CN=client', extensions });
  const shown = isMutual ? [client.keyPath, client.path] : ['', ''];
  const trusted = isBound ? ca.path : own;
  const address = `localhost:${world.service.port}`;
  const all = [script, operation, style, address, id, trusted, ...shown, ca.path, ca.keyPath];
  return python(all, password);
}

describe('a client of gNOI in Python', { skip: skipWithout('python-grpc-tools-protoc') }, () => {
  const start = async (streams: 'strict' | 'junos') => {
    world = await startWorld({ streams });
    ca = world.tools.issueCa();
    protos = join(world.tools.directory, 'protos');
    mkdirSync(protos);
    const out = [`--python_out=${protos}`, `--grpc_python_out=${protos}`];
    const sources = ['cert.proto', 'system.proto'].map((name) => `schemas/gnoi/${name}`);
    const outcome = await python(['-m', 'grpc_tools.protoc', '-Ischemas/gnoi', ...out, ...sources]);
    assert.equal(outcome, '');
  };
  beforeEach(() => start('junos'));
  afterEach(() => world.close());

  for (const style of ['whole', 'steps']) {
    it(`installs, and rotates after the service was bound (${style})`, async () => {
      assert.equal(await operate('install', style), 'install done\n');
      await world.endpoints.bind('gnoi', { type: 'server', name: id });
      assert.equal(await operate('rotate', style), 'rotate done\n');
      assert.equal(world.service.authentication().mode, 'require-and-verify');
      assert.deepEqual(world.endpoints.open, []);
      assert.equal(world.endpoints.waiting, 0);
    });
  }

  it('is told of an id that is there when the certificate comes', async () => {
    await operate('install', 'steps');
    assert.match(await operate('install', 'steps'), /^install ALREADY_EXISTS: .*gnoi-server1/);
  });

  it('is told in a strict stream when it asks for the CSR', async () => {
    await world.close();
    await start('strict');
    assert.equal(await operate('install', 'whole'), 'install done\n');
    assert.match(await operate('install', 'whole'), /^install ALREADY_EXISTS: .*gnoi-server1/);
    assert.match(await operate('rotate', 'steps'), /^rotate ABORTED: the stream ended/);
  });

  it('with a wrong password is UNAUTHENTICATED', async () => {
    assert.match(await operate('install', 'whole', 'wrong'), /^install UNAUTHENTICATED: /);
  });
});
