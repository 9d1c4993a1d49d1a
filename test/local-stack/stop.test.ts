import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { until } from '../e2e/commands.ts';
import { clone } from '../e2e/stack.ts';
import { launchUp, processesWith, stackDirectory, startUp } from '../fakes/stack-process.ts';

const isRoot = process.getuid?.() === 0;

describe('a stack that is told to end', () => {
  const directory = stackDirectory();

  it('kills programs that hang, and leaves no process', async () => {
    const state = join(directory, 'hanging');
    const stack = await startUp(['--state-dir', state]);
    for (const [pid, command] of processesWith(state))
      if (/manager\.js|server\.js|^dbus-daemon/.test(command)) process.kill(pid, 'SIGSTOP');
    stack.kill('SIGINT');
    assert.equal(await stack.ended, 0);
    assert.deepEqual([...processesWith(state)], []);
  });

  it('kills a program that hangs in the middle of the start', async () => {
    const state = join(directory, 'starting');
    const stack = launchUp(['--state-dir', state]);
    const find = () => [...processesWith(state)].find(([, one]) => /manager\.js/.test(one))?.[0];
    process.kill(await until('the manager starts', find), 'SIGSTOP');
    stack.kill('SIGTERM');
    assert.equal(await stack.ended, 0);
    assert.deepEqual([...processesWith(state)], []);
  });

  it('ends as the terminal closes', async () => {
    const state = join(directory, 'terminal');
    const stack = await startUp(['--state-dir', state]);
    stack.kill('SIGHUP');
    assert.equal(await stack.ended, 0);
    assert.deepEqual([...processesWith(state)], []);
  });

  // Only root has packages installed
  it('ends while packages are installed, by force where that is needed', {
    skip: !isRoot,
  }, async () => {
    const bin = join(directory, 'bin');
    mkdirSync(bin);
    const marker = join(bin, 'apt-get');
    writeFileSync(marker, `#!/bin/sh\ntrap '' TERM INT HUP\nwhile :; do /bin/sleep 0.1; done\n`);
    chmodSync(marker, 0o755);
    const start = spawn(process.execPath, [join(clone, 'scripts', 'start.mjs')], {
      env: { PATH: bin },
      stdio: 'ignore',
    });
    await until('apt-get runs', () => processesWith(marker).size > 0);
    start.kill('SIGTERM');
    const [status] = await once(start, 'exit');
    assert.equal(status, 0);
    // The kernel takes a moment to end a process that was killed
    await until('apt-get is gone', () => processesWith(marker).size === 0);
  });
});
