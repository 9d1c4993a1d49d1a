import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const source = (name: string) =>
  JSON.stringify(fileURLToPath(new URL(`../../src/platform/${name}.ts`, import.meta.url)));

/** A program that says when its start began and goes on with it when it is told to. */
const script = `
  import { once } from 'node:events';
  import { makeLog } from ${source('log')};
  import { announceReady, runProgram } from ${source('process-life')};
  await runProgram(makeLog('trial'), async () => {
    process.send('starting');
    await once(process, 'message');
    announceReady({});
    return async () => undefined;
  });`;

function start(): ChildProcess {
  const args = ['--import', 'tsx', '--input-type=module', '-e', script];
  return spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
}

describe('a program', () => {
  it('is not ended by SIGHUP, neither while it starts nor later', async () => {
    const child = start();
    const ended = once(child, 'exit');
    const next = () => Promise.race([once(child, 'message'), ended]);
    assert.deepEqual((await next())[0], 'starting');
    child.kill('SIGHUP');
    child.send('go on');
    assert.deepEqual((await next())[0], { ready: {} });
    child.kill('SIGHUP');
    child.kill('SIGTERM');
    assert.deepEqual(await ended, [0, null]);
  });

  it('ends well when it is told to while it starts', async () => {
    const child = start();
    const ended = once(child, 'exit');
    await once(child, 'message');
    child.kill('SIGTERM');
    assert.deepEqual(await ended, [0, null]);
  });
});
