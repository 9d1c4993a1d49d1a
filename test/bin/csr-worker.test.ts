import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { clone } from '../e2e/stack.ts';

it('the program that makes a CSR goes on after the SIGHUP of a reload, and ends with its manager', async () => {
  const child = fork(join(clone, 'dist', 'csr-worker.js'), { execArgv: [] });
  const ended = once(child, 'exit');
  child.send({ directory: '/nowhere', plan: {} });
  await once(child, 'message');
  child.kill('SIGHUP');
  await sleep(200);
  assert.equal(child.signalCode, null);
  child.disconnect();
  assert.deepEqual(await ended, [0, null]);
});
