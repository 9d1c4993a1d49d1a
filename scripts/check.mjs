// npm run check: formatting, lint with the layering rules, and types.
import { prepare, run } from './prepare.mjs';

prepare([]);
const { generate } = await import('./build.mjs');
await generate();
const statuses = [
  run('node_modules/.bin/biome', ['check', '--error-on-warnings']),
  run('node_modules/.bin/tsc', []),
];
process.exit(Math.max(...statuses));
