// npm test: prepares the clone, builds it, checks it, and runs every test (or those that are named).
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fail, neededToTest, prepare, root, run } from './prepare.mjs';

const named = process.argv.slice(2);
/** A file that takes longer hangs, in milliseconds: a minute on a quiet machine may be eight on a busy one. */
const longestFile = 600_000;

prepare(neededToTest);

if (run(process.execPath, ['scripts/build.mjs']) !== 0) fail('The build failed.');
if (named.length === 0 && run('node', ['scripts/check.mjs']) !== 0)
  fail('The checks found faults.');

const files = named.length > 0 ? named : testFiles(join(root, 'test'));
const args = [
  '--import',
  'tsx',
  '--test',
  '--test-concurrency',
  String(availableParallelism() + 1),
  '--test-reporter',
  join(root, 'scripts', 'reporter.mjs'),
  '--test-timeout',
  String(longestFile),
  ...files,
];
const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
process.exit(status ?? 1);

function testFiles(directory) {
  return readdirSync(directory, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.test.ts'))
    .sort()
    .map((name) => join(directory, name));
}
