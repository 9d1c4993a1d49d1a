import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { settledClock } from '../../src/core/clock.ts';

const hour = 3_600_000;
const years = 50 * 365 * 24 * hour;

describe('the clock that ages are judged by', () => {
  const start = () => {
    const world = { now: Date.UTC(2026), elapsed: 0 };
    const clock = settledClock(
      () => world.now,
      () => world.elapsed,
    );
    const pass = (milliseconds: number) => {
      world.now += milliseconds;
      world.elapsed += milliseconds;
    };
    return { world, clock, pass };
  };

  it('says nothing until it has gone evenly for a day', () => {
    const { world, clock, pass } = start();
    assert.equal(clock(), undefined);
    pass(23 * hour);
    assert.equal(clock(), undefined);
    pass(hour);
    assert.deepEqual(clock(), new Date(world.now));
  });

  for (const jump of [years, -years, 2 * hour]) {
    it(`says nothing for a day after it was set by ${jump / hour} hours`, () => {
      const { world, clock, pass } = start();
      pass(30 * hour);
      assert.ok(clock());
      world.now += jump;
      assert.equal(clock(), undefined);
      pass(23 * hour);
      assert.equal(clock(), undefined);
      pass(hour);
      assert.deepEqual(clock(), new Date(world.now));
    });
  }

  it('takes what a time service corrects in small steps for no jump', () => {
    const { world, clock, pass } = start();
    for (let at = 0; at < 48; at += 1) {
      pass(hour);
      world.now += 1000;
      clock();
    }
    assert.ok(clock());
  });
});
