import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { run } from '../e2e/commands.ts';
import { readLogLine } from '../fakes/log-lines.ts';
import { quotedSource, typescriptProgram } from '../fakes/typescript-program.ts';

/** Logs the events on its standard input, a JSON array of messages and fields. */
const program = `
  import { readFileSync } from 'node:fs';
  import { makeLog } from ${quotedSource('core/log.ts')};
  const log = makeLog('trial');
  for (const [level, message, fields] of JSON.parse(readFileSync(0, 'utf8'))) log[level](message, fields);`;

const hostile = fc.constantFrom(
  ...[' ', '"', '\\', '=', '\n', '\r\n', '\0', '\u001b[31m', '\u2028', '\u202e', '\ud800', ' a=b'],
  ...['<3>', '\\u003d', '\\"', 'Büro', '日本', '😀', "'", '\t', '\u0085', ': ', 'error'],
);
const text = fc
  .array(fc.oneof(hostile, fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' })))
  .map((parts) => parts.join(''));
const key = fc.stringMatching(/^[A-Za-z]\w{0,9}$/);
const value = fc.oneof(text, fc.double({ noNaN: true }), fc.integer(), fc.boolean());
const level = fc.constantFrom('error', 'warn', 'info', 'debug');
const event = fc.tuple(
  level,
  text.map((message) => `x${message}`),
  fc.dictionary(key, value, { noNullPrototype: true }),
);

/** What a reader gets of a text: no more than its beginning, and half of a character as it is. */
const shown = (given: unknown) => String(given).slice(0, 1000);

describe('a line of the log', () => {
  for (const [place, environment] of [
    ['in the journal', ['JOURNAL_STREAM=8:1']],
    ['elsewhere', []],
  ] as const) {
    it(`${place} is of the grammar, and tells the fields as they were, whatever they are`, async () => {
      const events = fc.sample(event, 1000);
      const clean = ['-u', 'JOURNAL_STREAM', 'LOG_LEVEL=debug', ...environment];
      const command = [...clean, ...typescriptProgram(program)];
      const { status, stderr } = await run('env', command, JSON.stringify(events));
      assert.equal(status, 0, stderr);
      const lines = stderr.split('\n');
      assert.equal(lines.pop(), '');
      assert.equal(lines.length, events.length);
      for (const [at, line] of lines.entries()) {
        const [, , fields = {}] = events[at] ?? [];
        const expected = Object.entries(JSON.parse(JSON.stringify(fields))).map(([name, given]) => [
          name,
          shown(given),
        ]);
        assert.deepEqual(readLogLine(line).fields, Object.fromEntries(expected), line);
      }
    });
  }

  it('begins its fields after a message that has no equals sign', async () => {
    const events = JSON.stringify([['info', 'Certificate a=b ends', { reason: 'a=b c' }]]);
    const command = ['-u', 'JOURNAL_STREAM', ...typescriptProgram(program)];
    const { stderr } = await run('env', command, events);
    assert.deepEqual(readLogLine(stderr.trimEnd()), {
      program: 'trial',
      message: 'Certificate a\\u003db ends',
      fields: { reason: 'a=b c' },
    });
  });
});
