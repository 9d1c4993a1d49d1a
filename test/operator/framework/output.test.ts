import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Fields, jsonText, recordText } from '../../../src/operator/framework/fields.ts';
import { runSample } from './sample-program.ts';

describe('what a command prints', () => {
  it('is a table with aligned columns, without control characters of a value', async () => {
    const { out, status } = await runSample(['list']);
    assert.equal(status, 0);
    assert.deepEqual(out.split('\n'), [
      'NAME         SIZE  TAGS   STATE',
      'one          1     a, b?  Bad',
      'second?[31m  -     -      Good',
      '',
    ]);
  });

  it('is JSON with every member of the declaration', async () => {
    const { out } = await runSample(['list', '--json']);
    assert.deepEqual(JSON.parse(out)[1], {
      name: 'second\u001b[31m',
      size: null,
      tags: [],
      state: 'Good',
      born: '1970-01-01T00:00:00.000Z',
    });
  });

  for (const character of ['\u007f', '\u009b', '\u2028', '\u2029', '\u202e', '\u2066'])
    it(`shows no ${character.codePointAt(0)?.toString(16)} of a value, also in JSON`, () => {
      const row = { name: `a${character}b` };
      const fields: Fields = { name: { type: 'text', about: '', title: 'Name' } };
      assert.match(recordText(fields, row, false), /a\?b/);
      const text = jsonText([row]);
      assert.ok(!text.includes(character), text);
      assert.deepEqual(JSON.parse(text), [row]);
    });

  it('has colours where a person looks', async () => {
    const { out } = await runSample(['list'], true);
    assert.ok(out.includes('\u001b[1mNAME\u001b[0m'));
    assert.ok(out.includes('\u001b[31mBad\u001b[0m'));
    assert.ok(!(await runSample(['list', '--json'], true)).out.includes('\u001b[0m'));
  });

  it('is a block of labels for a single record, and its notes go to standard error', async () => {
    const { out, err } = await runSample(['paint', 'wall', '--brush', 'wide']);
    assert.equal(out, 'Thing  wall\n');
    assert.equal(err, 'It drips.\n');
  });

  it('comes row by row of a command that goes on, which may have a status of its own', async () => {
    const { out, status } = await runSample(['shelf', 'follow']);
    assert.equal(out, 'one is Bad\nsecond?[31m is Good\n');
    assert.equal(status, 9);
    const lines = (await runSample(['shelf', 'follow', '--json'])).out.trimEnd().split('\n');
    assert.deepEqual(
      lines.map((line) => JSON.parse(line).name),
      ['one', 'second\u001b[31m'],
    );
  });

  it('is a sentence on standard error for a fault', async () => {
    const { out, err, status } = await runSample(['shelf', 'drop']);
    assert.deepEqual({ out, err, status }, { out: '', err: 'It failed.\n', status: 1 });
  });

  for (const words of [['probe', 'moon'], ['probe']]) {
    it(`follows the convention that the command declares for errors: ${words.join(' ')}`, async () => {
      const { out, err, status } = await runSample(words);
      assert.match(out, /^UNKNOWN - (There is no moon|THING is missing)/);
      assert.deepEqual({ err, status }, { err: '', status: 3 });
    });
  }
});

describe('help', () => {
  for (const words of [[], ['--help'], ['-h'], ['help']]) {
    it(`of the program is what "${words.join(' ')}" prints`, async () => {
      const { out, status } = await runSample(words);
      assert.equal(status, 0);
      assert.match(out, /^Usage: things COMMAND .*\n\nManage things\.\n/);
      for (const part of ['paint things', 'shelf follow', '--room ROOM', 'Exit status'])
        assert.ok(out.includes(part), part);
    });
  }

  for (const words of ['paint --help', '--help paint', 'help paint', 'paint wall -h']) {
    it(`of a command is what "${words}" prints`, async () => {
      const { out, status } = await runSample(words.split(' '));
      assert.equal(status, 0);
      assert.match(out, /^Usage: things paint THING \[FILE\]… \[--colour COLOUR\] \[--coats N\]/);
      assert.match(out, /--brush BRUSH\s+\[--label LABEL\]…\s+\[--dry\]/);
      assert.match(out, /-n, --coats N +how often\n/);
      assert.match(out, /the colour \(default: red\)/);
      assert.match(out, /things paint wall --brush wide\n/);
    });
  }

  it('of a group has its commands alone', async () => {
    const { out } = await runSample(['shelf', '--help']);
    assert.match(out, /shelf follow/);
    assert.doesNotMatch(out, /paint/);
  });

  it('of a command with statuses of its own has these', async () => {
    const { out } = await runSample(['help', 'probe']);
    assert.match(out, /Exit status:\n +0 +fine\n +3 +unknown\n/);
  });

  it('tells the version', async () => {
    assert.equal((await runSample(['--version'])).out, 'things 1.2.3\n');
  });
});
