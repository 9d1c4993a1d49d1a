import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inSlices } from '../../src/core/in-slices.ts';

describe('work in slices', () => {
  it('is done for each item in order, and lets others have a turn in between', async () => {
    const done: number[] = [];
    let turns = 0;
    let isDone = false;
    const count = () => {
      turns += 1;
      if (!isDone) setImmediate(count);
    };
    setImmediate(count);
    await inSlices([1, 2, 3], (item) => {
      const end = performance.now() + 12;
      while (performance.now() < end);
      done.push(item);
    });
    isDone = true;
    assert.deepEqual(done, [1, 2, 3]);
    assert.ok(turns >= 3, `${turns}`);
  });

  it('ends with the first item whose work throws', async () => {
    const done: number[] = [];
    const work = inSlices([1, 2, 3], (item) => {
      if (item === 2) throw new RangeError('no');
      done.push(item);
    });
    await assert.rejects(work, RangeError);
    assert.deepEqual(done, [1]);
  });
});
