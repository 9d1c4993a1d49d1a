// npm start: prepares the clone, builds what changed, and runs the local stack in this process.
import { join } from 'node:path';
import { fail, neededToRun, prepare, root, run } from './prepare.mjs';

prepare(neededToRun);
// In a process of its own, because the bundler leaves a service running
if (run(process.execPath, ['scripts/build.mjs']) !== 0) fail('The build failed.');
const { main } = await import('../dist/bmc-certs.js');
await main(['up', ...process.argv.slice(2)], join(root, 'var'));
