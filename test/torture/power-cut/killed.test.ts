import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { extent, figure } from '../extent.ts';
import { openWorkshop, type Prepared, type Workshop } from '../file-operations/followed.ts';
import { remainsAfter } from '../file-operations/forgetful-disk.ts';
import { readImage, writeImage } from '../file-operations/image.ts';
import { type Rule, whyNotFollowed } from '../file-operations/library.ts';
import { useProbe } from '../file-operations/manager-device.ts';
import { plainNames } from '../file-operations/plain-names.ts';
import { scenes } from '../file-operations/scenes.ts';
import { verdictOn } from './verdict.ts';

/** How many operations lie between two kills. */
const step = extent({ quick: 60, long: 1 });
/** Before each one and after it, or in turns. */
const kinds: readonly Rule['action'][] = ['kill-before', 'kill-after'];
const kindsOf = extent({
  quick: (at: number) => kinds.slice(at % 2, (at % 2) + 1),
  long: () => kinds.slice(),
});
/** Which changes are killed: each one, or one of so many. */
const every = extent({ quick: 4, long: 1 });

describe('after kill -9', { skip: whyNotFollowed() }, () => {
  let workshop: Workshop;
  let kills = 0;
  let maxNames = 0;
  before(async () => {
    workshop = await openWorkshop();
    useProbe(workshop.given.probe ?? '');
  });
  after(async () => {
    await workshop.close();
    figure('power-cut', 'kills before or after a file operation', kills);
    figure('power-cut', 'names left over after any number of kills in a row', maxNames);
  });

  const die = async ({ scene, place }: Prepared, action: Rule['action'], at: number) => {
    const rule: Rule = { action, of: 'change', at };
    const died = await workshop.dies({ do: 'die', scene: scene.name, place, rule });
    if (died) kills += 1;
    return died;
  };

  for (const [nth, scene] of scenes.entries()) {
    if (nth % every !== 0) continue;
    it(`a start finds the old state or the new one: ${scene.name}`, async () => {
      const prepared = await workshop.prepare(scene);
      const { directory } = prepared.place;
      const recording = await workshop.record(prepared);
      const verdict = await verdictOn(prepared, recording, workshop.scratch);
      const killsBefore = kills;
      const { operations, first } = recording;
      // Where not all of them are, another operation of each change; the library counts fewer than are recorded
      const firstAt = 1 + ((nth * 11) % Math.min(step, Math.ceil((operations.length - first) / 3)));
      for (let at = firstAt, died = true; died; at += step) {
        for (const kind of kindsOf(at)) {
          writeImage(directory, prepared.before);
          died = await die(prepared, kind, at);
          if (died) await verdict.judgeLoosely(readImage(directory));
        }
      }
      assert.ok(kills > killsBefore, 'nothing was killed');
    });
  }

  it('one cut after the other in the same directory leaves nothing that grows', async () => {
    const wanted = extent({
      quick: ['truststore: replace all'],
      long: ['truststore: replace all', 'service: change a role', 'server: make a request'],
    });
    for (const scene of scenes.filter(({ name }) => wanted.includes(name))) {
      const prepared = await workshop.prepare(scene);
      const { place } = prepared;
      await workshop.record(prepared);
      await (await scene.open(place)).close();
      const clean = plainNames(readImage(place.directory).keys());
      writeImage(place.directory, prepared.before);
      for (let cut = 0; cut < extent({ quick: 2, long: 15 }); cut += 1) {
        await die(prepared, 'kill-before', 1 + ((cut * 5) % 23));
      }
      await (await scene.open(place)).close();
      const left = plainNames(readImage(place.directory).keys());
      const more = left.filter((name) => !clean.includes(name));
      maxNames = Math.max(maxNames, more.length);
      assert.deepEqual(more, [], scene.name);
    }
  });

  it('the disk is as the recording has it, so what is computed from it holds', async () => {
    for (const name of ['truststore: install', 'client: replace', 'service: change a role']) {
      const scene = scenes.find((one) => one.name === name);
      assert.ok(scene);
      const prepared = await workshop.prepare(scene);
      const recording = await workshop.record(prepared);
      const [last] = remainsAfter(recording, recording.operations.length);
      const found = [...readImage(prepared.place.directory)].map(asText);
      assert.deepEqual([...(last?.image ?? [])].map(asText).sort(), found.sort());
    }
  });
});

function asText([path, made]: readonly [string, object]): string {
  return `${path} ${JSON.stringify(made)}`;
}
