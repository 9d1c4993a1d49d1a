import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { until } from '../e2e/commands.ts';
import { commandOf } from '../fakes/proc.ts';
import { quotedSource, typescriptProgram } from '../fakes/typescript-program.ts';

const directory = mkdtempSync(join(tmpdir(), 'forked-program-'));
after(() => rmSync(directory, { recursive: true }));

it('a forked program that computes ends with the process that forked it', async () => {
  const pidFile = join(directory, 'pid');
  const script = join(directory, 'busy.cjs');
  writeFileSync(
    script,
    `require('node:fs').writeFileSync(${JSON.stringify(pidFile)}, String(process.pid)); for (;;);`,
  );
  const [command, ...args] = typescriptProgram(`
    import { runForked } from ${quotedSource('core/forked-program.ts')};
    process.once('SIGTERM', () => process.exit(7));
    const job = runForked({ script: ${JSON.stringify(script)}, deadline: 600_000, nodeOptions: [] }, {});
    await job.catch(() => undefined);
  `);
  const parent = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = new Promise((resolve) => parent.once('exit', resolve));
  const pid = await until('it computes', () => {
    try {
      return Number(readFileSync(pidFile, 'utf8')) || undefined;
    } catch {
      return undefined;
    }
  });
  parent.kill();
  assert.equal(await ended, 7);
  await until('it has ended', () => !commandOf(pid).includes(script));
});
