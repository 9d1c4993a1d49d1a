// Writes the TypeScript sources that have changed once more without their types, for scripts/typescript.mjs: all of them take a
// second, once. Spaces take the places of the types, so that lines and columns in stack traces are those of the sources.
import { mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import swc from '@swc/wasm-typescript';

const root = fileURLToPath(new URL('..', import.meta.url));
const stripped = join(root, '.cache', 'stripped');

for (const folder of ['src', 'test', 'scripts']) {
  for (const name of readdirSync(join(root, folder), { recursive: true })) {
    if (name.endsWith('.ts')) strip(join(folder, name));
  }
}

function strip(path) {
  const source = join(root, path);
  const target = join(stripped, path);
  const time = modified(source);
  // Equal times mean equal text
  if (Math.abs(time - modified(target)) < 0.001) return;
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, swc.transformSync(readFileSync(source, 'utf8'), { filename: path }).code);
  utimesSync(target, time, time);
}

/** In seconds; 0 for a file that is not there. */
function modified(path) {
  return (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) / 1000;
}
