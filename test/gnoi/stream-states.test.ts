import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  adopt,
  decide,
  type Operation,
  type Parked,
  type StreamEvent,
  type StreamProfile,
  type StreamState,
} from '../../src/gnoi/steps/stream-states.ts';

const nothing: Parked = { keys: [], trials: [] };
const generate: StreamEvent = { kind: 'generate', id: 'a' };
const load: StreamEvent = { kind: 'load', id: '', hasKey: false };
const loadWithKey: StreamEvent = { kind: 'load', id: 'a', hasKey: true };
const finalize: StreamEvent = { kind: 'finalize' };
const halfClosed: StreamEvent = { kind: 'half-closed' };
const broken: StreamEvent = { kind: 'broken' };
const timeUp: StreamEvent = { kind: 'time-up' };

/** What a stream did for events, whose actions succeed, in words. */
function play(
  operation: Operation,
  profile: StreamProfile,
  events: readonly StreamEvent[],
  parked = nothing,
): string {
  const kind = { operation, profile };
  let state: StreamState = { at: 'idle' };
  const words: string[] = [];
  for (const event of events) {
    const { action, next, end } = decide(adopt(state, event, kind, parked), event, kind);
    if (action) words.push(action.do + (action.do === 'park' ? ` ${action.what}` : ''));
    if (end !== undefined) words.push(typeof end === 'string' ? end : end.status);
    state = next;
  }
  return words.join(', ');
}

describe('the steps of a stream', () => {
  const rows: [string, Operation, StreamProfile, StreamEvent[], string][] = [
    ['an installation', 'install', 'strict', [generate, load], 'request, load, ok'],
    ['with the key of the client', 'install', 'strict', [loadWithKey, halfClosed], 'load, ok'],
    ['a rotation', 'rotate', 'strict', [generate, load, finalize], 'request, load, commit, ok'],
    [
      'that with the key of the client',
      'rotate',
      'strict',
      [loadWithKey, finalize],
      'load, commit, ok',
    ],
    ['nothing but its end', 'rotate', 'strict', [halfClosed], 'ok'],
    ['nothing but a break', 'rotate', 'strict', [broken], 'silently'],
    [
      'a cancelled rotation',
      'rotate',
      'strict',
      [generate, load, broken],
      'request, load, roll back, silently',
    ],
    ['a cancelled CSR', 'install', 'strict', [generate, broken], 'request, discard, silently'],
    [
      'a break after the installation',
      'install',
      'strict',
      [generate, load, broken],
      'request, load, ok',
    ],
    [
      'an end before the certificate',
      'install',
      'strict',
      [generate, halfClosed],
      'request, discard, ABORTED',
    ],
    [
      'an end before finalize',
      'rotate',
      'strict',
      [loadWithKey, halfClosed],
      'load, roll back, ABORTED',
    ],
    [
      'a second CSR',
      'install',
      'strict',
      [generate, generate],
      'request, discard, INVALID_ARGUMENT',
    ],
    ['a second load', 'rotate', 'strict', [loadWithKey, load], 'load, roll back, INVALID_ARGUMENT'],
    ['finalize without a load', 'rotate', 'strict', [finalize], 'INVALID_ARGUMENT'],
    ['a load without a key', 'install', 'strict', [load], 'FAILED_PRECONDITION'],
    [
      'a load with a key for a CSR',
      'install',
      'strict',
      [generate, loadWithKey],
      'request, discard, INVALID_ARGUMENT',
    ],
    [
      'a load for another id',
      'install',
      'strict',
      [generate, { ...load, id: 'b' }],
      'request, discard, INVALID_ARGUMENT',
    ],
    [
      'a load that names the id of the CSR',
      'install',
      'strict',
      [generate, { ...load, id: 'a' }],
      'request, load, ok',
    ],
    [
      'an empty message',
      'rotate',
      'strict',
      [loadWithKey, { kind: 'empty' }],
      'load, roll back, INVALID_ARGUMENT',
    ],
    ['a message after the installation', 'install', 'strict', [loadWithKey, generate], 'load, ok'],
    ['silence from the beginning', 'install', 'strict', [timeUp], 'DEADLINE_EXCEEDED'],
    [
      'silence after a CSR',
      'install',
      'strict',
      [generate, timeUp],
      'request, discard, DEADLINE_EXCEEDED',
    ],
    [
      'a rotation undone elsewhere',
      'rotate',
      'strict',
      [loadWithKey, { kind: 'undone' }],
      'load, roll back, DEADLINE_EXCEEDED',
    ],
    [
      'a CSR for a later stream',
      'install',
      'junos',
      [generate, halfClosed],
      'request, park key, ok',
    ],
    [
      'a rotation for a later stream',
      'rotate',
      'junos',
      [loadWithKey, halfClosed],
      'load, park trial, ok',
    ],
    [
      'a cancelled CSR, although it could be left',
      'install',
      'junos',
      [generate, broken],
      'request, discard, silently',
    ],
    [
      'a cancelled rotation, although it could be left',
      'rotate',
      'junos',
      [loadWithKey, broken],
      'load, roll back, silently',
    ],
    ['finalize of nothing', 'rotate', 'junos', [finalize], 'FAILED_PRECONDITION'],
  ];

  for (const [name, operation, profile, events, expected] of rows) {
    it(`are for ${name} (${operation}, ${profile}): ${expected}`, () => {
      assert.equal(play(operation, profile, events), expected);
    });
  }
});

