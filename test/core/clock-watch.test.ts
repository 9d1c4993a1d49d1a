import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { watchClock } from '../../src/core/clock-watch.ts';

describe('the watch over the clock', () => {
  let wall: number;
  let monotonic: number;
  let jumps: number;
  let stop: () => void;

  beforeEach(() => {
    mock.timers.enable({ apis: ['setInterval'] });
    wall = 0;
    monotonic = 5000;
    jumps = 0;
    stop = watchClock({ now: () => wall, monotonic: () => monotonic }, () => {
      jumps += 1;
    });
  });
  afterEach(() => {
    stop();
    mock.timers.reset();
  });
  /** Time goes by, and the clock shows something more or less. */
  const pass = (milliseconds: number, error = 0) => {
    wall += milliseconds + error;
    monotonic += milliseconds;
    mock.timers.tick(1000);
  };

  const table: readonly [string, number[], number][] = [
    ['nothing of time that goes by', [0, 0, 0], 0],
    ['nothing of a clock that is trimmed', [4000, -4000, 300], 0],
    ['a jump from 1970 to today once', [1_790_000_000_000, 0, 0], 1],
    ['a jump back', [-3_600_000, 0], 1],
    ['each of two jumps', [60_000, 0, -60_000, 0], 2],
  ];
  for (const [what, errors, expected] of table) {
    it(`tells of ${what}`, () => {
      for (const error of errors) pass(1000, error);
      assert.equal(jumps, expected);
    });
  }

  it('tells of nothing after it was stopped', () => {
    stop();
    pass(1000, 1e9);
    assert.equal(jumps, 0);
  });
});
