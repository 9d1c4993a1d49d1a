// The tests of a folder run in one process: to load the same modules for each file takes as long as many a test.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './prepare.mjs';

const groups = join(root, '.cache', 'test-groups');

/**
 * @param files paths of tests
 * @returns paths of modules, one for each folder, which have each of the files as a suite of its own
 */
export function groupByFolder(files) {
  mkdirSync(groups, { recursive: true });
  return [...new Set(files.map(dirname))].map((folder) => {
    const own = files.filter((file) => dirname(file) === folder);
    const name = relative(root, folder).replaceAll('/', '-');
    const path = join(groups, `${name}.test.mjs`);
    writeFileSync(path, [head, ...own.map(suiteOf)].join('\n'));
    return path;
  });
}

// Node 22 takes a suite that could not be loaded for one that has passed
const head = `import { describe, it } from 'node:test';
const suite = (name, url) =>
  describe(name, () => import(url).catch((error) => it('can be loaded', () => { throw error; })));`;

function suiteOf(file) {
  return `suite(${JSON.stringify(relative(root, file))}, ${JSON.stringify(pathToFileURL(file))});`;
}
