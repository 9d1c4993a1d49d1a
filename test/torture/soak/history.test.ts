import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { History } from './history.ts';

/** A history of writes [value, began, ended] and reads [value, began, ended]. */
function historyOf(writes: readonly Step[], reads: readonly Step[]): History {
  const history = new History('place', 'first');
  for (const [value, began, ended] of writes) history.begin('manager', value, began).ended = ended;
  for (const [value, began, ended] of reads) history.read('manager', value, began, ended);
  return history;
}

type Step = readonly [value: string | undefined, began: number, ended: number];

describe('the model of a place for a certificate', () => {
  const explained: Record<string, readonly [readonly Step[], readonly Step[]]> = {
    'of the old state while a change is under way': [[['b', 10, 30]], [['first', 20, 25]]],
    'of the new state before its acknowledgement': [[['b', 10, 30]], [['b', 20, 25]]],
    'of either of two changes at once': [
      [
        ['b', 10, 30],
        ['c', 10, 30],
      ],
      [
        ['b', 12, 14],
        ['c', 40, 50],
      ],
    ],
    'of a change whose caller was told nothing': [
      [['b', 10, Number.POSITIVE_INFINITY]],
      [
        ['first', 20, 25],
        ['b', 100, 110],
      ],
    ],
    'of nothing after a deletion': [[[undefined, 10, 20]], [[undefined, 30, 31]]],
  };
  for (const [name, [writes, reads]] of Object.entries(explained)) {
    it(`explains a read ${name}`, () => {
      assert.deepEqual(historyOf(writes, reads).contradictions(), []);
    });
  }

  const wrong: Record<string, readonly [readonly Step[], readonly Step[], RegExp]> = {
    'of what nobody installed': [[], [['x', 1, 2]], /never put there/],
    'of what came later': [[['b', 10, 20]], [['b', 1, 2]], /never put there/],
    'of the old state after the acknowledgement': [
      [['b', 10, 20]],
      [['first', 21, 30]],
      /had been replaced/,
    ],
    'of the old state after a reader saw the new one': [
      [['b', 10, 100]],
      [
        ['b', 20, 25],
        ['first', 30, 40],
      ],
      /had been replaced/,
    ],
    'of what was there, gone, and there again': [
      [
        ['b', 10, 100],
        ['c', 10, 100],
      ],
      [
        ['b', 20, 25],
        ['c', 30, 35],
        ['b', 40, 45],
      ],
      /was there again/,
    ],
    'of nothing where nobody deleted': [[], [[undefined, 1, 2]], /never put there/],
  };
  for (const [name, [writes, reads, expected]] of Object.entries(wrong)) {
    it(`finds a read ${name}`, () => {
      assert.match(historyOf(writes, reads).contradictions().join('\n'), expected);
    });
  }

  it('knows when a place may have been empty', () => {
    const judge = (state: 'empty' | 'full', began: number, ended: number) => {
      const history = historyOf([[undefined, 10, 20]], []);
      history.begin('manager', 'b', 30).ended = 40;
      history.claim('manager', state, began, ended);
      return history.contradictions().length === 0;
    };
    assert.ok(!judge('empty', 1, 9));
    assert.ok(judge('empty', 1, 11));
    assert.ok(judge('empty', 25, 26));
    assert.ok(judge('empty', 35, 36));
    assert.ok(!judge('empty', 41, 50));
    assert.ok(!judge('full', 21, 29));
    assert.ok(judge('full', 15, 16));
  });

  it('lets the service be behind the manager, and never behind itself', () => {
    const history = historyOf([['b', 10, 20]], []);
    history.read('service', 'first', 30, 31);
    assert.deepEqual(history.contradictions(), []);
    history.read('service', 'b', 40, 41);
    assert.deepEqual(history.contradictions(), []);
    history.read('service', 'first', 50, 51);
    assert.match(history.contradictions().join(), /had been replaced/);
  });

  it('takes a refused change for none', () => {
    const history = new History('place', 'first');
    history.begin('manager', 'b', 10).refused = true;
    history.read('manager', 'first', 20, 30);
    assert.deepEqual(history.contradictions(), []);
    history.read('manager', 'b', 20, 30);
    assert.match(history.contradictions().join(), /never put there/);
  });
});
