import { after, before, describe, it } from 'node:test';
import { extent, figure } from '../extent.ts';
import { openWorkshop, type Workshop } from '../file-operations/followed.ts';
import { cutsOf, type Remains, remainsAfter } from '../file-operations/forgetful-disk.ts';
import { whyNotFollowed } from '../file-operations/library.ts';
import { useProbe } from '../file-operations/manager-device.ts';
import { scenes } from '../file-operations/scenes.ts';
import { verdictOn } from './verdict.ts';

/** How many of the states that a cut can leave are started on, for each change. */
const max = extent({ quick: 4, long: 10_000 });

describe('after the power went away', { skip: whyNotFollowed() }, () => {
  let workshop: Workshop;
  let changes = 0;
  let operations = 0;
  let starts = 0;
  before(async () => {
    workshop = await openWorkshop();
    useProbe(workshop.given.probe ?? '');
  });
  after(async () => {
    await workshop.close();
    figure('power-cut', 'changes that were cut', changes);
    figure('power-cut', 'file operations after which the power was cut', operations);
    figure('power-cut', 'states of the disk on which the programs were started', starts);
  });

  for (const scene of scenes) {
    it(`a start finds the old state or the new one: ${scene.name}`, async () => {
      const prepared = await workshop.prepare(scene);
      const recording = await workshop.record(prepared);
      const verdict = await verdictOn(prepared, recording, workshop.scratch);
      const cuts = cutsOf(recording);
      const all = cuts.flatMap((cut) => remainsAfter(recording, cut));
      for (const remains of sample(all)) {
        await verdict.judge(remains);
        starts += 1;
      }
      changes += 1;
      operations += cuts.length - 1;
    });
  }
});

/** Evenly over all of them, the last one always among them: nothing of it may be lost. */
function sample(all: readonly Remains[]): readonly Remains[] {
  const step = Math.max(1, all.length / max);
  const chosen = Array.from(
    { length: Math.floor(all.length / step) },
    (_, at) => all.length - 1 - Math.floor(at * step),
  );
  return chosen.reverse().flatMap((at) => all[at] ?? []);
}
