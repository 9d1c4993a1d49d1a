import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { exposition, type MetricSpec } from '../../src/metrics/exposition.ts';

const temperature = {
  name: 'room_temperature_celsius',
  type: 'gauge',
  help: 'How warm it is.',
  labels: { room: 'its name' },
} as const satisfies MetricSpec;
const opened = {
  name: 'doors_opened_total',
  type: 'counter',
  help: 'A \\ and\na second line.',
  labels: {},
} as const satisfies MetricSpec;

/** The label of the only sample, read by the rules of "Text format details". */
function labelIn(text: string): string {
  const [, quoted = ''] = /\{room="((?:[^"\\\n]|\\[\\"n])*)"\} 1\n$/.exec(text) ?? [];
  return quoted.replace(/\\(.)/g, (_all, one: string) => (one === 'n' ? '\n' : one));
}

describe('the text format of Prometheus', () => {
  it('has help and type of a metric before its samples, and nothing of a metric without samples', () => {
    const samples = {
      temperature: [
        { labels: { room: 'hall' }, value: 21.5 },
        { labels: { room: 'yard' }, value: -3 },
      ],
      opened: [],
    };
    assert.equal(
      exposition({ temperature, opened }, samples),
      [
        '# HELP room_temperature_celsius How warm it is.',
        '# TYPE room_temperature_celsius gauge',
        'room_temperature_celsius{room="hall"} 21.5',
        'room_temperature_celsius{room="yard"} -3',
        '',
      ].join('\n'),
    );
  });

  it('has no braces where there are no labels, and one line for each help', () => {
    const text = exposition({ opened }, { opened: [{ labels: {}, value: 0 }] });
    assert.equal(
      text,
      '# HELP doors_opened_total A \\\\ and\\na second line.\n# TYPE doors_opened_total counter\ndoors_opened_total 0\n',
    );
  });

  it('carries every label there and back, whatever is in it', () => {
    const hostile = fc.string({ unit: fc.constantFrom('\\', '"', '\n', '{', '}', 'n', 'ü', ' ') });
    fc.assert(
      fc.property(fc.oneof(hostile, fc.string()), (room) => {
        const text = exposition({ temperature }, { temperature: [{ labels: { room }, value: 1 }] });
        assert.equal(labelIn(text), room);
        assert.equal(text.split('\n').length, 4);
      }),
    );
  });
});
