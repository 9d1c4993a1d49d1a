// Hooks of Node's module loader, see typescript.mjs.
import { readFileSync } from 'node:fs';

const root = new URL('..', import.meta.url).href;
const packages = `${root}node_modules/`;
const stripped = `${root}.cache/stripped/`;

/** Synchronous, or not, as `nextLoad` is. */
export function load(url, context, nextLoad) {
  if (!url.startsWith(root) || url.startsWith(packages)) return nextLoad(url, context);
  if (url.endsWith('.ts')) return asModule(read(stripped + url.slice(root.length)));
  // Node 20 would warn that JSON modules are an experiment
  if (url.endsWith('.json')) return asModule(`export default ${read(url)}`);
  return nextLoad(url, context);
}

function asModule(source) {
  return { format: 'module', source, shortCircuit: true };
}

function read(url) {
  return readFileSync(new URL(url), 'utf8');
}
