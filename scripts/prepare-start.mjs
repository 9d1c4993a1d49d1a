// What npm start does before the local stack can run. It ends by itself, for the bundler leaves a service running.
import { fail, neededToRun, prepare } from './prepare.mjs';

const asksForHelp = process.argv.slice(2).some((one) => one === '--help' || one === '-h');
// Nothing runs then, so the system stays as it is
prepare(asksForHelp ? [] : neededToRun);
// Only now: the build needs the packages
const { build } = await import('./build.mjs');
await build().catch((error) => fail(`The build failed: ${error.message}`));
process.exit(0);
