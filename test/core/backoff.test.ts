import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { backoff } from '../../src/core/backoff.ts';

const take = (pauses: Generator<number, never>, count: number) =>
  Array.from({ length: count }, () => pauses.next().value);

describe('backoff', () => {
  const series = [
    { first: 250, max: 10_000, expected: [250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000] },
    {
      first: 1000,
      max: 60_000,
      expected: [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000],
    },
    { first: 5, max: 5, expected: [5, 5, 5] },
  ];
  for (const { first, max, expected } of series) {
    it(`doubles from ${first} ms and stays at ${max} ms`, () => {
      assert.deepEqual(
        take(
          backoff(first, max, () => 0.5),
          expected.length,
        ),
        expected,
      );
    });
  }

  const spreads = [
    { random: 0, expected: [90, 180, 360] },
    { random: 0.999_999, expected: [110, 220, 440] },
  ];
  for (const { random, expected } of spreads) {
    it(`is spread by at most a tenth: ${random}`, () => {
      assert.deepEqual(
        take(
          backoff(100, 10_000, () => random),
          3,
        ),
        expected,
      );
    });
  }

  it('differs from one user to the next by default', () => {
    const one = take(backoff(1_000_000, 1_000_000_000), 5);
    const other = take(backoff(1_000_000, 1_000_000_000), 5);
    assert.notDeepEqual(one, other);
  });
});
