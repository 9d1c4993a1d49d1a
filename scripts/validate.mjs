// npm run validate: installs DMTF's validators and clients, and lets them judge a running stack.
import { run } from './prepare.mjs';
import { prepareClients } from './prepare-clients.mjs';

prepareClients();
process.exit(run(process.execPath, ['scripts/test.mjs', 'test/validators'], { stdio: 'inherit' }));
