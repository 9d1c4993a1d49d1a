// npm test: prepares the clone, builds it, checks it, and runs the tests that a contributor waits for.
//   -- PATH…  runs these tests, and those of these folders, without the checks
//   -- --all  runs every test (npm run test:all)
//   -- --rest runs the tests that `npm test` leaves out (npm run test:rest)
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative, resolve } from 'node:path';
import {
  fail,
  installCommand,
  prepareAsFarAsPossible,
  root,
  run,
  testPrograms,
} from './prepare.mjs';
import { groupByFolder } from './test-groups.mjs';
import { testsByProgram } from './test-programs.mjs';

/** A process that takes longer hangs, in milliseconds: a minute on a quiet machine may be ten on a busy machine. */
const maxProcessMilliseconds = 1_200_000;
/** Unit tests, the contract of the bus, the documentation, and the main job: folders and files below test/. */
const quick = [
  'build/installation.test.ts',
  'build/licences.test.ts',
  'build/named-tests.test.ts',
  'build/reporter.test.ts',
  'cmp',
  'conformance',
  'core',
  'dbus',
  'documentation.test.ts',
  'e2e/main-job.test.ts',
  'gnoi/status.test.ts',
  'gnoi/stream-states.test.ts',
  'gnoi/certificate-management.test.ts',
  'identity',
  'manager',
  'metrics',
  'netconf/datastore',
  'netconf/framing',
  'netconf/operations',
  'netconf/rpc/answer.test.ts',
  'netconf/rpc/subtree-filter.test.ts',
  'netconf/session',
  'netconf/xml',
  'operator/framework',
  'outbound',
  'platform',
  'redfish',
  'schemas',
  'storage',
  'tls',
  'x509',
].map((path) => join(root, 'test', path));

const named = process.argv.slice(2);
const files = testFiles(named);
const needed = testsByProgram(files, testPrograms);
const missing = prepareAsFarAsPossible([...needed.keys()]);
const leftOut = new Set(missing.flatMap((program) => needed.get(program) ?? []));

for (const step of ['build', 'strip-types'])
  if (run(process.execPath, [`scripts/${step}.mjs`]) !== 0) fail(`The step ${step} failed.`);
const isNamed = named.some((one) => !one.startsWith('--'));
if (!isNamed && named[0] !== '--rest' && run('node', ['scripts/check.mjs']) !== 0)
  fail('The checks found faults.');

const possible = files.filter((file) => !leftOut.has(file));
// A test that is named runs alone, and the tests of the rest measure processes or take minutes
const shared = isNamed ? [] : possible.filter(isQuick);
const processes = [...groupByFolder(shared), ...possible.filter((file) => !shared.includes(file))];
const args = [
  ...['--import', './scripts/typescript.mjs', '--test'],
  ...['--test-concurrency', String(availableParallelism() + 1)],
  ...['--test-reporter', join(root, 'scripts', 'reporter.mjs')],
  ...['--test-timeout', String(maxProcessMilliseconds)],
  ...processes,
];
if (leftOut.size > 0) {
  const programs = missing.join(', ');
  const paths = [...leftOut].map((file) => `  ${relative(root, file)}\n`);
  process.stderr.write(`Not run, for want of ${programs} (${installCommand(missing)}):\n`);
  process.stderr.write(paths.join(''));
}
const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
process.exit(status ?? 1);

function testFiles([first, ...others]) {
  const all = readdirSync(join(root, 'test'), { recursive: true })
    .map((name) => join(root, 'test', String(name)))
    .filter((path) => path.endsWith('.test.ts'))
    .sort();
  if (first !== undefined && !first.startsWith('--'))
    return [...new Set([first, ...others].flatMap((path) => testsAt(path, all)))];
  switch (first) {
    case undefined:
      return all.filter(isQuick);
    case '--all':
      return all;
    case '--rest':
      return all.filter((path) => !isQuick(path));
    default:
      return fail(`There is no option ${first}; there are --all and --rest, and paths of tests.`);
  }
}

/** The test that is named, or the tests of the folder. */
function testsAt(path, all) {
  const place = resolve(root, path);
  const found = all.filter((file) => file === place || file.startsWith(`${place}/`));
  return found.length > 0 ? found : fail(`${path} is no test, and no folder that has one.`);
}

function isQuick(file) {
  return quick.some((one) => file === one || file.startsWith(`${one}/`));
}
