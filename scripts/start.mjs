// npm start: prepares the clone, builds what changed, and runs the local stack in this process.
import { join } from 'node:path';
import { neededToRun, prepare, root } from './prepare.mjs';

prepare(neededToRun);
const { build } = await import('./build.mjs');
await build();
const { main } = await import('../dist/bmc-certs.js');
await main(['up', ...process.argv.slice(2)], join(root, 'var'));
