// npm start: prepares the clone, builds what changed, and runs the local stack in this process.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { root } from './prepare.mjs';

const status = await prepareInGroup();
if (status !== 0) process.exit(status);
const { main } = await import('../dist/bmc-certs.js');
await main(['up', ...process.argv.slice(2)], join(root, 'var'));

/**
 * Prepares in a process group of its own: npm, apt-get and the bundler start further programs, and all of them
 * end when this process is told to end, at the latest by SIGKILL.
 */
async function prepareInGroup() {
  const args = [...process.execArgv, 'scripts/prepare-start.mjs', ...process.argv.slice(2)];
  const child = spawn(process.execPath, args, {
    cwd: root,
    detached: true,
    stdio: ['ignore', 2, 2],
  });
  let isEnding = false;
  const kill = (signal) => {
    try {
      process.kill(-child.pid, signal);
    } catch {
      // every process of the group has ended
    }
  };
  const end = () => {
    if (isEnding) return;
    isEnding = true;
    kill('SIGTERM');
    setTimeout(() => kill('SIGKILL'), 2000);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, end);
  const [status] = await once(child, 'exit');
  if (isEnding) {
    kill('SIGKILL');
    process.exit(0);
  }
  for (const signal of signals) process.off(signal, end);
  return status ?? 1;
}
