// npm run check: formatting, lint with the layering rules, types, and whether the documentation says what the code says.
import { spawnSync } from 'node:child_process';
import { prepare, root, run } from './prepare.mjs';

prepare([]);
const { generate } = await import('./build.mjs');
await generate();
const statuses = [
  checkForm(),
  run('node_modules/.bin/tsc', []),
  run(process.execPath, ['scripts/strip-types.mjs']) || checkDocumentation(),
];
process.exit(Math.max(...statuses));

function checkForm() {
  const status = run('node_modules/.bin/biome', ['check', '--error-on-warnings']);
  if (status !== 0)
    process.stderr.write('npm run format writes the format and the order of imports anew.\n');
  return status;
}

/** Prints of the test alone what fails. */
function checkDocumentation() {
  const loading = ['--import', './scripts/typescript.mjs', '--test-reporter', 'spec'];
  const args = [...loading, 'test/documentation.test.ts'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: root,
    encoding: 'utf8',
  });
  if (status !== 0) process.stderr.write(stderr + stdout.split('failing tests:').at(-1));
  return status ?? 1;
}
