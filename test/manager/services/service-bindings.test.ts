import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { noAuthority } from '../../../src/manager/services/no-authority.ts';
import { nothingReplaces } from '../../fakes/moody-disk.ts';
import { opensslAuthority } from '../../fakes/openssl-authority.ts';
import { refusal } from '../../fakes/refusal.ts';
import { mark, pairOf } from '../../fakes/replacement-device.ts';
import { authority, RunTimeDevice, server } from '../../fakes/run-time-device.ts';

const tools = opensslAuthority();
const ca = tools.issueCa({ subject: '/CN=CA' });
const other = tools.issueCa({ subject: '/CN=other CA' });
const leaf = tools.issue({ issuer: ca, subject: '/CN=leaf' });
const next = tools.issue({ issuer: ca, subject: '/CN=next' });
after(() => tools.remove());
const owner = ':1.7';
const group = process.getgid?.() ?? 0;

describe('the file of a service', () => {
  let device: RunTimeDevice;
  beforeEach(async () => {
    device = await RunTimeDevice.open([
      { name: 'gnoi', group, reload: [{ unit: 'gnoi.service' }] },
      { name: 'telemetry', reload: [], endpoint: { type: 'server', name: 'a' } },
    ]);
  });
  afterEach(() => device.close());

  const textOf = (service: string) => {
    const path = device.serviceFile(service);
    return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
  };
  const put = async (name: string, create: boolean, content: string) => {
    const parts = [{ ...server(name), create, content }];
    const replacement = await device.endpoints.stage(owner, parts, 0);
    await device.replacements.activate(owner, replacement);
    return replacement;
  };
  const install = async (name: string, one = leaf) =>
    device.replacements.commit(owner, await put(name, true, pairOf(one)));
  const bind = (name: string) => device.bindings.bind('gnoi', { type: 'server', name });

  it('is that of the endpoint to which the configuration binds it, from its creation on', async () => {
    assert.equal(textOf('telemetry'), undefined);
    await install('a');
    assert.equal(textOf('telemetry'), pairOf(leaf));
    assert.deepEqual(device.bindings.list(), [
      { service: 'telemetry', endpoint: { type: 'server', name: 'a' }, origin: 'configuration' },
    ]);
  });

  it('is readable for its group alone', async () => {
    await install('a');
    await bind('a');
    const { mode, gid } = statSync(device.serviceFile('gnoi'));
    assert.deepEqual([mode & 0o777, gid], [0o640, group]);
    assert.equal(statSync(device.serviceFile('telemetry')).mode & 0o777, 0o600);
  });

  it('follows what it is bound to at run time, also after a restart', async () => {
    await install('a');
    await install('b', next);
    await bind('a');
    assert.equal(textOf('gnoi'), pairOf(leaf));
    assert.deepEqual(device.world.reloads.slice(-1), ['{"unit":"gnoi.service"}']);
    await bind('b');
    assert.equal(textOf('gnoi'), pairOf(next));
    await device.restart();
    await device.endpoints.find(server('b'))?.replace('1', pairOf(leaf));
    assert.equal(textOf('gnoi'), pairOf(leaf));
    await device.bindings.unbind('gnoi');
    assert.equal(textOf('gnoi'), undefined);
  });

  it('is again what the configuration says when it is unbound', async () => {
    await install('a');
    await install('b', next);
    await device.bindings.bind('telemetry', { type: 'server', name: 'b' });
    assert.equal(textOf('telemetry'), pairOf(next));
    assert.equal(device.bindings.list()[0]?.origin, 'run time');
    await device.bindings.unbind('telemetry');
    assert.equal(textOf('telemetry'), pairOf(leaf));
  });

  it('is only that of a service which the configuration declares', async () => {
    await assert.rejects(
      device.bindings.bind('other', { type: 'server', name: 'a' }),
      refusal('not-found', /other/),
    );
  });

  it('goes with the certificate, and with the endpoint', async () => {
    await install('a');
    await bind('a');
    await device.endpoints.find(server('a'))?.deleteAll();
    assert.deepEqual([textOf('gnoi'), textOf('telemetry')], [undefined, undefined]);
    await device.endpoints.find(server('a'))?.install(pairOf(leaf));
    assert.equal(textOf('gnoi'), pairOf(leaf));
    await device.endpoints.remove(server('a'));
    await device.bindings.settle();
    assert.deepEqual([textOf('gnoi'), textOf('telemetry')], [undefined, undefined]);
  });

  it('is what it was when a replacement is undone', async () => {
    await install('a');
    const replacement = await put('a', false, pairOf(next));
    assert.equal(textOf('telemetry'), pairOf(next));
    await device.replacements.rollback(owner, replacement);
    assert.equal(textOf('telemetry'), pairOf(leaf));
  });

  it('is what it was after a restart in the middle of a replacement', async () => {
    await install('a');
    await put('a', false, pairOf(next));
    await device.restart();
    assert.equal(textOf('telemetry'), pairOf(leaf));
  });

  it('is put right after the start when another program changed it', async () => {
    await install('a');
    writeFileSync(device.serviceFile('telemetry'), 'something else');
    await device.restart();
    assert.equal(textOf('telemetry'), pairOf(leaf));
  });

  it('keeps its endpoint from a change that it cannot follow', async () => {
    await install('a');
    await bind('a');
    const back = nothingReplaces(device.serviceFile('telemetry'));
    try {
      const endpoint = device.endpoints.find(server('a'));
      await assert.rejects(async () => endpoint?.replace('1', pairOf(next)), refusal('storage'));
    } finally {
      back();
    }
    assert.deepEqual(device.served(server('a')), [mark(leaf.pem)]);
    for (const service of ['gnoi', 'telemetry']) assert.equal(textOf(service), pairOf(leaf));
  });

  it('is what it was when its endpoint cannot be written', async () => {
    await install('a');
    const back = nothingReplaces(device.file(server('a')));
    try {
      const endpoint = device.endpoints.find(server('a'));
      await assert.rejects(async () => endpoint?.replace('1', pairOf(next)), refusal('storage'));
    } finally {
      back();
    }
    assert.equal(textOf('telemetry'), pairOf(leaf));
  });

  it('stays what it is bound to when the new binding cannot be written', async () => {
    await install('a');
    await install('b', next);
    await bind('a');
    mkdirSync(dirname(device.serviceFile('gnoi')), { recursive: true });
    const back = nothingReplaces(device.serviceFile('gnoi'));
    try {
      await assert.rejects(bind('b'), refusal('storage'));
    } finally {
      back();
    }
    assert.equal(textOf('gnoi'), pairOf(leaf));
    assert.equal(device.bindings.list()[0]?.endpoint.name, 'a');
  });

  it('gets its rights back when another program changed them', async () => {
    await install('a');
    chmodSync(device.serviceFile('telemetry'), 0o644);
    await device.bindings.settle();
    assert.equal(statSync(device.serviceFile('telemetry')).mode & 0o777, 0o600);
  });
});

