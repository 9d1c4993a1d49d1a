import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readLogLine } from '../fakes/log-lines.ts';
import { quotedSource, typescriptProgram } from '../fakes/typescript-program.ts';

/** A program that says when its start began and goes on with it when it is told to. */
const script = `
  import { once } from 'node:events';
  import { makeLog } from ${quotedSource('core/log.ts')};
  import { announceReady, runProgram } from ${quotedSource('platform/process-life.ts')};
  await runProgram(makeLog('trial'), async () => {
    process.send('starting');
    await once(process, 'message');
    announceReady({});
    return async () => undefined;
  });`;

function start(): ChildProcess {
  const [node, ...args] = typescriptProgram(script);
  return spawn(node, args, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
}

describe('a program', () => {
  it('leaves nothing of its memory in a core dump', (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'core-dump-'));
    const pattern = readFileSync('/proc/sys/kernel/core_pattern', 'utf8').trim();
    const secret = ['key', 'of', process.pid].join('-').repeat(1000);
    const dying = `
      import { runProgram } from ${quotedSource('platform/process-life.ts')};
      import { makeLog } from ${quotedSource('core/log.ts')};
      await runProgram(makeLog('trial'), async () => {
        globalThis.secret = process.argv[1] + process.argv[1];
        process.abort();
      });`;
    const node = [...typescriptProgram(dying), secret];
    const command = ['-c', 'ulimit -c unlimited && exec "$@"', 'sh', ...node];
    spawnSync('sh', command, { cwd: directory });
    const dumps = readdirSync(directory).map((name) => readFileSync(join(directory, name)));
    rmSync(directory, { recursive: true });
    t.diagnostic(`core_pattern ${pattern}, ${dumps.map(({ length }) => length)} bytes`);
    if (pattern === 'core') assert.equal(dumps.length, 1);
    for (const dump of dumps) assert.ok(!dump.includes(secret));
  });

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

  it('logs what Node warns of in lines of its own log', () => {
    const [node, ...args] = typescriptProgram(`
      import { makeLog } from ${quotedSource('core/log.ts')};
      import { runProgram } from ${quotedSource('platform/process-life.ts')};
      await runProgram(makeLog('trial'), async () => {
        process.emitWarning('a listener\\nleaks', 'MaxListenersExceededWarning');
        return async () => undefined;
      });`);
    const { stderr } = spawnSync(node, args, { encoding: 'utf8' });
    assert.deepEqual(stderr.trimEnd().split('\n').map(readLogLine), [
      {
        program: 'trial',
        message: 'warning of Node',
        fields: { name: 'MaxListenersExceededWarning', message: 'a listener\nleaks' },
      },
    ]);
  });
});
