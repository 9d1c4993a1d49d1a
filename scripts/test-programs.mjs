// Which programs the tests run, as their sources say.
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * @param files paths of tests
 * @param programs names of programs
 * @returns the tests of each program whose name stands in quotes, or in a path, in the test or in what that imports below
 *   test/; programs that no test needs are left out
 */
export function testsByProgram(files, programs) {
  const found = new Map();
  for (const file of files) {
    const text = [...withImports(file)].map((path) => readFileSync(path, 'utf8')).join('\n');
    for (const program of programs) {
      if (new RegExp(`['"\`/]${program}['"\`/ ]`).test(text))
        found.set(program, [...(found.get(program) ?? []), file]);
    }
  }
  return found;
}

function withImports(file, seen = new Set()) {
  seen.add(file);
  for (const [, imported] of readFileSync(file, 'utf8').matchAll(/ from '(\.[^']+)'/g)) {
    const path = resolve(dirname(file), imported);
    if (path.includes('/test/') && path.endsWith('.ts') && !seen.has(path)) withImports(path, seen);
  }
  return seen;
}
