import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { isEndpointId } from '../../../src/manager/run-time/endpoint-id.ts';
import type { RunTimeEndpoints } from '../../../src/manager/run-time/run-time-endpoints.ts';
import { modificationTime } from '../../../src/storage/modification-time.ts';
import { csrParameters, snapshot } from '../../fakes/manager-world.ts';
import { opensslAuthority } from '../../fakes/openssl-authority.ts';
import { refusal } from '../../fakes/refusal.ts';
import { mark, pairOf } from '../../fakes/replacement-device.ts';
import { authority, client, RunTimeDevice, server } from '../../fakes/run-time-device.ts';

const tools = opensslAuthority();
const ca = tools.issueCa({ subject: '/CN=CA' });
const leaf = tools.issue({ issuer: ca, subject: '/CN=leaf' });
const next = tools.issue({ issuer: ca, subject: '/CN=next' });
after(() => tools.remove());
const owner = ':1.7';

describe('the endpoints of run time', () => {
  let device: RunTimeDevice;
  beforeEach(async () => {
    device = await RunTimeDevice.open();
  });
  afterEach(() => device.close());

  const stage = (create = true) =>
    device.endpoints.stage(
      owner,
      [
        { ...server('gnoi-1'), create, content: pairOf(create ? leaf : next) },
        { ...authority('gnoi-ca-bundle'), create, content: ca.pem },
      ],
      0,
    );
  const stageRemoval = () =>
    device.endpoints.stage(
      owner,
      [
        { ...server('gnoi-1'), create: false, content: undefined, remove: true },
        { ...authority('gnoi-ca-bundle'), create: false, content: undefined, remove: true },
      ],
      0,
    );
  const install = async () => {
    const replacement = await stage();
    await device.replacements.activate(owner, replacement);
    await device.replacements.commit(owner, replacement);
  };

  it('come empty, without a generated certificate, and stay over a restart', async () => {
    for (const key of [server('a'), client('b.c'), authority('D_e-f')])
      await device.endpoints.add(key);
    for (const restart of [false, true]) {
      if (restart) await device.restart();
      await device.endpoints.maintain();
      assert.deepEqual(device.names(), ['server/a', 'client/b.c', 'authority/D_e-f']);
      assert.deepEqual(device.served(server('a')), []);
    }
    assert.deepEqual(device.events, [
      'added server/a',
      'added client/b.c',
      'added authority/D_e-f',
    ]);
  });

  it('are not there twice', async () => {
    await device.endpoints.add(server('a'));
    await assert.rejects(device.endpoints.add(server('a')), refusal('already-installed'));
    await device.endpoints.add(client('a'));
  });

  it('are no more than the limit, those that only have keys included', async () => {
    device.maxEndpoints = 2;
    await device.endpoints.add(server('a'));
    await device.endpoints.generate(server('b'), csrParameters());
    await assert.rejects(device.endpoints.add(server('c')), refusal('limit-reached'));
    await device.endpoints.remove(server('a'));
    await device.endpoints.add(server('c'));
  });

  it('have ids that are names of files', async () => {
    for (const id of ['', '.', '..', '.hidden', 'a/b', 'ä', 'a b', 'a'.repeat(65), 'a\n'])
      await assert.rejects(device.endpoints.add(server(id)), refusal('argument-invalid', /^Id/));
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const isId = /^[A-Za-z0-9._-]{1,64}$/.test(text) && !text.includes('\n');
        assert.equal(isEndpointId(text), isId && !text.startsWith('.'));
      }),
    );
  });

  it('go with all of their files and keys', async () => {
    const before = snapshot(device.directory);
    await install();
    await device.endpoints.generate(server('gnoi-1'), csrParameters());
    await device.endpoints.remove(server('gnoi-1'));
    await device.endpoints.remove(authority('gnoi-ca-bundle'));
    assert.deepEqual(device.names(), []);
    assert.deepEqual(snapshot(device.directory), before);
    await assert.rejects(device.endpoints.remove(server('gnoi-1')), refusal('not-found'));
  });

  it('go in a replacement with all of their files and keys', async () => {
    const before = snapshot(device.directory);
    await install();
    await device.endpoints.generate(server('gnoi-1'), csrParameters());
    const replacement = await stageRemoval();
    await device.replacements.activate(owner, replacement);
    assert.deepEqual(device.names(), []);
    await device.replacements.commit(owner, replacement);
    // In turn behind what is left to be done
    await assert.rejects(device.endpoints.remove(server('gnoi-1')), refusal('not-found'));
    await assert.rejects(
      device.endpoints.remove(authority('gnoi-ca-bundle')),
      refusal('not-found'),
    );
    await device.endpoints.maintain();
    assert.deepEqual(snapshot(device.directory), before);
    await device.restart();
    assert.deepEqual(device.names(), []);
    await install();
  });

  it('stay empty where a replacement takes their certificates alone', async () => {
    await install();
    const none = { create: false, content: undefined };
    const parts = [
      { ...server('gnoi-1'), ...none },
      { ...authority('gnoi-ca-bundle'), ...none },
    ];
    const replacement = await device.endpoints.stage(owner, parts, 0);
    await device.replacements.activate(owner, replacement);
    await device.replacements.commit(owner, replacement);
    for (const restart of [false, true]) {
      if (restart) await device.restart();
      assert.deepEqual(device.names().sort(), ['authority/gnoi-ca-bundle', 'server/gnoi-1']);
      assert.deepEqual(device.served(server('gnoi-1')), []);
      assert.deepEqual(device.served(authority('gnoi-ca-bundle')), []);
    }
  });

  it('come with their certificate and its bundle at once', async () => {
    const replacement = await stage();
    assert.deepEqual(device.names(), []);
    assert.deepEqual(device.events, []);
    await device.replacements.activate(owner, replacement);
    assert.deepEqual(device.names().sort(), ['authority/gnoi-ca-bundle', 'server/gnoi-1']);
    await device.replacements.commit(owner, replacement);
    await device.restart();
    assert.deepEqual(device.served(server('gnoi-1')), [mark(leaf.pem)]);
    assert.deepEqual(device.served(authority('gnoi-ca-bundle')), [mark(ca.pem)]);
  });

  const endings: readonly [string, (replacement: string) => Promise<void>][] = [
    ['its owner asks for it', (replacement) => device.replacements.rollback(owner, replacement)],
    ['its owner leaves', () => device.replacements.ownerLeft(owner)],
    ['the manager ends in order', () => device.replacements.stop()],
    ['the manager starts after it was killed', () => device.restart()],
  ];
  for (const [when, end] of endings) {
    for (const active of [true, false]) {
      const what = active ? 'active' : 'staged';
      it(`leave nothing of a creation that is ${what} when ${when}`, async () => {
        const replacement = await stage();
        if (active) await device.replacements.activate(owner, replacement);
        await end(replacement);
        assert.deepEqual(device.names(), []);
        await device.restart();
        assert.deepEqual(device.names(), []);
        for (const key of [server('gnoi-1'), authority('gnoi-ca-bundle')])
          assert.ok(!existsSync(device.file(key)));
        await install();
      });
    }

    for (const active of [true, false]) {
      const what = active ? 'active' : 'staged';
      it(`have what they had before a removal that is ${what} when ${when}`, async () => {
        await install();
        const { id } = await device.endpoints.generate(server('gnoi-1'), csrParameters());
        const before = snapshot(device.directory);
        const replacement = await stageRemoval();
        if (active) {
          await device.replacements.activate(owner, replacement);
          assert.deepEqual(device.names(), []);
        }
        await end(replacement);
        for (const restart of [false, true]) {
          if (restart) await device.restart();
          assert.deepEqual(device.names().sort(), ['authority/gnoi-ca-bundle', 'server/gnoi-1']);
          assert.deepEqual(device.served(server('gnoi-1')), [mark(leaf.pem)]);
          assert.deepEqual(device.served(authority('gnoi-ca-bundle')), [mark(ca.pem)]);
        }
        const [waiting] =
          (await device.endpoints.find(server('gnoi-1'))?.requests.outstanding()) ?? [];
        assert.equal(waiting?.id, id);
        const presence = (files: object) => Object.keys(files).filter((one) => /present/.test(one));
        assert.deepEqual(presence(snapshot(device.directory)), presence(before));
      });
    }

    it(`have what they had before a replacement that is active when ${when}`, async () => {
      await install();
      const written = modificationTime(device.file(server('gnoi-1')));
      const replacement = await stage(false);
      await device.replacements.activate(owner, replacement);
      assert.deepEqual(device.served(server('gnoi-1')), [mark(next.pem)]);
      assert.ok(modificationTime(device.file(server('gnoi-1'))) > written);
      await end(replacement);
      assert.equal(modificationTime(device.file(server('gnoi-1'))), written);
      assert.deepEqual(device.served(server('gnoi-1')), [mark(leaf.pem)]);
      assert.equal(readFileSync(device.file(server('gnoi-1')), 'utf8'), pairOf(leaf));
    });
  }

  it('are told in order when a creation is undone', async () => {
    const replacement = await stage();
    await device.replacements.activate(owner, replacement);
    await device.replacements.rollback(owner, replacement);
    assert.deepEqual(device.events, [
      'added authority/gnoi-ca-bundle',
      'added server/gnoi-1',
      'removed server/gnoi-1',
      'removed authority/gnoi-ca-bundle',
    ]);
  });

  it('are created where they are not, and changed where they are', async () => {
    await assert.rejects(stage(false), refusal('not-found'));
    await install();
    await assert.rejects(stage(true), refusal('already-installed'));
    await stage(false);
  });

  it('leave nothing of parts that are refused', async () => {
    const bad = [
      { ...server('a'), create: true, content: pairOf(leaf) },
      { ...authority('b'), create: true, content: leaf.pem },
    ];
    await assert.rejects(device.endpoints.stage(owner, bad, 0), refusal('not-a-ca'));
    await device.endpoints.add(server('a'));
  });

  it('keep others out while they are replaced', async () => {
    const replacement = await stage();
    const busy = refusal('replacement-in-progress');
    await assert.rejects(stage(), busy);
    await assert.rejects(device.endpoints.add(server('gnoi-1')), busy);
    await device.replacements.activate(owner, replacement);
    await assert.rejects(device.endpoints.remove(server('gnoi-1')), busy);
    await device.replacements.commit(owner, replacement);
    await device.endpoints.remove(server('gnoi-1'));
  });

  it('have keys before they are there, which stay when their creation is undone', async () => {
    const { id, pem } = await device.endpoints.generate(server('cmp-1'), csrParameters());
    const second = await device.endpoints.generate(server('cmp-1'), csrParameters());
    assert.deepEqual(device.names(), []);
    await device.restart();
    const content = tools.sign(pem, ca);
    const part = { ...server('cmp-1'), create: true, content };
    const first = await device.endpoints.stage(owner, [part], 0);
    await device.replacements.activate(owner, first);
    await device.replacements.rollback(owner, first);
    await device.restart();
    const pending = await device.endpoints.findWithKeys(server('cmp-1'))?.requests.outstanding();
    assert.deepEqual(pending?.map((one) => one.id).sort(), [id, second.id].sort());
    const again = await device.endpoints.stage(owner, [part], 0);
    await device.replacements.activate(owner, again);
    await device.replacements.commit(owner, again);
    assert.deepEqual(device.served(server('cmp-1')), [mark(content)]);
  });

  describe('whose certificate comes without its intermediates', () => {
    const middle = tools.issueCa({ issuer: ca, subject: '/CN=middle' });
    const under = tools.issueCa({ issuer: middle, subject: '/CN=under' });
    const deep = tools.issue({ issuer: under, subject: '/CN=deep' });
    const chainOf = () =>
      device.endpoints
        .find(server('a'))
        ?.list()
        .flatMap(({ chain }) => chain.map(({ pem }) => mark(pem)));
    const wanted = [mark(under.pem), mark(middle.pem)];
    const put = async (text: string, ...more: Parameters<RunTimeEndpoints['stage']>[1]) => {
      const part = { ...server('a'), create: true, content: text };
      const replacement = await device.endpoints.stage(owner, [part, ...more], 0);
      await device.replacements.activate(owner, replacement);
      await device.replacements.commit(owner, replacement);
    };

    it('have them from all authorities that are there, and no root', async () => {
      await device.endpoints.add(authority('one'));
      await device.endpoints.add(authority('two'));
      await device.endpoints.find(authority('one'))?.replaceAll(ca.pem + under.pem);
      await device.endpoints.find(authority('two'))?.install(middle.pem);
      await put(pairOf(deep));
      assert.deepEqual(chainOf(), wanted);
      await device.restart();
      assert.deepEqual(chainOf(), wanted);
    });

    it('have those that come with it', async () => {
      const content = middle.pem + ca.pem;
      await put(pairOf(deep) + under.pem, { ...authority('one'), create: true, content });
      assert.deepEqual(chainOf(), wanted);
    });

    it('are served as they came where nothing is known', async () => {
      await put(pairOf(deep));
      assert.deepEqual(chainOf(), []);
    });
  });

  it('forget those that only had keys when the keys are gone', async () => {
    const before = snapshot(device.directory);
    const { id } = await device.endpoints.generate(server('a'), csrParameters());
    await device.endpoints.findWithKeys(server('a'))?.requests.discard(id);
    await device.endpoints.maintain();
    assert.equal(device.endpoints.findWithKeys(server('a')), undefined);
    assert.deepEqual(snapshot(device.directory), before);
  });
});
