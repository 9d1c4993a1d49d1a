import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { extent, figure } from '../extent.ts';
import { openWorkshop, type Workshop } from '../file-operations/followed.ts';
import { whyNotFollowed } from '../file-operations/library.ts';
import { managerScenes } from '../file-operations/manager-scenes.ts';
import { faults } from './faults.ts';
import { playFault } from './sweep.ts';

/** How many operations lie between two that fail. */
const step = extent({ quick: 4, long: 1 });

describe('the look of the manager now and then', { skip: whyNotFollowed() }, () => {
  let workshop: Workshop;
  let tried = 0;
  before(async () => {
    workshop = await openWorkshop();
  });
  after(async () => {
    await workshop.close();
    figure(
      'file-faults',
      'operations of a look that could not be done, with no key given up',
      tried,
    );
  });

  it('gives up no key for a file that cannot be read at the moment', async () => {
    const scene = managerScenes.find(({ name }) => name === 'all: the look now and then');
    const fault = faults.find(({ name }) => name === 'EMFILE of reading once');
    assert.ok(scene && fault);
    const prepared = await workshop.prepare(scene);
    for (let at = 1; ; at += step) {
      const {
        fired,
        reached,
        before: state,
        restarted,
      } = await playFault(workshop, prepared, fault, at);
      if (!reached) break;
      if (!fired) continue;
      tried += 1;
      assert.deepEqual(restarted, state, `operation ${at}`);
    }
    assert.ok(tried > 0, 'nothing failed');
  });
});
