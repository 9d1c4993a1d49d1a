import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { type Finding, OutsideChanges } from '../../src/manager/outside-changes.ts';

/** Files that somebody writes anew after every look at them. */
function restless(look: () => Promise<Finding>) {
  let event: () => void = () => undefined;
  let looks = 0;
  const outside = new OutsideChanges({
    settle: 10,
    grace: 10,
    watch: (changed) => {
      event = changed;
      return { renew: () => undefined, close: () => undefined };
    },
    look: async () => {
      looks += 1;
      const finding = await look();
      setImmediate(event);
      return finding;
    },
  });
  outside.start();
  event();
  return { outside, count: () => looks, event: () => event() };
}

describe('the pace at which files are followed', () => {
  it('slows down with each change that follows another, so that nobody keeps the device busy', async () => {
    const { outside, count } = restless(async () => 'changed');
    await pause(1000);
    outside.stop();
    // 10, 20, 40, 80, 160 and 320 ms come before the first second is over; 10 ms each would make 100
    assert.ok(count() >= 3 && count() <= 8, `${count()} looks`);
  });

  it('stays as it is for looks that find nothing', async () => {
    const { outside, count } = restless(async () => 'settled');
    await pause(500);
    outside.stop();
    assert.ok(count() > 8, `${count()} looks`);
  });

  it('is never of two looks at once', async () => {
    let running = 0;
    let max = 0;
    const { outside, event } = restless(async () => {
      running += 1;
      max = Math.max(max, running);
      await pause(60);
      running -= 1;
      return 'settled';
    });
    for (let at = 0; at < 10; at += 1) {
      await pause(20);
      event();
    }
    outside.stop();
    assert.equal(max, 1);
  });
});