describe('the file of a service that reads CAs', () => {
  let device: RunTimeDevice;
  beforeEach(async () => {
    device = await RunTimeDevice.open([
      { name: 'gnoi', reload: [] },
      { name: 'nginx', reload: [{ unit: 'nginx.service' }], endpoint: authority('group') },
    ]);
  });
  afterEach(() => device.close());

  const text = () => readFileSync(device.serviceFile('nginx'), 'utf8');
  const load = async (name: string, create: boolean, ...cas: readonly { pem: string }[]) => {
    const content = cas.map(({ pem }) => pem).join('');
    const parts = [{ ...authority(name), create, content }];
    const replacement = await device.endpoints.stage(owner, parts, 0);
    await device.replacements.activate(owner, replacement);
    return replacement;
  };
  const keep = (replacement: string) => device.replacements.commit(owner, replacement);

  it('has the CAs of the authority, and follows each change', async () => {
    await keep(await load('group', true, ca, other));
    assert.equal(text(), ca.pem + other.pem);
    await keep(await load('group', false, other));
    assert.equal(text(), other.pem);
    const replacement = await load('group', false, ca);
    assert.equal(text(), ca.pem);
    await device.replacements.rollback(owner, replacement);
    assert.equal(text(), other.pem);
  });

  it('trusts nobody while the authority is not there, has no CA, or is removed', async () => {
    assert.equal(text(), noAuthority);
    await keep(await load('group', true, ca));
    await device.endpoints.find(authority('group'))?.deleteAll();
    assert.equal(text(), noAuthority);
    await device.endpoints.find(authority('group'))?.install(ca.pem);
    assert.equal(text(), ca.pem);
    await device.endpoints.remove(authority('group'));
    await device.bindings.settle();
    assert.equal(text(), noAuthority);
    assert.deepEqual(device.world.reloads.slice(-1), ['{"unit":"nginx.service"}']);
  });

  it('is what it was after a restart in the middle of a replacement', async () => {
    await keep(await load('group', true, ca));
    await load('group', false, other);
    assert.equal(text(), other.pem);
    await device.restart();
    assert.equal(text(), ca.pem);
  });

  it('keeps the authority from a change that it cannot follow', async () => {
    await keep(await load('group', true, ca));
    const back = nothingReplaces(device.serviceFile('nginx'));
    try {
      await assert.rejects(load('group', false, other), refusal('storage'));
    } finally {
      back();
    }
    assert.deepEqual([text(), device.served(authority('group'))], [ca.pem, [mark(ca.pem)]]);
  });

  it('has those of another authority when it is bound to it, until it is unbound', async () => {
    await keep(await load('group', true, ca));
    await keep(await load('others', true, other));
    await device.bindings.bind('nginx', authority('others'));
    assert.equal(text(), other.pem);
    await device.restart();
    assert.equal(text(), other.pem);
    await device.bindings.unbind('nginx');
    assert.equal(text(), ca.pem);
  });

  it('is never a key, as that of another service is never CAs', async () => {
    const { bindings } = device;
    const wrong = refusal('wrong-endpoint-type', /nginx reads CAs|gnoi reads a key/);
    await assert.rejects(bindings.bind('nginx', server('a')), wrong);
    await assert.rejects(bindings.bind('gnoi', authority('group')), wrong);
  });
});

describe('the CA in place of none', () => {
  it('has a key that nobody has: its point comes from the hash of a text', () => {
    const { x } = new X509Certificate(noAuthority).publicKey.export({ format: 'jwk' });
    const hash = createHash('sha256').update('Nobody has the key of this CA 0').digest('base64url');
    assert.equal(x, hash);
  });

  it('verifies not even itself for OpenSSL, which takes it as a CA', () => {
    const file = join(tools.directory, 'none.pem');
    writeFileSync(file, noAuthority);
    const { status, stderr } = spawnSync('openssl', ['verify', '-CAfile', file, file]);
    assert.equal(status, 2);
    assert.match(String(stderr), /certificate has expired/);
  });
});
