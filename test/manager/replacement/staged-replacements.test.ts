import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { StagedChange } from '../../../src/manager/change.ts';
import { CredentialEndpoint } from '../../../src/manager/credential/credential-endpoint.ts';
import type { Endpoint } from '../../../src/manager/endpoint.ts';
import type { EndpointDefinition } from '../../../src/manager/endpoint-definition.ts';
import { StagedReplacements } from '../../../src/manager/replacement/staged-replacements.ts';
import { until } from '../../e2e/commands.ts';
import { snapshot } from '../../fakes/manager-world.ts';
import { refusal } from '../../fakes/refusal.ts';
import {
  limits,
  mark,
  owner,
  pairOf,
  ReplacementDevice,
  replacementMaterials,
} from '../../fakes/replacement-device.ts';

const materials = replacementMaterials();
const { oldCa, newCa, before, next } = materials;
after(() => materials.remove());

describe('a replacement in two phases', () => {
  let device: ReplacementDevice;
  beforeEach(async () => {
    device = await ReplacementDevice.open(materials);
  });
  afterEach(() => device.close());

  it('changes nothing when it is staged', async () => {
    const files = snapshot(device.world.directory);
    await device.stage();
    device.isOld();
    // The number for the new CA is given out, and a number is never given twice
    const without = (all: Record<string, string>) =>
      Object.entries(all).filter(([path]) => !path.endsWith('next-id'));
    assert.deepEqual(without(snapshot(device.world.directory)), without(files));
    assert.deepEqual(device.states, ['https staged', 'truststore staged']);
  });

  it('puts the certificate and its authorities into service together, and keeps them', async () => {
    const replacement = await device.stage();
    await device.replacements.activate(owner, replacement);
    device.isNew();
    assert.deepEqual(device.world.reloads.slice(-2), ['truststore', 'https']);
    await device.replacements.commit(owner, replacement);
    device.isNew();
    await device.restart();
    device.isNew();
    assert.ok(
      !readdirSync(dirname(device.server.definition.path)).some((name) => /replacement/.test(name)),
    );
  });

  it('is found by its owners alone, by its name or by the endpoint where it was staged', async () => {
    const id = await device.stage();
    const { definition } = device.server;
    const other = 'another user';
    assert.throws(() => device.replacements.find(id, definition, [other]), { code: 'not-found' });
    await device.replacements.handOver(owner, id, 'user 7');
    assert.throws(() => device.replacements.find(id, definition, [owner]), { code: 'not-found' });
    await device.replacements.ownerLeft(owner);
    for (const name of [id, '']) {
      const found = device.replacements.find(name, definition, [owner, 'user 7']);
      assert.deepEqual([found.id, found.owner], [id, 'user 7']);
    }
    const elsewhere = device.truststore.definition;
    assert.throws(() => device.replacements.find('', elsewhere, ['user 7']), { code: 'not-found' });
  });

  it('works for a certificate alone, and for a bundle alone', async () => {
    const one = await device.replacements.stage(owner, [
      { endpoint: device.server, content: pairOf(next) },
    ]);
    await device.replacements.activate(owner, one);
    await device.replacements.commit(owner, one);
    assert.deepEqual(device.served(), [mark(next.pem)]);
    const two = await device.replacements.stage(owner, [
      { endpoint: device.truststore, content: newCa.pem },
    ]);
    await device.replacements.activate(owner, two);
    await device.replacements.rollback(owner, two);
    assert.deepEqual(device.trusted(), [`1 ${mark(oldCa.pem)}`]);
  });

  const endings: readonly [string, (replacement: string) => Promise<void>][] = [
    ['its owner asks for it', (replacement) => device.replacements.rollback(owner, replacement)],
    ['its owner leaves', () => device.replacements.ownerLeft(owner)],
    ['the manager ends in order', () => device.replacements.stop()],
    ['the manager starts after it was killed', () => device.restart()],
  ];
  for (const [when, end] of endings) {
    it(`is undone when ${when}`, async () => {
      const replacement = await device.stage();
      await device.replacements.activate(owner, replacement);
      await end(replacement);
      device.isOld();
      await assert.rejects(device.replacements.commit(owner, replacement), refusal('not-found'));
      await device.server.replace('1', pairOf(next));
    });

    it(`is forgotten when ${when} before it was activated`, async () => {
      const replacement = await device.stage();
      await end(replacement);
      device.isOld();
      await device.server.replace('1', pairOf(next));
    });
  }

  it('is undone when its time is up', async () => {
    const replacement = await device.stage();
    await device.replacements.activate(owner, replacement, 1);
    device.isNew();
    await until('it is undone', () => device.served()[0] === mark(before.pem));
    await until('nothing is left of it', () => device.states.at(-1) === 'truststore none');
    device.isOld();
  });

  describe('whose time is up while it is being activated', () => {
    const trouble = Object.assign(new Error('EIO: of the test'), { code: 'EIO' });
    /** The server, with a change that is as `alter` makes it. */
    const stageWith = (alter: (change: StagedChange) => Partial<StagedChange>, seconds: number) => {
      const { server } = device;
      const stage = async (text: string) => {
        const change = await server.stage(text);
        return { ...change, ...alter(change) };
      };
      const endpoint: Endpoint = Object.create(server, { stage: { value: stage } });
      return device.replacements.stage(owner, [{ endpoint, content: pairOf(next) }], seconds);
    };
    const isServed = async (replacement: string) => {
      // What is queued behind the activation has had its turn
      await pause(100);
      await device.replacements.commit(owner, replacement);
      assert.deepEqual(device.served(), [mark(next.pem)]);
    };

    it('stays when the record takes that long', async () => {
      const slow = ({ save }: StagedChange) => ({
        save: (directory: string) => pause(1200).then(() => save(directory)),
      });
      const replacement = await stageWith(slow, 1);
      await device.replacements.activate(owner, replacement);
      await isServed(replacement);
    });

    it('stays when a service takes that long to be told', async () => {
      const slow = ({ activate }: StagedChange) => ({
        activate: () => activate().then(() => pause(1200)),
      });
      const replacement = await stageWith(slow, 60);
      await device.replacements.activate(owner, replacement, 1);
      await isServed(replacement);
    });

    it('ends all the same when the record cannot be written', async () => {
      const replacement = await stageWith(() => ({ save: () => Promise.reject(trouble) }), 1);
      await assert.rejects(device.replacements.activate(owner, replacement, 1), refusal('storage'));
      assert.deepEqual(device.states, ['https staged']);
      await until('it has ended', () => device.states.at(-1) === 'https none');
      assert.deepEqual(device.served(), [mark(before.pem)]);
    });
  });

  it('goes back to no certificate where there was none', async () => {
    const path = join(device.world.directory, 'ldap', 'cert.pem');
    const definition: EndpointDefinition = { type: 'client', name: 'ldap', path, reload: [] };
    const client = new CredentialEndpoint(definition, device.world.dependencies);
    await client.start();
    const replacement = await device.replacements.stage(owner, [
      { endpoint: client, content: pairOf(next) },
    ]);
    await device.replacements.activate(owner, replacement);
    assert.ok(existsSync(path));
    const again = new CredentialEndpoint(definition, device.world.dependencies);
    await new StagedReplacements(device.world.dependencies.log, () => limits).recover([again]);
    assert.ok(!existsSync(path));
    client.stop();
  });

  it('keeps every other change out until it ends', async () => {
    const replacement = await device.stage();
    const refusals = [
      () => device.server.replace('1', pairOf(next)),
      () => device.server.delete('1'),
      () => device.server.deleteAll(),
      () => device.truststore.install(newCa.pem),
      () => device.truststore.replaceAll(newCa.pem),
      () => device.replacements.stage(':1.8', [{ endpoint: device.server, content: pairOf(next) }]),
    ];
    for (const refused of refusals)
      await assert.rejects(refused(), refusal('replacement-in-progress'));
    await device.replacements.activate(owner, replacement);
    for (const refused of refusals)
      await assert.rejects(refused(), refusal('replacement-in-progress'));
    await device.replacements.rollback(owner, replacement);
    await device.truststore.install(newCa.pem);
  });

  it('holds nothing when one of its parts is refused', async () => {
    const parts = [
      { endpoint: device.server, content: pairOf(next) },
      { endpoint: device.truststore, content: 'garbage' },
    ];
    await assert.rejects(device.replacements.stage(owner, parts), refusal('no-certificate'));
    assert.deepEqual(device.states, []);
    await device.server.replace('1', pairOf(next));
  });

  it('is nobody’s but its owner’s', async () => {
    const replacement = await device.stage();
    const other = ':1.8';
    await device.replacements.ownerLeft(other);
    await assert.rejects(device.replacements.activate(other, replacement), refusal('not-found'));
    await assert.rejects(device.replacements.commit(other, replacement), refusal('not-found'));
    await assert.rejects(device.replacements.rollback(other, replacement), refusal('not-found'));
    await device.replacements.activate(owner, replacement);
    device.isNew();
  });

  it('cannot be committed before it is active, nor activated twice', async () => {
    const replacement = await device.stage();
    await assert.rejects(
      device.replacements.commit(owner, replacement),
      refusal('replacement-in-progress'),
    );
    await device.replacements.activate(owner, replacement);
    await assert.rejects(
      device.replacements.activate(owner, replacement),
      refusal('replacement-in-progress'),
    );
    device.isNew();
  });

  it('takes no longer than the limit', async () => {
    const parts = [{ endpoint: device.server, content: pairOf(next) }];
    await assert.rejects(device.replacements.stage(owner, parts, 101), refusal('argument-invalid'));
    const replacement = await device.stage();
    await assert.rejects(
      device.replacements.activate(owner, replacement, 101),
      refusal('argument-invalid'),
    );
  });

  it('renews no generated certificate meanwhile, and does afterwards', async () => {
    await device.server.delete('1');
    const generated = device.served();
    const replacement = await device.replacements.stage(owner, [
      { endpoint: device.server, content: pairOf(next) },
    ]);
    device.world.now = new Date(device.world.now.getTime() + 390 * 86_400_000);
    await device.server.maintain();
    assert.deepEqual(device.served(), generated);
    await device.replacements.rollback(owner, replacement);
    await device.server.maintain();
    assert.notDeepEqual(device.served(), generated);
  });
});
