import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { nothingReplaces } from '../../fakes/moody-disk.ts';
import { opensslAuthority } from '../../fakes/openssl-authority.ts';
import { refusal } from '../../fakes/refusal.ts';
import { mark, pairOf } from '../../fakes/replacement-device.ts';
import { RunTimeDevice, server } from '../../fakes/run-time-device.ts';

const tools = opensslAuthority();
const ca = tools.issueCa({ subject: '/CN=CA' });
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