describe('a stream of the profile junos', () => {
  const left: [string, Operation, StreamEvent[], Parked, string][] = [
    [
      'takes the key that one before it left',
      'install',
      [{ ...load, id: 'a' }, halfClosed],
      { keys: ['a'], trials: [] },
      'load, ok',
    ],
    [
      'leaves the rotation of a key that was left',
      'rotate',
      [{ ...load, id: 'a' }, halfClosed],
      { keys: ['a'], trials: [] },
      'load, park trial, ok',
    ],
    [
      'takes no key of another id',
      'install',
      [{ ...load, id: 'b' }],
      { keys: ['a'], trials: [] },
      'FAILED_PRECONDITION',
    ],
    [
      'finalizes the rotation that was left',
      'rotate',
      [finalize],
      { keys: [], trials: ['a'] },
      'commit, ok',
    ],
    [
      'finalizes none of two rotations',
      'rotate',
      [finalize],
      { keys: [], trials: ['a', 'b'] },
      'FAILED_PRECONDITION',
    ],
    [
      'finalizes no rotation as an installation',
      'install',
      [finalize],
      { keys: [], trials: ['a'] },
      'FAILED_PRECONDITION',
    ],
  ];

  for (const [name, operation, events, parked, expected] of left) {
    it(`${name}: ${expected}`, () => {
      assert.equal(play(operation, 'junos', events, parked), expected);
    });
  }

  it('is not what a strict stream is', () => {
    const all = { keys: ['a'], trials: ['a'] };
    assert.equal(play('install', 'strict', [{ ...load, id: 'a' }], all), 'FAILED_PRECONDITION');
    assert.equal(play('rotate', 'strict', [finalize], all), 'INVALID_ARGUMENT');
  });
});

const anyEvent: fc.Arbitrary<StreamEvent> = fc.oneof(
  fc.record({ kind: fc.constant('generate' as const), id: fc.constantFrom('a', 'b') }),
  fc.record({
    kind: fc.constant('load' as const),
    id: fc.constantFrom('', 'a', 'b'),
    hasKey: fc.boolean(),
  }),
  fc.constantFrom<StreamEvent>(finalize, { kind: 'empty' }, halfClosed, broken, timeUp),
  fc.constantFrom<StreamEvent>({ kind: 'undone' }),
);

describe('any sequence of events, of which any action may fail', () => {
  const anyKind = fc.record({
    operation: fc.constantFrom<Operation>('install', 'rotate'),
    profile: fc.constantFrom<StreamProfile>('strict', 'junos'),
  });
  const anyEvents = fc.array(fc.tuple(anyEvent, fc.boolean()), { maxLength: 8 });

  it('leaves neither a key nor a trial behind, takes back nothing that is done, and ends once', () => {
    fc.assert(
      fc.property(anyKind, anyEvents, (kind, events) => {
        const held = { key: false, trial: false };
        let isDone = false;
        let ends = 0;
        let state: StreamState = { at: 'idle' };
        const step = (event: StreamEvent, fails: boolean) => {
          const { action, next, end } = decide(state, event, kind);
          const isUndoing = action?.do === 'discard' || action?.do === 'roll back';
          if (action && fails && !isUndoing && action.do !== 'park') {
            step({ kind: 'failed' }, false);
            return;
          }
          switch (action?.do) {
            case 'request':
              assert.deepEqual(held, { key: false, trial: false });
              held.key = true;
              break;
            case 'load':
              assert.equal(action.isTrial, kind.operation === 'rotate');
              Object.assign(held, { key: false, trial: action.isTrial });
              isDone ||= !action.isTrial;
              break;
            case 'commit':
              assert.equal(held.trial, true);
              held.trial = false;
              isDone = true;
              break;
            case 'discard':
              assert.equal(held.key, true);
              held.key = false;
              break;
            case 'roll back':
              assert.equal(held.trial, true);
              assert.equal(isDone, false);
              held.trial = false;
              break;
            case 'park':
              assert.equal(kind.profile, 'junos');
              assert.equal(held[action.what], true);
              held[action.what] = false;
          }
          if (end !== undefined) ends += 1;
          assert.equal(next.at === 'ended', end !== undefined);
          state = next;
        };
        for (const [event, fails] of events) if (ends === 0) step(event, fails);
        if (ends === 0) step(broken, false);
        assert.equal(ends, 1);
        assert.deepEqual(held, { key: false, trial: false });
      }),
      { numRuns: 2000 },
    );
  });
});
