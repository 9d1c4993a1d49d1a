import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { extent } from '../extent.ts';
import { openWorkshop, type Workshop } from '../file-operations/followed.ts';
import { readImage, writeImage } from '../file-operations/image.ts';
import { whyNotFollowed } from '../file-operations/library.ts';
import { scenes } from '../file-operations/scenes.ts';
import { verdictOn } from './verdict.ts';

/** How many operations lie between two kills. */
const step = extent({ quick: 9, long: 1 });

describe('an account that gets another name', { skip: whyNotFollowed() }, () => {
  let workshop: Workshop;
  before(async () => {
    workshop = await openWorkshop();
  });
  after(() => workshop.close());

  it('has all that it had under one of its names, wherever kill -9 comes', async () => {
    const scene = scenes.find(({ name }) => name.includes('rename an account'));
    assert.ok(scene);
    const prepared = await workshop.prepare(scene);
    const { directory } = prepared.place;
    const recording = await workshop.record(prepared);
    const verdict = await verdictOn(prepared, recording, workshop.scratch);
    for (let at = 1, died = true; died; at += step) {
      writeImage(directory, prepared.before);
      const rule = {
        action: at % 2 === 1 ? 'kill-before' : 'kill-after',
        of: 'change',
        at,
      } as const;
      died = await workshop.dies({ do: 'die', scene: scene.name, place: prepared.place, rule });
      if (died) await verdict.judgeLoosely(readImage(directory));
      else assert.ok(at > step, 'nothing was killed');
    }
  });
});
