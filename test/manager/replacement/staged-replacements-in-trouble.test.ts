import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { CredentialEndpoint } from '../../../src/manager/credential/credential-endpoint.ts';
import { type EndpointSet, endpointSet } from '../../../src/manager/endpoint-set.ts';
import { until } from '../../e2e/commands.ts';
import { nothingReplaces } from '../../fakes/moody-disk.ts';
import { refusal } from '../../fakes/refusal.ts';
import {
  mark,
  owner,
  pairOf,
  ReplacementDevice,
  replacementMaterials,
} from '../../fakes/replacement-device.ts';

const materials = replacementMaterials();
const { oldCa, newCa, other, before, next } = materials;
after(() => materials.remove());

describe('a replacement in two phases in trouble', () => {
  let device: ReplacementDevice;
  beforeEach(async () => {
    device = await ReplacementDevice.open(materials);
  });
  afterEach(() => device.close());

  describe('that a manager finds which cannot undo it at first', () => {
    let set: EndpointSet;
    const generations = () => `${device.truststore.definition.path}.generations`;

    beforeEach(async () => {
      await device.replacements.activate(owner, await device.stage());
      device.die();
      renameSync(generations(), `${generations()}.away`);
      writeFileSync(generations(), '');
      set = endpointSet([device.server, device.truststore], device.replacements);
      await set.start();
    });
    afterEach(() => set.stop());

    it('keeps every endpoint out of service', async () => {
      assert.deepEqual([device.served(), device.trusted()], [[], []]);
      for (const change of [
        device.server.install(pairOf(next)),
        device.server.replace('1', pairOf(next)),
        device.server.deleteAll(),
        device.truststore.install(newCa.pem),
        device.truststore.deleteAll(),
      ])
        await assert.rejects(change, refusal('storage'));
    });

    it('is undone when the disk is well again', async () => {
      rmSync(generations());
      renameSync(`${generations()}.away`, generations());
      await set.maintain();
      device.isOld();
    });

    it('is given up when the disk does not become well', async () => {
      for (let round = 0; round < 3; round += 1) await set.maintain();
      assert.ok(
        readdirSync(dirname(device.server.definition.path)).some((name) => /failed/.test(name)),
      );
      assert.equal(device.served().length, 1);
    });
  });

  describe('that can never be undone', () => {
    const journal = () => `${device.server.definition.path}.replacement`;
    const failed = () =>
      readdirSync(dirname(journal())).filter((name) => name.endsWith('.replacement.failed'));
    const endWithDamage = async () => {
      await device.replacements.activate(owner, await device.stage());
      device.die();
      writeFileSync(join(journal(), 'authority.truststore', '1.pem'), 'garbage');
    };

    it('keeps every endpoint out of service until it is out of the way for good', async () => {
      await endWithDamage();
      const handle = await open(device.world.directory, 'r');
      const prototype: { sync(this: FileHandle): Promise<void> } = Object.getPrototypeOf(handle);
      await handle.close();
      const { sync } = prototype;
      prototype.sync = async function (this: FileHandle) {
        if (existsSync(journal())) return sync.call(this);
        throw Object.assign(new Error('EIO: of the test'), { code: 'EIO' });
      };
      const set = endpointSet([device.server, device.truststore], device.replacements);
      try {
        await set.start();
      } finally {
        prototype.sync = sync;
      }
      assert.deepEqual([device.served(), failed(), existsSync(journal())], [[], [], true]);
      await set.maintain();
      assert.equal(device.served().length, 1);
      assert.deepEqual([failed().length, existsSync(journal())], [1, false]);
      set.stop();
    });

    it('is kept aside as a whole when an endpoint of it is not configured any more', async () => {
      await device.replacements.activate(owner, await device.stage());
      device.die();
      const renamed = { ...device.server.definition, name: 'web' };
      const server = new CredentialEndpoint(renamed, device.world.dependencies);
      const set = endpointSet([server, device.truststore], device.replacements);
      await set.start();
      set.stop();
      // Both are as the replacement left them, and what was before can be found
      assert.equal(mark(server.list()[0]?.certificate.pem ?? ''), mark(next.pem));
      assert.deepEqual(device.trusted(), [`2 ${mark(newCa.pem)}`]);
      const [aside = ''] = failed();
      const saved = join(dirname(journal()), aside, 'server.https', 'pair.pem');
      assert.equal(readFileSync(saved, 'utf8'), pairOf(before));
      const lines = device.world.logged.filter(({ message }) => message.includes('staged'));
      assert.deepEqual(
        lines.map(({ message }) => message),
        ['staged replacement cannot be undone'],
      );
      assert.match(JSON.stringify(lines), /server\.https is not configured/);
    });

    it('is kept aside in place of the one before', async () => {
      await endWithDamage();
      mkdirSync(join(`${journal()}.failed`, 'server.old'), { recursive: true });
      await device.restart();
      assert.deepEqual(readdirSync(`${journal()}.failed`).sort(), [
        'authority.truststore',
        'server.https',
      ]);
    });
  });

  it('leaves the record of another one where it is when it cannot write its own', async () => {
    const older = join(`${device.server.definition.path}.replacement`, 'server.https');
    mkdirSync(older, { recursive: true });
    writeFileSync(join(older, 'pair.pem'), pairOf(before));
    await assert.rejects(
      device.replacements.activate(owner, await device.stage()),
      refusal('storage'),
    );
    assert.equal(readFileSync(join(older, 'pair.pem'), 'utf8'), pairOf(before));
    rmSync(dirname(older), { recursive: true });
    device.isOld();
  });

  it('is undone as a whole when its second half cannot be written', async () => {
    const replacement = await device.stage();
    // The rename of the pair fails, after the truststore was switched
    const undo = nothingReplaces(device.server.definition.path);
    const activation = device.replacements.activate(owner, replacement).finally(undo);
    await assert.rejects(activation, refusal('storage'));
    assert.deepEqual(device.trusted(), [`1 ${mark(oldCa.pem)}`]);
  });

  it('cannot be committed once a part of it could not be undone, and is undone in the end', async () => {
    const replacement = await device.stage();
    await device.replacements.activate(owner, replacement);
    const undo = nothingReplaces(device.server.definition.path);
    await assert.rejects(device.replacements.rollback(owner, replacement), refusal('storage'));
    assert.deepEqual(device.trusted(), [`1 ${mark(oldCa.pem)}`]);
    await assert.rejects(
      device.replacements.commit(owner, replacement),
      refusal('replacement-in-progress'),
    );
    undo();
    await until('it is tried again', () => device.states.at(-1) === 'truststore none');
    device.isOld();
  });

  it('is kept by a commit though somebody else wrote into the files meanwhile', async () => {
    const replacement = await device.stage();
    await device.replacements.activate(owner, replacement);
    writeFileSync(device.server.definition.path, 'garbage');
    writeFileSync(join(device.truststore.definition.path, '2.pem'), 'garbage');
    await device.replacements.commit(owner, replacement);
    device.isNew();
    await device.restart();
    device.isNew();
  });

  describe('with a file that somebody puts in place of the certificate', () => {
    const theirs = { key: other.key, pem: other.pem };
    const put = (text: string) => writeFileSync(device.server.definition.path, text);
    const aside = () => {
      const directory = dirname(device.server.definition.path);
      return readdirSync(directory)
        .filter((name) => name.endsWith('.refused'))
        .map((name) => readFileSync(join(directory, name), 'utf8'));
    };

    for (const [when, end] of [
      [
        'it is rolled back',
        (replacement: string) => device.replacements.rollback(owner, replacement),
      ],
      ['the manager starts after it was killed', () => device.restart()],
    ] as const) {
      it(`while it is active, keeps it aside when ${when}`, async () => {
        const replacement = await device.stage();
        await device.replacements.activate(owner, replacement);
        put(pairOf(theirs));
        await end(replacement);
        device.isOld();
        assert.deepEqual(aside(), [pairOf(theirs)]);
      });

      for (const [what, text] of [
        ['garbage', 'garbage'],
        ['nothing', ''],
        ['a good one', pairOf(theirs)],
      ] as const) {
        it(`before it is active, goes back to what was in service when it was ${what} and ${when}`, async () => {
          const replacement = await device.stage();
          put(text);
          await device.replacements.activate(owner, replacement);
          device.isNew();
          await end(replacement);
          device.isOld();
          assert.deepEqual(aside(), text === '' ? [] : [text]);
        });
      }
    }

    it('can be kept though the file is gone', async () => {
      const replacement = await device.stage();
      await device.replacements.activate(owner, replacement);
      rmSync(device.server.definition.path);
      await device.replacements.commit(owner, replacement);
      device.isNew();
      assert.deepEqual(aside(), []);
    });
  });

  describe('with a certificate that somebody puts into the truststore meanwhile', () => {
    const put = (name: string) =>
      writeFileSync(join(device.truststore.definition.path, name), other.pem);
    let replacement: string;
    beforeEach(async () => {
      replacement = await device.stage();
      await device.replacements.activate(owner, replacement);
    });

    for (const [end, isOver] of [
      ['commit', () => device.isNew()],
      ['rollback', () => device.isOld()],
    ] as const) {
      for (const name of ['other.pem', '2.pem']) {
        it(`is without it after a ${end}: ${name}`, async () => {
          put(name);
          await device.replacements[end](owner, replacement);
          isOver();
          const there = readdirSync(device.truststore.definition.path);
          assert.ok(!there.includes('other.pem'));
        });
      }
    }

    it('can be undone when the whole path is a directory of somebody else’s', async () => {
      rmSync(device.truststore.definition.path);
      mkdirSync(device.truststore.definition.path);
      put('other.pem');
      await device.replacements.rollback(owner, replacement);
      device.isOld();
      assert.deepEqual(readdirSync(`${device.truststore.definition.path}.taken-over`), [
        'other.pem',
      ]);
    });
  });
});
