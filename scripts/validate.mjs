// npm run validate: installs DMTF's validators and clients, and lets them judge a running stack.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from './prepare.mjs';
import { prepareClients } from './prepare-clients.mjs';

prepareClients();
const folder = join('test', 'validators');
const tests = readdirSync(join(root, folder))
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => join(folder, name));
process.exit(run(process.execPath, ['scripts/test.mjs', ...tests], { stdio: 'inherit' }));
