import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { type Finding, OutsideChanges } from '../../src/manager/outside-changes.ts';

/** Files that are looked at in a time which the test lets pass; `write` is an event of them. */
function followed(test: TestContext, look: () => Promise<Finding>) {
  test.mock.timers.enable({ apis: ['setTimeout'] });
  let time = 0;
  const looks: number[] = [];
  let write: () => void = () => undefined;
  const outside = new OutsideChanges({
    settle: 250,
    grace: 2000,
    monotonic: () => time,
    watch: (changed) => {
      write = changed;
      return { renew: () => undefined, close: () => undefined };
    },
    look: () => {
      looks.push(time);
      return look();
    },
  });
  outside.start();
  const pass = async (milliseconds: number) => {
    for (const end = time + milliseconds; time < end; ) {
      time += 50;
      test.mock.timers.tick(50);
      await new Promise(setImmediate);
    }
  };
  return { looks, write, pass };
}

/** Differences of neighbours. */
const steps = (times: readonly number[]) => times.slice(1).map((at, i) => at - (times[i] ?? 0));

describe('the pace at which files are followed', () => {
  it('slows down to a minute where each change follows from the one before, so that nobody keeps the device busy', async (test) => {
    const { looks, write, pass } = followed(test, async () => {
      setImmediate(write);
      return 'changed';
    });
    write();
    await pass(250_000);
    assert.deepEqual(
      steps(looks).map((step) => Math.round(step / 250) * 250),
      [500, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000],
    );
  });

  it('slows down where the file is written while the change is taken over, however long that takes', async (test) => {
    let finish: (finding: Finding) => void = () => undefined;
    const { looks, write, pass } = followed(
      test,
      () => new Promise((resolve) => (finish = resolve)),
    );
    write();
    for (let round = 0; round < 6; round += 1) {
      await pass(10_000);
      write();
      finish('changed');
    }
    await pass(5000);
    assert.equal(looks.length, 6);
    await pass(10_000);
    assert.equal(looks.length, 7);
  });

  for (const [after, seconds] of [
    ['a burst and a pause', 60],
    ['a burst whose end still waits for its look', 3],
  ] as const) {
    it(`is that of the first change again after ${after}`, async (test) => {
      let isBurst = true;
      const { looks, write, pass } = followed(test, async () => {
        if (isBurst) setImmediate(write);
        return 'changed';
      });
      write();
      await pass(40_000);
      isBurst = false;
      await pass(seconds * 1000);
      const before = looks.length;
      write();
      await pass(200);
      assert.equal(looks.length, before);
      await pass(50);
      assert.equal(looks.length, before + 1);
    });
  }

  it('stays as it is for looks that find nothing', async (test) => {
    const { looks, write, pass } = followed(test, async () => {
      setImmediate(write);
      return 'settled';
    });
    write();
    await pass(5000);
    assert.deepEqual(new Set(steps(looks)), new Set([250]));
  });

  it('is never of two looks at once', async (test) => {
    let running = 0;
    let max = 0;
    const ends: (() => void)[] = [];
    const { write, pass } = followed(test, async () => {
      running += 1;
      max = Math.max(max, running);
      await new Promise<void>((resolve) => ends.push(resolve));
      running -= 1;
      return 'settled';
    });
    for (let at = 0; at < 10; at += 1) {
      write();
      await pass(500);
      if (at % 3 === 2) ends.shift()?.();
    }
    assert.ok(ends.length > 0);
    assert.equal(max, 1);
  });
});
