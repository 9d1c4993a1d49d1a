// npm run torture [-- AREA...]: the long form of the tests below test/torture/, one area after the other. The
// figures of the areas that passed go into docs/reliability-figures.md, and ten of them into docs/reliability.md.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fail, prepare, root, run, testPrograms } from './prepare.mjs';

const folder = join(root, 'test', 'torture');
const page = join(root, 'docs', 'reliability-figures.md');
const headlines = join(root, 'docs', 'reliability.md');
/** What takes longer than two hours hangs, in milliseconds. */
const longestTest = 7_200_000;
const areas = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .filter((name) => testsOf(name).length > 0)
  .sort();
const named = process.argv.slice(2);
const unknown = named.filter((name) => !areas.includes(name));
if (unknown.length > 0)
  fail(`There is no area ${unknown.join(', ')}; there are ${areas.join(', ')}.`);

prepare(testPrograms);
for (const step of ['build', 'strip-types'])
  if (run(process.execPath, [`scripts/${step}.mjs`]) !== 0) fail(`The step ${step} failed.`);

const failed = (named.length > 0 ? named : areas).filter((area) => !passes(area));
if (failed.length > 0) fail(`Failed: ${failed.join(', ')}.`);

function passes(area) {
  const scratch = mkdtempSync(join(tmpdir(), 'torture-'));
  const figures = join(scratch, 'figures');
  writeFileSync(figures, '');
  const began = Date.now();
  const tests = testsOf(area).map((name) => join(folder, area, name));
  const args = ['--import', './scripts/typescript.mjs', '--test', '--test-concurrency', '1'];
  args.push('--test-reporter', 'spec', '--test-timeout', String(longestTest));
  const { status } = spawnSync(process.execPath, [...args, ...tests], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, TORTURE: 'long', TORTURE_FIGURES: figures },
  });
  if (status === 0) record(area, readFileSync(figures, 'utf8'), Date.now() - began);
  rmSync(scratch, { recursive: true });
  return status === 0;
}

/** A folder without any has what other areas share. */
function testsOf(area) {
  return readdirSync(join(folder, area), { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.test.ts'));
}

/** Replaces the table between the two comments that name the area, and the figures of the area among the headlines. */
function record(area, lines, milliseconds) {
  const figures = lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
  const rows = figures.map(({ what, value }) => `| ${what} | ${value} |`);
  const day = new Date().toISOString().slice(0, 10);
  const minutes = (milliseconds / 60_000).toFixed(1);
  const table = [
    `Last run: ${day}, \`npm run torture -- ${area}\`, ${minutes} minutes.`,
    '',
    '| what | figure |',
    '| --- | ---: |',
    ...rows,
  ].join('\n');
  const begin = `<!-- figures of ${area} -->`;
  const end = `<!-- end of ${area} -->`;
  const text = readFileSync(page, 'utf8');
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) fail(`${page} has no place for the figures of ${area}.`);
  writeFileSync(page, `${text.slice(0, from)}${begin}\n${table}\n${text.slice(to)}`);
  const headlined = readFileSync(headlines, 'utf8')
    .split('\n')
    .map((line) => {
      const figure = figures.find(({ what }) => line.startsWith(`| ${area} | ${what} | `));
      return figure ? `| ${area} | ${figure.what} | ${figure.value} |` : line;
    });
  writeFileSync(headlines, headlined.join('\n'));
}
