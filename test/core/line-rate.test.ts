import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { makeLineRate } from '../../src/core/line-rate.ts';

describe('the rate of lines', () => {
  let now = 0;
  const limits = { lines: 3, period: 1000, kinds: 2 };
  const kindsOf = (rate: ReturnType<typeof makeLineRate>, kind: string, times: number) =>
    Array.from({ length: times }, () => rate(kind).kind);

  it('lets so many of a kind through in a period, and says which is the last', () => {
    const rate = makeLineRate(limits, () => now);
    assert.deepEqual(kindsOf(rate, 'a', 5), ['written', 'written', 'last', 'left-out', 'left-out']);
    assert.deepEqual(kindsOf(rate, 'b', 1), ['written']);
  });

  it('tells in the next period how many were left out, once', () => {
    const rate = makeLineRate(limits, () => now);
    kindsOf(rate, 'a', 10);
    now += 999;
    assert.equal(rate('a').kind, 'left-out');
    now += 1;
    assert.deepEqual(rate('a'), { kind: 'written', leftOut: 8 });
    assert.deepEqual(rate('a'), { kind: 'written', leftOut: 0 });
  });

  it('counts a bounded number of kinds, and forgets the oldest', () => {
    const rate = makeLineRate(limits, () => now);
    kindsOf(rate, 'a', 4);
    rate('b');
    rate('c');
    assert.deepEqual(rate('a'), { kind: 'written', leftOut: 0 });
  });
});
