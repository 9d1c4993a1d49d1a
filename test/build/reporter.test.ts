import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { must } from '../e2e/commands.ts';

const reporter = fileURLToPath(new URL('../../scripts/reporter.mjs', import.meta.url));

describe('the end of a test run', () => {
  let directory: string;
  let lines: string[];

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'reporter-'));
    const file = join(directory, 'some.test.mjs');
    const skips = `import { describe, it } from 'node:test';
      describe('a suite', { skip: 'there is no bus' }, () => { it('inside', () => undefined); });
      it('a test', { skip: true }, () => undefined);
      it('another test', (test) => test.skip('it is too late'));
      it('a test that is run', () => undefined);`;
    writeFileSync(file, skips);
    // A runner within a runner believes that it is a file of the outer run
    const args = [
      '-u',
      'NODE_TEST_CONTEXT',
      process.execPath,
      '--test',
      '--test-reporter',
      reporter,
    ];
    lines = (await must('env', [...args, file])).trimEnd().split('\n');
  });
  after(() => rmSync(directory, { recursive: true }));

  it('lists what was skipped, also whole suites, with file and reason', () => {
    const listed = lines.filter((line) => line.startsWith('ℹ not run: '));
    assert.deepEqual(
      listed.map((line) => line.replace(/not run: .*some\.test\.mjs: /, '')),
      [
        'ℹ a suite (there is no bus)',
        'ℹ a test (no reason given)',
        'ℹ another test (it is too late)',
      ],
    );
    assert.ok(listed.every((line) => line.includes('some.test.mjs')));
  });

  it('keeps the summary of Node in the last lines', () => {
    const last = lines.slice(-8).map((line) => line.split(' ')[1]);
    const words = [
      'tests',
      'suites',
      'pass',
      'fail',
      'cancelled',
      'skipped',
      'todo',
      'duration_ms',
    ];
    assert.deepEqual(last, words);
  });
});
